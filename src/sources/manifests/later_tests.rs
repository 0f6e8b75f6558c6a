use super::*;
use crate::mesh::{StoreState, View};
use crate::sources::manifests::{Manifests, load_texts};
use serde_json::json;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";

/// What fills in a value of a Secret's `stringData`, and of its `data`.
#[track_caller]
fn fills(text: &str, plain: Option<&str>, base64: Option<&str>) {
    let fillers = Fillers::default();
    assert_eq!(fillers.fill(text, false), plain, "{text}");
    assert_eq!(fillers.fill(&STANDARD.encode(text), true), base64, "{text} in base64");
}

#[test]
fn what_is_fetched_from_elsewhere_is_so_in_base64_too() {
    let cases = [
        ("<path:secret/data/depot/ledger#tls.crt>", ARGO),
        ("<path:secret/data/depot/ledger#tls.crt#2 | base64decode>", ARGO),
        ("prefix <path:secret/data/x#key> suffix", ARGO),
        ("<tls-key>\n", ARGO),
        ("<tls_key | base64encode>", ARGO),
        ("ref+vault://secret/ledger#/tls.crt", VALS),
        ("secretref+awssecrets://ledger/tls.crt", VALS),
        ("vault:secret/data/ledger#tls.crt", BANK),
        (">>vault:pki/ledger#certificate", BANK),
        ("$ANSIBLE_VAULT;1.1;AES256\n6238\n", ANSIBLE),
        ("!vault secret/ledger", ANSIBLE),
    ];
    for (text, filler) in cases {
        fills(text, Some(filler), Some(filler));
    }
}

#[test]
fn what_is_replaced_in_files_is_not_so_in_base64() {
    for (text, filler) in [
        ("${ledger_crt}", VARIABLES),
        ("-----BEGIN CERTIFICATE-----\n${BODY:=none}\n", VARIABLES),
        ("${vault:secret/data/ledger#tls.crt}", BANK),
        ("{{ .Values.tls.crt | b64enc }}", TEMPLATE),
    ] {
        fills(text, Some(filler), None);
        assert_eq!(Fillers::default().fill(text, true), Some(filler), "{text} in place of base64");
    }
}

#[test]
fn a_value_that_is_there_is_filled_in_by_nobody() {
    let texts = [
        CERTIFICATE,
        "",
        "not a certificate\n",
        "a < b > c",
        "<a b>",
        "<path:x>",
        "<>",
        "$HOME",
        "ref+x",
        "a: vault:b",
    ];
    texts.into_iter().for_each(|text| fills(text, None, None));
    fills("<html><body>x</body></html>", None, None);
    // Several in one value: recognized if the object names the plugin.
    let text = "<ca-1>\n<ca-2>\n";
    fills(text, None, None);
    assert_eq!(Fillers { argo: true, sops: false }.fill(text, false), Some(ARGO));
}

#[test]
fn what_sops_encrypted_is_so_where_its_block_stands() {
    let text = "ENC[AES256_GCM,data:Zq2m,iv:5m8n,tag:kQ0v,type:str]";
    assert_eq!(Fillers { sops: true, argo: false }.fill(text, true), Some(SOPS));
    fills(text, None, None);
    let without = manifest("Secret", json!({"data": {"tls.crt": text}}));
    assert_eq!(load(&[without]).undecodable.len(), 1);
}

fn manifest(kind: &str, fields: Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "tls", "namespace": "shop"}});
    object.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
    object
}

fn load(objects: &[Value]) -> Manifests {
    let texts: Vec<(String, String)> =
        objects.iter().enumerate().map(|(at, object)| (format!("{at}.json"), object.to_string())).collect();
    load_texts(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())), "default")
}

/// What is known of the store: its own keys, and those of the promise.
fn known(objects: &[Value], kind: StoreKind) -> (Vec<String>, Option<Vec<String>>) {
    let manifests = load(objects);
    assert!(manifests.undecodable.is_empty() && manifests.problems.is_empty(), "{manifests:?}");
    let key = StoreKey::new(kind, "shop", "tls");
    let view = View::new(&manifests.world);
    let store = match view.store(&key) {
        StoreState::Present(store) => store,
        _ => std::sync::Arc::default(),
    };
    let there = store.files.keys().map(str::to_owned).collect();
    let promised = view.filled_in_later(&key, &store).map(|made| match &made.keys {
        Some(keys) => keys.keys().cloned().collect(),
        None => vec!["?".to_owned()],
    });
    (there, promised)
}

fn texts(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

#[test]
fn values_that_are_there_count_beside_those_that_are_filled_in() {
    let secret = manifest(
        "Secret",
        json!({
            "data": {"ca.crt": STANDARD.encode(CERTIFICATE), "tls.crt": STANDARD.encode(CERTIFICATE), "spare": "<spare>"},
            "stringData": {"tls.key": "${KEY}", "tls.crt": "${CRT}", "spare": "given"},
        }),
    );
    let all = Some(texts(&["ca.crt", "spare", "tls.crt", "tls.key"]));
    assert_eq!(known(&[secret], StoreKind::Secret), (texts(&["ca.crt", "spare"]), all));
    let map = manifest("ConfigMap", json!({"data": {"ca.crt": "${CA}", "mode": "strict"}}));
    assert_eq!(known(&[map], StoreKind::ConfigMap), (texts(&["mode"]), Some(texts(&["ca.crt", "mode"]))));
}

#[test]
fn keys_that_are_filled_in_are_not_known() {
    let whole = manifest("Secret", json!({"data": "${DATA}"}));
    assert_eq!(known(&[whole], StoreKind::Secret), (vec![], Some(texts(&["?"]))));
    let one = manifest("Secret", json!({"stringData": {"${NAME}.crt": "${CRT}"}}));
    assert_eq!(known(&[one], StoreKind::Secret), (vec![], Some(texts(&["?"]))));
}

#[test]
fn of_two_of_one_name_the_later_counts() {
    let there = manifest("Secret", json!({"stringData": {"tls.crt": CERTIFICATE}}));
    let later = manifest("Secret", json!({"stringData": {"tls.crt": "${CRT}"}}));
    let both = [there.clone(), later.clone()];
    assert_eq!(load(&both).notes.len(), 1);
    assert_eq!(known(&both, StoreKind::Secret), (vec![], Some(texts(&["tls.crt"]))));
    assert_eq!(known(&[later, there], StoreKind::Secret), (texts(&["tls.crt"]), None));
}

#[test]
fn what_is_wrong_beside_it_is_still_told() {
    let secret = manifest("Secret", json!({"data": {"tls.crt": "${CRT}", "tls.key": "no base64!"}}));
    let manifests = load(&[secret]);
    let errors: Vec<_> = manifests.undecodable.iter().map(|it| it.error.field.pointer().to_owned()).collect();
    assert_eq!(errors, ["/data/tls.key"]);
}

#[test]
fn a_file_for_kustomize_may_be_encrypted_as_a_whole() {
    assert!(is_filled_in(b"{\"data\": \"ENC[AES256_GCM,data:Zq2m,iv:5m8n,tag:kQ0v,type:str]\", \"sops\": {}}"));
    assert!(is_filled_in(b"<path:secret/data/x#key>"));
    assert!(!is_filled_in(CERTIFICATE.as_bytes()) && !is_filled_in(b"\xff\x00"));
}
