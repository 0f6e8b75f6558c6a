//! A cluster at its worst: whatever happens to meshvet, to what it watches and to what lies between, no verdict is wrong, and
//! afterwards it knows the cluster as it is.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use hyper::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::replica::Replica;
use crate::sandbox::{API_SERVER, eventually};
use crate::support::manifests::{self, secret, tls_secret, virtual_node, virtual_service};
use crate::support::mint::Authority;
use crate::world::{self, World};

tests![no_verdict_is_wrong_and_the_caches_equal_the_cluster_in_the_end];

const NAMESPACE: &str = "chaos";
/// How long the storm of Secrets lasts, and how many there are.
const STORM: Duration = Duration::from_secs(8);
const SECRETS: usize = 200;
/// Who writes them, side by side.
const WRITERS: usize = 32;
/// How long an API server may need to get over an outage.
const RECOVERY: Duration = Duration::from_secs(5);

fn no_verdict_is_wrong_and_the_caches_equal_the_cluster_in_the_end() {
    let mut plane = ControlPlane::start("chaos");
    world::install_crds(&plane);
    Installation::of_deploy(&plane);
    let world = World::on(&plane, NAMESPACE);
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    world.has([tls_secret(NAMESPACE, "web-tls", &issued), manifests::deployment(NAMESPACE, "web", "web-tls:/certs")]);
    let sound = virtual_node(NAMESPACE, "web", &world.hostname("web"));
    let broken = virtual_node(NAMESPACE, "web", "web.elsewhere.local");

    let line = Line::to(plane.port());
    let installation = Installation::copy_for(&plane, NAMESPACE, "Fail");
    let [mut first, mut second] = ["0", "1"].map(|name| installation.start_through(name, line.port));
    installation.route_to(&[&first, &second]);
    installation.wait_until_judging(NAMESPACE);
    world.knows(&sound);
    let (began, verdicts) = (Instant::now(), Verdicts::start(&plane, &sound, &broken));
    verdicts.wait_for(20);
    equal(&[&first, &second]);

    // Watches notice it, and so does whatever is read afresh just then.
    for _ in 0..5 {
        line.cut();
        verdicts.wait_for(10);
    }
    world.has([virtual_service(NAMESPACE, "cut", "web")]);
    verdicts.wait_for(10);
    equal(&[&first, &second]);

    println!("{:.0} updates of Secrets a second", storm(&plane));
    verdicts.wait_for(10);
    equal(&[&first, &second]);

    // A Secret can't be read afresh in these spans, nor in what an API server needs to get over it.
    let mut outages = Vec::new();
    let paused = Instant::now();
    plane.pause_etcd(|| std::thread::sleep(Duration::from_secs(4)));
    outages.push(paused..Instant::now() + RECOVERY);
    verdicts.wait_for(10);

    // A policy that can't be read changes nothing, and the next good one holds.
    for replica in [&first, &second] {
        let policy = |text: &str| replica.update_volume("policy", &vec![("config.yaml".to_owned(), text.into())]);
        policy("severities: {hostname-missmatch: off}\n");
        eventually("the broken policy is noticed", || {
            let log = replica.log();
            if log.contains("hostname-missmatch") { Ok(()) } else { Err(log) }
        });
        verdicts.wait_for(10);
        policy("severities: {MV101: deny}\n");
    }
    verdicts.wait_for(10);

    // One ends without a word, the other as the kubelet ends it: under load, and in the middle of another storm.
    let third = std::thread::scope(|scope| {
        let storm = scope.spawn(|| storm(&plane));
        second.kill();
        installation.route_to(&[&first]);
        verdicts.wait_for(10);
        let third = installation.start_through("2", line.port);
        installation.route_to(&[&first, &third]);
        verdicts.wait_for(10);
        first.terminate();
        installation.route_to(&[&third]);
        println!("{:.0} of them meanwhile", storm.join().expect("the storm ends"));
        third
    });
    assert!(first.wait_until_ended().success(), "{}", first.log());
    verdicts.wait_for(20);
    equal(&[&third]);

    let stopped = Instant::now();
    plane.restart_api_server(|plane| {
        // What happens while nobody can tell.
        plane.delete_raw(&format!("/registry/secrets/{NAMESPACE}/storm-0"));
        plane.delete_raw(&format!("/registry/appmesh.k8s.aws/virtualservices/{NAMESPACE}/cut"));
    });
    outages.push(stopped..Instant::now() + RECOVERY);
    verdicts.wait_for(20);
    equal(&[&third]);

    let (right, Told { unanswered, doubtful, wrong }) = verdicts.end();
    println!(
        "{right} verdicts, all of them right; {unanswered} requests without one; {} not confirmed",
        doubtful.len()
    );
    assert!(wrong.is_empty(), "{} wrong verdicts, the first of them:\n{}", wrong.len(), wrong[0]);
    for (at, words) in doubtful {
        let nobody_could_tell = outages.iter().any(|outage| outage.contains(&at));
        assert!(nobody_could_tell, "the Secret could be read {:?} after the start: {words}", at - began);
    }
}

/// What these replicas know is what is in the cluster, within a minute: they are asked to compare, as an operator would.
#[track_caller]
fn equal(replicas: &[&Replica]) {
    for replica in replicas {
        eventually("the caches equal the cluster", || {
            let outcomes = |log: &str| log.matches("caches").count();
            let before = outcomes(&replica.log());
            replica.signal("USR1");
            eventually("the outcome is told", || {
                let log = replica.log();
                if outcomes(&log) > before { Ok(()) } else { Err(log) }
            });
            let log = replica.log();
            let last = log.lines().rfind(|line| line.contains("caches")).unwrap_or_default().to_owned();
            if last.contains("the caches match the cluster") { Ok(()) } else { Err(last) }
        });
        let metrics = replica.get("/metrics").expect("metrics");
        assert!(metrics.contains("meshvet_cache_differences 0\n"), "{metrics}");
    }
}

/// Writes Secrets as fast as the machine lets it, each with another value each time: how many a second.
fn storm(plane: &ControlPlane) -> f64 {
    let kubeconfig = plane.folder().join("kubeconfig");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (started, written) = (Instant::now(), AtomicUsize::new(0));
    runtime.block_on(async {
        let client = client(&kubeconfig).await;
        let write = async |writer: usize| {
            for round in 0_usize.. {
                for number in (writer..SECRETS).step_by(WRITERS) {
                    if started.elapsed() > STORM {
                        return;
                    }
                    let name = format!("storm-{number}");
                    let secret = secret(NAMESPACE, &name, &[("value", &format!("{round} of {number}"))]);
                    let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/{name}");
                    // Made where it isn't there yet, then replaced, which costs an API server less.
                    let request = match round {
                        0 => Request::patch(format!("{path}?fieldManager=storm&force=true"))
                            .header("content-type", "application/apply-patch+yaml"),
                        _ => Request::put(path).header("content-type", "application/json"),
                    };
                    let request = request.body(secret.to_string().into_bytes()).expect("a request");
                    client.request_text(request).await.expect("a Secret is written");
                    written.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        futures::future::join_all((0..WRITERS).map(write)).await;
    });
    f64::from(u32::try_from(written.into_inner()).expect("few")) / started.elapsed().as_secs_f64()
}

async fn client(kubeconfig: &std::path::Path) -> kube::Client {
    let config = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
    kube::Client::try_from(config.expect("a configuration")).expect("a client")
}

/// Dry runs of a sound node and a broken one in turn, whose verdicts are known.
struct Verdicts {
    right: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Told>,
}

impl Verdicts {
    fn start(plane: &ControlPlane, sound: &Value, broken: &Value) -> Self {
        let (right, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let kubeconfig = plane.folder().join("kubeconfig");
        let bodies = [sound, broken].map(|node| node.to_string().into_bytes());
        let (counter, flag) = (Arc::clone(&right), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = client(&kubeconfig).await;
                let mut told = Told::default();
                for turn in 0_usize.. {
                    if flag.load(Ordering::Relaxed) {
                        break;
                    }
                    let is_sound = turn.is_multiple_of(2);
                    match ask(&client, bodies[turn % 2].clone()).await {
                        Said::Passes(_) if is_sound => drop(counter.fetch_add(1, Ordering::Relaxed)),
                        Said::Denies(why) if !is_sound && why.contains("MV101") => {
                            counter.fetch_add(1, Ordering::Relaxed);
                        }
                        // What a denial rests on could not be read: then it warns, and says why.
                        Said::Passes(warnings) if warnings.contains("MV101") && warnings.contains("not confirmed") => {
                            told.doubtful.push((Instant::now(), warnings));
                        }
                        Said::Passes(words) | Said::Denies(words) => {
                            told.wrong.push(format!("sound: {is_sound}: {words}"));
                        }
                        Said::Nothing => {
                            told.unanswered += 1;
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    }
                }
                told
            })
        });
        Self { right, stop, thread }
    }

    /// Waits until so many more verdicts have been given, right ones.
    #[track_caller]
    fn wait_for(&self, count: usize) {
        let from = self.right.load(Ordering::Relaxed);
        eventually("verdicts go on", || {
            let more = self.right.load(Ordering::Relaxed) - from;
            if more >= count { Ok(()) } else { Err(format!("{more} of {count}")) }
        });
    }

    /// How many verdicts were right, and what else was said.
    fn end(self) -> (usize, Told) {
        self.stop.store(true, Ordering::Relaxed);
        let told = self.thread.join().expect("the stream ends");
        (self.right.load(Ordering::Relaxed), told)
    }
}

/// What else was said than the right verdicts.
#[derive(Default)]
struct Told {
    /// Requests without a verdict.
    unanswered: usize,
    /// Denials that were not confirmed, when they came, and their words.
    doubtful: Vec<(Instant, String)>,
    wrong: Vec<String>,
}

/// What one request was told.
enum Said {
    /// It passes, with these warnings.
    Passes(String),
    /// It is denied by meshvet, with these words.
    Denies(String),
    /// Nobody judged it.
    Nothing,
}

async fn ask(client: &kube::Client, body: Vec<u8>) -> Said {
    let path = format!("/apis/appmesh.k8s.aws/v1beta2/namespaces/{NAMESPACE}/virtualnodes?dryRun=All");
    let request = Request::post(path).header("content-type", "application/json").body(body.into());
    let Ok(response) = client.send(request.expect("a request")).await else { return Said::Nothing };
    let (head, body) = response.into_parts();
    let warnings = head.headers.get_all("warning").iter().map(|it| String::from_utf8_lossy(it.as_bytes())).collect();
    if head.status.is_success() {
        return Said::Passes(warnings);
    }
    let Ok(body) = body.collect().await else { return Said::Nothing };
    let words = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    if words.contains("denied the request") { Said::Denies(words) } else { Said::Nothing }
}

/// What lies between meshvet and the API server, and can be cut.
pub(crate) struct Line {
    pub(crate) port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
    /// How often it has begun to swallow what its connections carry.
    swallowed: Arc<AtomicUsize>,
}

impl Line {
    /// A line to the API server at this port. It has the server's address, for which its certificate is.
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind((API_SERVER, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (open, swallowed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (streams, times) = (Arc::clone(&open), Arc::clone(&swallowed));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(SocketAddr::from((API_SERVER, server))) else { continue };
                streams
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend([&near, &far].map(|it| it.try_clone().unwrap()));
                for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    let (times, before) = (Arc::clone(&times), times.load(Ordering::Relaxed));
                    std::thread::spawn(move || pass_on(from, to, || times.load(Ordering::Relaxed) > before));
                }
            }
        });
        Self { port, open, swallowed }
    }

    /// From now on swallows what the connections carry that are open: nobody is told that they are dead. New ones go through.
    pub(crate) fn swallow(&self) {
        self.swallowed.fetch_add(1, Ordering::Relaxed);
    }

    /// Cuts all connections; new ones go through.
    pub(crate) fn cut(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, is_swallowed: impl Fn() -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !is_swallowed() && to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
