//! `meshvet tree` on manifests: who calls a node, whom it calls, and with what.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::mesh::Mesh;

/// Runs `meshvet tree` beside a mesh of three, `mesh.json`, in a UTF-8 locale unless said otherwise.
fn tree(arguments: &[&str], locale: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    Mesh::of_three().write(&folder.path().join("mesh.json"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshvet"));
    command.arg("tree").args(arguments).current_dir(folder.path());
    for name in ["LC_ALL", "LC_CTYPE", "LANG", "KUBECONFIG"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", locale).output().expect("meshvet runs")
}

#[track_caller]
fn text(output: &Output) -> String {
    // Something of it is broken.
    text_with(output, 1)
}

#[track_caller]
fn text_with(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn a_node_is_shown_between_its_callers_and_what_it_calls() {
    let shown = text(&tree(&["shop/cart", "mesh.json"], "C.UTF-8"));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "virtual node shop/cart  ✓ sound");
    assert_eq!(lines[1], "│  known as cart.shop.svc.cluster.local");
    assert_eq!(lines[2], "│  runs in Deployment shop/cart");
    assert_eq!(lines[3], "├─ called by 1");
    assert_eq!(lines[4], "│  └─ ✓ sound  shop/front  listener 8443, TLS STRICT, by service shop/cart");
    let calls = lines.iter().position(|line| *line == "└─ calls 1").expect("what it calls");
    assert_eq!(lines[calls + 1], "   └─ ✗ broken  shop/catalog  listener 8443, TLS STRICT, by service shop/catalog");
    let below = lines[calls + 2..].join("\n");
    for part in [
        "server   presents DNS:catalog.shop.svc.cluster.local, issued by CN=Mesh root, expired ",
        "(5 days ago); key tls.crt of Secret shop/catalog-tls",
        "client   trusts CN=Mesh root expires ",
        "key ca.crt of Secret shop/cart-tls",
        "deny     MV207 certificate-expired: ",
        "fix      renew the certificate",
    ] {
        assert!(below.contains(part), "{part:?} is not in\n{below}");
    }
}

#[test]
fn where_the_locale_is_not_utf8_it_is_drawn_in_ascii() {
    for output in [tree(&["shop/cart", "mesh.json"], "C"), tree(&["shop/cart", "mesh.json", "--ascii"], "C.UTF-8")] {
        let shown = text(&output);
        assert!(shown.is_ascii(), "{shown}");
        assert!(shown.contains("|- called by 1\n|  `- sound  shop/front"), "{shown}");
    }
}

#[test]
fn it_is_told_as_json_too() {
    let json: Value =
        serde_json::from_str(&text(&tree(&["cart", "mesh.json", "-n", "shop", "-o", "json"], "C"))).expect("JSON");
    let node = &json["nodes"][0];
    assert_eq!((&node["name"], &node["state"]), (&"cart".into(), &"sound".into()));
    assert_eq!(node["calledBy"][0]["client"], "shop/front");
    let call = &node["calls"][0];
    assert_eq!(
        (&call["server"], &call["state"], &call["port"]),
        (&"shop/catalog".into(), &"broken".into(), &8443.into())
    );
    assert_eq!(call["serverEnd"]["shows"][0]["certificates"][0]["issuer"], "CN=Mesh root");
    assert_eq!(call["clientEnd"]["trusts"][0]["certificates"][0]["subject"], "CN=Mesh root");
    assert_eq!(call["findings"][0]["code"], "MV207");
}

#[test]
fn it_judges_as_of_another_time() {
    let shown = text(&tree(&["shop/cart", "mesh.json", "--now", "2100-01-01T00:00:00Z"], "C"));
    assert!(shown.contains("broken  shop/front"), "{shown}");
}

#[test]
fn an_unknown_node_leads_to_the_nearest() {
    for (arguments, words) in [
        (
            &["shop/crat", "mesh.json"][..],
            "there is no virtual node or gateway, Gateway or Ingress shop/crat; did you mean shop/cart?",
        ),
        (&["cart", "mesh.json"], "default/cart; did you mean shop/cart?"),
        (&["shop/x", "-"], "there is no virtual node or gateway, Gateway or Ingress at all"),
        (&["shop/cart", "mesh.json", "--context", "prod"], "--context"),
    ] {
        let output = tree(arguments, "C");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn a_gateway_is_shown_with_what_its_listeners_show() {
    let folder = tempfile::tempdir().expect("a folder");
    let issued = crate::support::mint::Authority::new("Edge root").leaf(&["shop.example.com"]).issue();
    let mut secret = crate::support::manifests::tls_secret("edge", "shop-tls", &issued);
    secret["type"] = "kubernetes.io/tls".into();
    let gateways = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/gateway");
    std::fs::write(folder.path().join("secret.json"), secret.to_string()).expect("a file");
    let shown = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshvet"));
        command.args(["tree", name, gateways, "secret.json"]).current_dir(folder.path()).env("LC_ALL", "C.UTF-8");
        text_with(&command.output().expect("meshvet runs"), 0)
    };
    let sound = shown("edge/shop");
    assert!(sound.starts_with("gateway edge/shop  ✓ sound\n└─ listener shop  https on port 443\n"), "{sound}");
    assert!(sound.contains("presents DNS:shop.example.com, issued by CN=Edge root, expires "), "{sound}");
    let absent = shown("edge/news");
    for part in
        ["├─ listener news", "└─ listener archive", "Secret edge/news-tls isn't there", "warn     MV202 file-missing"]
    {
        assert!(absent.contains(part), "{part:?} is not in\n{absent}");
    }
}
