//! `meshvet audit` and `meshvet tree` on the real API server: what is there already, judged as `check` judges its manifests.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::sandbox::{self, eventually};
use crate::support::manifests::{self, deployment, tls_secret, virtual_node};
use crate::support::mesh::Mesh;
use crate::support::mint::Authority;
use crate::world::{self, World, plane};

tests![
    two_thousand_nodes_are_judged_as_check_judges_their_export,
    a_namespace_is_told_alone_and_judged_with_all_that_touches_it,
    a_namespace_that_is_not_there_leads_to_the_nearest,
    secrets_that_may_not_be_read_are_unknown_and_said_so,
    one_namespace_is_enough_for_who_may_read_no_other,
    a_live_view_without_rights_ends_at_once_with_the_role_that_grants_them,
    without_a_right_to_list_the_outcome_is_no_verdict,
    progress_is_told_on_a_terminal,
    a_live_view_follows_changes_until_it_is_interrupted,
    the_running_webhook_shows_the_cluster,
    a_tree_shows_a_node_of_the_cluster,
    a_cluster_that_does_not_answer_is_told_with_what_to_do,
    credentials_and_certificates_that_are_refused_are_told_in_words,
    a_cluster_without_the_mesh_is_no_success,
    a_baseline_leaves_what_was_there,
];

/// Every kind that verdicts rest on, as kubectl names them.
const KINDS: &str = "namespaces,meshes,virtualnodes,virtualgateways,virtualservices,virtualrouters,gatewayroutes,backendgroups,\
                     pods,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs,configmaps,secrets";

/// What `meshvet` said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The codes of its findings, each with its object's name.
    #[track_caller]
    pub(crate) fn findings(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let json = self.json();
        let all = json["findings"].as_array().expect("findings").iter();
        all.map(|it| (text(&it["code"]), text(&it["object"]["name"]))).collect()
    }
}

pub(crate) fn command(kubeconfig: PathBuf, arguments: &[&str]) -> Command {
    let mut command = Command::new(sandbox::meshvet());
    command.args(arguments).env_remove("KUBECONFIG").env("LC_ALL", "C.UTF-8");
    command.arg("--kubeconfig").arg(kubeconfig);
    command
}

pub(crate) fn run(mut command: Command) -> Said {
    let output = command.stdin(Stdio::null()).output().expect("meshvet runs");
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn admin(plane: &ControlPlane) -> PathBuf {
    plane.folder().join("kubeconfig")
}

/// `meshvet audit ARGUMENTS…` as an administrator of the cluster.
pub(crate) fn audit(plane: &ControlPlane, arguments: &[&str]) -> Said {
    run(command(admin(plane), &[&["audit"], arguments].concat()))
}

/// Writes objects to etcd, many times faster than they would be created.
fn write(plane: &ControlPlane, objects: &[Value]) {
    for (number, object) in objects.iter().enumerate() {
        let mut object = object.clone();
        let metadata = object["metadata"].as_object_mut().expect("metadata");
        metadata.insert("uid".to_owned(), format!("6f1c1a7e-0000-4000-8000-{number:012x}").into());
        metadata.insert("creationTimestamp".to_owned(), "2026-01-01T00:00:00Z".into());
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        let folder = match object["kind"].as_str().expect("a kind") {
            "Namespace" => format!("namespaces/{name}"),
            "Secret" => format!("secrets/{namespace}/{name}"),
            "Deployment" => format!("deployments/{namespace}/{name}"),
            kind => format!("appmesh.k8s.aws/{}s/{namespace}/{name}", kind.to_lowercase()),
        };
        if let Some(Value::Object(texts)) = object.as_object_mut().expect("an object").remove("stringData") {
            // What the API server does when it takes a Secret.
            let encode =
                |text: &Value| base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default());
            object["data"] = texts
                .iter()
                .map(|(key, text)| (key.clone(), encode(text).into()))
                .collect::<serde_json::Map<_, _>>()
                .into();
            object["type"] = "Opaque".into();
        }
        plane.write_raw(&format!("/registry/{folder}"), &object.to_string());
    }
}

/// Findings without their places in a file, each with how often it is told.
fn without_places(json: &Value) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for finding in json["findings"].as_array().expect("findings") {
        let mut finding = finding.clone();
        let fields = finding.as_object_mut().expect("an object");
        for place in ["file", "line", "column"] {
            fields.remove(place);
        }
        *all.entry(finding.to_string()).or_default() += 1;
    }
    all
}

fn two_thousand_nodes_are_judged_as_check_judges_their_export() {
    let plane = ControlPlane::start("audit");
    world::install_crds(&plane);
    let mesh = Mesh::of(2000);
    write(&plane, &mesh.objects());
    eventually("the API server serves them", || {
        let outcome = plane.kubectl.run(&["get", "virtualnodes", "-A", "-o", "name"], "");
        let count = outcome.stdout.lines().count();
        if count == 2000 { Ok(()) } else { Err(format!("{count}\n{}", outcome.stderr)) }
    });
    let now = jiff::Timestamp::now().to_string();
    let said = audit(&plane, &["-A", "-o", "json", "--now", &now]);
    assert_eq!(said.code, Some(1), "{}", said.err);

    let export = plane.kubectl.run(&["get", KINDS, "-A", "-o", "yaml"], "").succeeds();
    let path = plane.folder().join("export.yaml");
    std::fs::write(&path, export.stdout).expect("a file");
    let mut check = Command::new(sandbox::meshvet());
    check.arg("check").arg(&path).args(["-o", "json", "--now", &now]);
    let checked = run(check);
    assert_eq!(checked.code, Some(1), "{}", checked.err);

    let (audited, checked) = (said.json(), checked.json());
    assert_eq!(audited["summary"], checked["summary"]);
    let (audited, checked) = (without_places(&audited), without_places(&checked));
    assert!(audited.len() > 100, "{} findings", audited.len());
    let odd: Vec<_> = audited.iter().filter(|(it, count)| checked.get(*it) != Some(count)).take(3).collect();
    assert!(audited == checked, "{} and {} findings; in the audit alone: {odd:#?}", audited.len(), checked.len());

    // Listing all Secrets instead of reading each comes to the same.
    let listed = audit(&plane, &["-A", "-o", "json", "--now", &now, "--secrets", "list"]);
    assert_eq!(without_places(&listed.json()), audited);
    // The page is made of the same.
    let page = audit(&plane, &["-A", "-o", "html", "--now", &now]);
    let (_, data) = page.out.split_once("id=\"data\">").expect("the data");
    let data: Value = serde_json::from_str(data.split_once("</script>").expect("its end").0).expect("JSON");
    assert_eq!(data["nodes"].as_array().map(Vec::len), Some(2000));
    assert_eq!(data["findings"].as_array().map(Vec::len), Some(audited.values().sum()));
    assert_eq!(data["source"], "context suite");
}

/// `web` of a namespace, whose certificate says another name, with the workload and the Secret that go with it.
fn misnamed(world: &World) -> Vec<Value> {
    let issued = Authority::new("Test root").leaf(&["web.elsewhere.local"]).issue();
    vec![
        tls_secret(world.namespace, "web-tls", &issued),
        deployment(world.namespace, "web", "web-tls:/certs"),
        virtual_node(world.namespace, "web", &world.hostname("web")),
    ]
}

/// A namespace that the webhook doesn't look at, so that what is wrong can be brought into it.
pub(crate) fn unwatched(namespace: &'static str) -> World {
    let world = World::new(namespace);
    world.kubectl.run(&["label", "namespace", namespace, "meshvet.dev/admission=disabled"], "").succeeds();
    world
}

fn a_namespace_is_told_alone_and_judged_with_all_that_touches_it() {
    let (front, back) = (unwatched("audit-front"), unwatched("audit-back"));
    back.has(misnamed(&back));
    let service = json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService",
        "metadata": {"namespace": "audit-back", "name": "web"},
        "spec": {"provider": {"virtualNode": {"virtualNodeRef": {"name": "web"}}}}});
    let mut caller = virtual_node("audit-front", "caller", &front.hostname("caller"));
    caller["spec"]["listeners"] = json!([{"portMapping": {"port": 8443, "protocol": "http"}}]);
    caller["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"namespace": "audit-back", "name": "web"}, "clientPolicy": {"tls": {
            "validation": {"trust": {"file": {"certificateChain": "/certs/ca.crt"}},
                "subjectAlternativeNames": {"match": {"exact": ["right.example.local"]}}}}}}}]);
    back.has([service]);
    front.has([
        manifests::secret("audit-front", "trust", &[("ca.crt", &Authority::new("Another root").pem())]),
        deployment("audit-front", "caller", "trust:/certs"),
        caller,
    ]);
    let said = audit(plane(), &["-n", "audit-front", "-o", "json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let findings = said.findings();
    let has = |code: &str| findings.contains(&(code.to_owned(), "caller".to_owned()));
    assert!(has("MV104") && has("MV301"), "both ends of the call are judged: {findings:?}");
    assert!(findings.iter().all(|(_, name)| name == "caller"), "{findings:?}");
    // The page has the neighbour too, with what is wrong with it: the call would look sound otherwise.
    let page = audit(plane(), &["-n", "audit-front", "-o", "html"]).out;
    assert!(page.contains("\"name\":\"web\"") && !page.contains("\"namespace\":\"audit-watch\""));
}

fn a_namespace_that_is_not_there_leads_to_the_nearest() {
    World::new("audit-nearest");
    let said = audit(plane(), &["-n", "audit-neares"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("no namespace audit-neares; did you mean audit-nearest?"), "{said:?}");
}

/// A kubeconfig for a ServiceAccount that may do only what these roles allow.
pub(crate) fn limited(world: &World, name: &str, grant: &[&str]) -> PathBuf {
    let kubectl = &world.kubectl;
    let namespace = world.namespace;
    kubectl.run(&["-n", namespace, "create", "serviceaccount", name], "").succeeds();
    kubectl.run(grant, "").succeeds();
    let token = kubectl.run(&["-n", namespace, "create", "token", name], "").succeeds();
    plane().kubeconfig_for(&format!("{namespace}-{name}"), token.stdout.trim())
}

fn secrets_that_may_not_be_read_are_unknown_and_said_so() {
    let world = unwatched("audit-secrets");
    world.has(misnamed(&world));
    // The role view reads nearly everything, and no Secret; App Mesh's kinds aren't in it.
    world.kubectl.run(&["create", "clusterrole", "audit-view", "--verb=list", "--resource=namespaces,pods,configmaps,replicasets.apps,deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,cronjobs.batch,virtualnodes.appmesh.k8s.aws,virtualgateways.appmesh.k8s.aws,virtualservices.appmesh.k8s.aws,virtualrouters.appmesh.k8s.aws,gatewayroutes.appmesh.k8s.aws,backendgroups.appmesh.k8s.aws,meshes.appmesh.k8s.aws"], "").succeeds();
    let grant = [
        "create",
        "clusterrolebinding",
        "audit-viewer",
        "--clusterrole=audit-view",
        "--serviceaccount=audit-secrets:viewer",
    ];
    let viewer = limited(&world, "viewer", &grant);
    let said = run(command(viewer.clone(), &["audit", "-n", "audit-secrets", "-o", "json"]));
    assert_eq!(said.code, Some(0), "nothing is claimed of what isn't known: {said:?}");
    let unread = ("MV202".to_owned(), "web".to_owned());
    assert_eq!(said.findings(), [unread.clone(), unread], "the chain and its key");
    assert!(said.err.contains("Secrets could not be read") && said.err.contains("may not get secrets"), "{}", said.err);
    let said = run(command(viewer, &["audit", "-n", "audit-secrets", "-o", "json", "--secrets", "none"]));
    assert_eq!(said.code, Some(0));
    assert!(said.findings().is_empty() && said.err.contains("Secrets were not read"), "{said:?}");
    let said = audit(plane(), &["-n", "audit-secrets", "-o", "json"]);
    assert_eq!((said.code, said.findings()), (Some(1), vec![("MV101".to_owned(), "web".to_owned())]));
}

fn one_namespace_is_enough_for_who_may_read_no_other() {
    let world = unwatched("audit-alone");
    world.has(misnamed(&world));
    let grant = [
        "-n",
        "audit-alone",
        "create",
        "rolebinding",
        "audit-alone",
        "--clusterrole=cluster-admin",
        "--serviceaccount=audit-alone:tenant",
    ];
    let tenant = limited(&world, "tenant", &grant);
    let said = run(command(tenant.clone(), &["audit", "-n", "audit-alone", "-o", "json"]));
    assert_eq!(said.findings(), [("MV101".to_owned(), "web".to_owned())], "{said:?}");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("in namespace audit-alone alone: calls from and to other namespaces"), "{}", said.err);
    let said = run(command(tenant.clone(), &["audit", "-A"]));
    assert_eq!(said.code, Some(2));
    // One line for all that is lacking, and the role that grants it.
    assert_eq!(said.out.matches("error ").count(), 1, "{said:?}");
    assert!(said.out.contains(": you (ServiceAccount audit-alone/tenant) may not list "), "{said:?}");
    assert!(said.out.contains("virtualnodes.appmesh.k8s.aws") && !said.out.contains("of meshvet"), "{said:?}");
    let (_, role) = said.err.split_once("for an administrator to apply:\n").expect("a role");
    let role = role.split("\nerror: ").next().unwrap_or(role);
    world.kubectl.run(&["apply", "-f", "-"], role).succeeds();
    eventually("the role is enough", || {
        let said = run(command(tenant.clone(), &["audit", "-A", "--secrets", "none", "-o", "json"]));
        let errors = said.json()["errors"].as_array().map_or(0, Vec::len);
        if errors == 0 && said.code != Some(2) { Ok(()) } else { Err(format!("{said:?}")) }
    });
}

fn a_live_view_without_rights_ends_at_once_with_the_role_that_grants_them() {
    let world = World::new("audit-blind");
    let grant = [
        "-n",
        "audit-blind",
        "create",
        "rolebinding",
        "audit-blind",
        "--clusterrole=view",
        "--serviceaccount=audit-blind:reader",
    ];
    let reader = limited(&world, "reader", &grant);
    let watch = || run(command(reader.clone(), &["audit", "-n", "audit-blind", "--watch"]));
    let said = watch();
    assert_eq!(said.code, Some(2), "{said:?}");
    let (line, role) = said.err.split_once("\nfor an administrator to apply:\n").expect("a role");
    assert_eq!(line.lines().count(), 1, "{said:?}");
    for words in [
        "error: --watch lists and watches all namespaces: you (ServiceAccount audit-blind/reader) may not get, list and watch ",
        "virtualnodes.appmesh.k8s.aws",
        "pods",
    ] {
        assert!(line.contains(words), "{words:?} is not in {line}");
    }
    assert!(!line.contains(" secrets,"), "they are read by name: {line}");
    // Another test applies a role of the name that is printed.
    world.kubectl.run(&["apply", "-f", "-"], &role.replace("meshvet-reader", "audit-blind")).succeeds();
    let mut live = Live::start(command(reader, &["audit", "-n", "audit-blind", "--watch", "--secrets", "none"]));
    live.shows("---");
}

fn without_a_right_to_list_the_outcome_is_no_verdict() {
    let world = World::new("audit-nobody");
    let grant = [
        "-n",
        "audit-nobody",
        "create",
        "rolebinding",
        "audit-nobody",
        "--clusterrole=view",
        "--serviceaccount=audit-nobody:reader",
    ];
    let reader = limited(&world, "reader", &grant);
    let said = run(command(reader, &["audit", "-n", "audit-nobody", "-o", "json"]));
    assert_eq!(said.code, Some(2), "{said:?}");
    let json = said.json();
    let errors: Vec<&str> =
        json["errors"].as_array().expect("errors").iter().filter_map(|it| it["message"].as_str()).collect();
    let told = |words: &str| errors.iter().any(|error| error.contains(words));
    assert!(errors.len() == 1 && told("you (ServiceAccount audit-nobody/reader) may not list"), "{errors:?}");
    assert!(said.err.contains("kind: Role\nmetadata: {name: meshvet-reader, namespace: audit-nobody}"), "{said:?}");
}

fn progress_is_told_on_a_terminal() {
    World::new("audit-progress");
    let meshvet = format!("{} audit -A --kubeconfig {}", sandbox::meshvet().display(), admin(plane()).display());
    // `script` is a terminal to the command it runs.
    let output = Command::new("script")
        .args(["-qec", &meshvet, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .expect("script runs (Debian: bsdutils)");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("reading the cluster: ") && shown.contains(" objects ("), "{shown}");
    assert!(shown.contains("judged: "), "{shown}");
    let quiet = audit(plane(), &["-A"]);
    assert!(!quiet.err.contains("reading the cluster"), "nobody looks: {}", quiet.err);
    assert!(!quiet.err.starts_with("read "), "{}", quiet.err);
}

/// A command whose lines are read as they come: ends when dropped.
pub(crate) struct Live {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Live {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("meshvet starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line with this text.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(90));
            let line = line.unwrap_or_else(|error| panic!("{text:?} is not shown, {error}: {:#?}", self.seen));
            let found = line.contains(text);
            self.seen.push(line);
            if found {
                return;
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn a_live_view_follows_changes_until_it_is_interrupted() {
    let world = unwatched("audit-watch");
    world.has(misnamed(&world));
    let arguments = ["audit", "-n", "audit-watch", "--watch", "--secrets", "list"];
    let mut live = Live::start(command(admin(plane()), &arguments));
    live.shows("MV101 hostname-mismatch");
    live.shows("1 denial");
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    world.has([tls_secret("audit-watch", "web-tls", &issued)]);
    live.shows("nothing wrong");
    world.has(misnamed(&world));
    live.shows("MV101 hostname-mismatch");
    live.shows("1 denial");
    let interrupt = format!("kill -INT {}", live.child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().expect("sh runs").success());
    let status = live.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(1), "by what was seen last");

    let said = audit(plane(), &["--watch", "-o", "json"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("--watch shows text"), "{said:?}");
}

/// The answer to a GET of `/` from the probes of a meshvet there.
fn get(address: Ipv4Addr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((address, 8081))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET / HTTP/1.1\r\nHost: report\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn the_running_webhook_shows_the_cluster() {
    let world = unwatched("audit-served");
    world.has(misnamed(&world));
    let address = sandbox::pod_address();
    let mut serve = command(admin(plane()), &["serve", "--report", "--self-signed"]);
    serve.arg(format!("--listen={address}:8443")).arg(format!("--probe-listen={address}:8081"));
    let log = std::fs::File::create(plane().folder().join("audit-served.log")).expect("a file");
    let mut child = serve.stdin(Stdio::null()).stderr(log).spawn().expect("meshvet starts");
    let shown = eventually("the report shows the node", || {
        let page = get(address).map_err(|error| error.to_string())?;
        let shown = page.contains("\"namespace\":\"audit-served\"");
        if shown { Ok(page) } else { Err(page.chars().take(400).collect()) }
    });
    let _ = child.kill();
    let _ = child.wait();
    let (_, data) = shown.split_once("id=\"data\">").expect("the data");
    let data: Value = serde_json::from_str(data.split_once("</script>").expect("its end").0).expect("JSON");
    let findings = data["findings"].as_array().expect("findings");
    let told = findings.iter().any(|it| it["code"] == "MV101" && it["namespace"] == "audit-served");
    assert!(told, "the same findings as an audit's: {findings:#?}");
}

fn a_tree_shows_a_node_of_the_cluster() {
    let world = unwatched("audit-tree");
    world.has(misnamed(&world));
    let said = run(command(admin(plane()), &["tree", "web", "-n", "audit-tree"]));
    assert_eq!(said.code, Some(1), "it is broken: {said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[0], "virtual node audit-tree/web  ✗ broken");
    assert!(said.out.contains("├─ called by nobody that is known"), "{}", said.out);
    let said = run(command(admin(plane()), &["tree", "audit-tree/webb"]));
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("did you mean audit-tree/web?"), "{said:?}");
}

fn a_cluster_that_does_not_answer_is_told_with_what_to_do() {
    let path = plane().folder().join("nowhere.kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "nowhere",
        "contexts": [{"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}],
        "clusters": [{"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "nobody", "user": {"token": "hush-hush"}}],
    });
    std::fs::write(&path, config.to_string()).expect("a file");
    let said = run(command(path.clone(), &["audit", "-A"]));
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("the API server can't be reached: connection refused"), "{said:?}");
    assert!(said.err.contains("what to do: "), "{said:?}");
    assert!(!said.err.contains("hush"), "{said:?}");
    let said = run(command(path, &["audit", "-A", "--context", "prod"]));
    assert!(said.err.contains("no context \"prod\"; it has nowhere"), "{said:?}");
}

fn credentials_and_certificates_that_are_refused_are_told_in_words() {
    let stranger = plane().kubeconfig_for("stranger", "no-such-token");
    let config = std::fs::read_to_string(admin(plane())).expect("a kubeconfig");
    let mut config: Value = serde_saphyr::from_str(&config).expect("YAML");
    let cluster = config.pointer_mut("/clusters/0/cluster").and_then(Value::as_object_mut).expect("a cluster");
    cluster.remove("certificate-authority");
    let other = base64::engine::general_purpose::STANDARD.encode(Authority::new("Another root").pem());
    cluster.insert("certificate-authority-data".to_owned(), other.into());
    let untrusting = plane().folder().join("untrusting.kubeconfig");
    std::fs::write(&untrusting, config.to_string()).expect("a file");
    for (kubeconfig, words) in [
        (stranger, "the API server refused your credentials (401)"),
        (untrusting, "the API server's certificate isn't trusted: none of the kubeconfig's CAs issued it"),
    ] {
        for arguments in [&["audit", "-A"][..], &["tree", "shop/blue"], &["verify", "-A"], &["doctor"]] {
            let said = run(command(kubeconfig.clone(), arguments));
            let all = format!("{}{}", said.out, said.err);
            assert_eq!(said.code, Some(2), "{arguments:?}: {all}");
            assert!(all.contains(words) && all.contains("what to do: "), "{arguments:?}: {all}");
            for inside in ["ApiError", "Status {", "ServiceError", "UnknownIssuer", "no-such-token"] {
                assert!(!all.contains(inside), "{inside} {arguments:?}: {all}");
            }
        }
    }
}

fn a_cluster_without_the_mesh_is_no_success() {
    let plane = ControlPlane::start("audit-empty");
    let said = audit(&plane, &["-A"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("error: the cluster has no mesh object"), "{said:?}");
    assert!(said.err.contains("their CRDs aren't installed") && !said.out.contains("nothing wrong"), "{said:?}");
    let said = audit(&plane, &["-A", "--allow-empty"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

fn a_baseline_leaves_what_was_there() {
    let world = unwatched("audit-base");
    world.has(misnamed(&world));
    let file = plane().folder().join("audit-base.json");
    let file = file.to_str().expect("a path");
    let said = audit(plane(), &["-n", "audit-base", "--baseline", file, "--update-baseline"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = audit(plane(), &["-n", "audit-base", "--baseline", file]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("1 in the baseline"), "{said:?}");
    let page = audit(plane(), &["-n", "audit-base", "--baseline", file, "-o", "html"]);
    assert!(!page.out.contains("\"code\":\"MV101\""), "the page is of what is new");
    let said = audit(plane(), &["-n", "audit-base", "--baseline", file, "--update-baseline", "--watch"]);
    assert_eq!(said.code, Some(2), "{said:?}");
}
