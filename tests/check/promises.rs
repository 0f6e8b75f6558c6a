//! Repositories without a Secret: what objects in them will make, and what kustomize would.

use serde_json::json;

use crate::run::{BLUE, Folder, GREEN, NODE, WORKLOAD, codes};

/// A cert-manager Certificate that fills the Secret which the Deployment mounts.
fn certificate(name: &str) -> String {
    format!(
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {{name: blue, namespace: shop}}\n\
         spec:\n  secretName: blue-cert\n  dnsNames: [{name}]\n  issuerRef: {{name: shop-ca, kind: Issuer}}\n"
    )
}

/// A repository that holds no Secret: the sound node and workload, and this.
fn repository(file: &str, content: &str) -> Folder {
    let folder = Folder::empty();
    folder.write("apps/node.yaml", NODE);
    folder.write("apps/workload.yaml", WORKLOAD);
    folder.write(file, content);
    folder
}

#[test]
fn a_repository_without_secrets_is_judged_by_what_makes_them() {
    let sealed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: blue-cert, namespace: shop}\n\
                  spec: {encryptedData: {tls.crt: AgB, tls.key: AgB}}\n";
    let external = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: blue-cert, namespace: shop}\n\
                    spec: {dataFrom: [{extract: {key: blue}}]}\n";
    for made in [certificate("blue.apps.local"), sealed.to_owned(), external.to_owned()] {
        let ran = repository("secrets/blue.yaml", &made).run(&["check", "."]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.out.contains("nothing wrong"), "{ran:?}");
    }
    let ran = repository("README.md", "").run(&["check", "."]);
    assert!(ran.out.contains("Secret shop/blue-cert doesn't exist"), "{ran:?}");
}

#[test]
fn what_a_promise_shows_wrong_is_a_warning_that_names_its_object_and_field() {
    let folder = repository("secrets/blue.yaml", &certificate("green.apps.local"));
    let (code, json) = folder.json(&[]);
    assert_eq!((code, codes(&json)), (Some(0), vec!["MV101".to_owned()]), "{json:#}");
    let finding = &json["findings"][0];
    assert_eq!((&finding["severity"], &finding["file"]), (&json!("warn"), &json!("apps/node.yaml")), "{json:#}");
    for (field, words) in [
        ("message", "key tls.crt of Secret shop/blue-cert promised by Certificate shop/blue"),
        ("found", "DNS:green.apps.local"),
        ("fix", "spec.dnsNames of Certificate shop/blue"),
    ] {
        assert!(finding[field].as_str().is_some_and(|text| text.contains(words)), "{field}: {finding:#}");
    }
    assert_eq!(folder.json(&["--fail-on", "warn"]).0, Some(1));
}

#[test]
fn a_certificate_in_another_namespace_is_named() {
    let elsewhere = certificate("blue.apps.local").replace("namespace: shop", "namespace: till");
    let ran = repository("secrets/blue.yaml", &elsewhere).run(&["check", "."]);
    assert!(
        ran.out.contains("MV202") && ran.out.contains("Certificate till/blue makes Secret till/blue-cert"),
        "{ran:?}"
    );
}

#[test]
fn an_object_that_can_not_be_read_is_named() {
    let broken = certificate("x").replace("dnsNames: [x]", "dnsNames: blue.apps.local");
    let (_, json) = repository("secrets/blue.yaml", &broken).json(&[]);
    let finding = &json["findings"][0];
    assert_eq!((&finding["code"], &finding["file"]), (&json!("MV006"), &json!("secrets/blue.yaml")), "{json:#}");
    assert_eq!(finding["object"]["kind"], "Certificate");
}

/// The sound repository for kustomize, whose Secret is generated from files beside it.
fn kustomized(chain: &str, key: &str) -> Folder {
    let generator = "resources: [apps/node.yaml, apps/workload.yaml]\nnamespace: shop\nsecretGenerator:\n\
                     - {name: blue-cert, files: [tls.crt, tls.key]}\n";
    let folder = repository("kustomization.yaml", generator);
    folder.write("tls.crt", chain);
    folder.write("tls.key", key);
    folder
}

#[test]
fn a_generated_secret_is_judged_by_its_files() {
    let ran = kustomized(&BLUE.chain, &BLUE.key).run(&["check", "."]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("nothing wrong") && ran.err.contains("kustomize build . | meshvet check -"), "{ran:?}");
    let (code, json) = kustomized(&GREEN.chain, &GREEN.key).json(&[]);
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV101".to_owned()]), "{json:#}");
    assert!(!json.to_string().contains("PRIVATE KEY"), "{json:#}");
    // The files aren't here yet: they may be fetched before it is built.
    let folder = kustomized("", "");
    std::fs::remove_file(folder.path().join("tls.key")).expect("a file");
    assert_eq!(codes(&folder.json(&[]).1), [""; 0]);
    // A key that is in no list will not be there either.
    folder.write(
        "kustomization.yaml",
        "namespace: shop\nsecretGenerator: [{name: blue-cert, files: [chain.pem=tls.crt, tls.key]}]\n",
    );
    let ran = folder.run(&["check", "."]);
    assert!(ran.out.contains("Kustomization . will make Secret shop/blue-cert without the key tls.crt"), "{ran:?}");
    assert!(ran.out.contains("secretGenerator[].files"), "{ran:?}");
}

#[test]
fn a_kustomization_is_no_error_and_its_patches_are_no_objects() {
    let folder = Folder::empty();
    folder.write("base/node.yaml", NODE.replace("  namespace: shop\n", ""));
    folder.write("base/kustomization.yaml", "resources: [node.yaml]\n");
    let patch =
        "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNode\nmetadata: {name: blue}\nspec: {listeners: []}\n";
    for overlay in ["dev", "prod"] {
        folder.write(&format!("{overlay}/listeners.yaml"), patch);
        folder.write(
            &format!("{overlay}/kustomization.yaml"),
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\npatches: [{path: listeners.yaml}]\n",
        );
    }
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("1 object judged") && !ran.out.contains("error"), "{ran:?}");
    for words in [
        "2 folders are built by kustomize: dev, prod.",
        "without 2 patch files",
        "kustomize build dev | meshvet check -",
    ] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
    // By its name too.
    let ran = folder.run(&["check", "dev/listeners.yaml"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.out.contains("kustomize build dev | meshvet check -"), "{ran:?}");
    let ran = folder.run_with(&["check", "-"], "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("kustomize build DIR"), "{ran:?}");
}

#[test]
fn nothing_outside_its_folder_is_read_for_a_generator() {
    let folder = kustomized("", "");
    folder.write("secret/tls.crt", &GREEN.chain);
    folder.write(
        "app/kustomization.yaml",
        "namespace: shop\nsecretGenerator: [{name: blue-cert, files: [../secret/tls.crt, tls.key]}]\n",
    );
    folder.write("app/tls.key", &GREEN.key);
    std::fs::remove_file(folder.path().join("kustomization.yaml")).expect("a file");
    assert_eq!(codes(&folder.json(&[]).1), [""; 0]);
}

#[test]
fn a_secret_that_is_filled_in_later_is_promised_and_never_printed() {
    let secret =
        |data: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: blue-cert, namespace: shop}}\n{data}");
    for data in [
        "data: {tls.crt: '${BLUE_CRT}', tls.key: '${BLUE_KEY}'}\n",
        "stringData: {tls.crt: '<path:secret/data/blue#BLUE_CRT>', tls.key: '<BLUE_KEY>'}\n",
        "stringData:\n  tls.crt: ref+vault://BLUE_CRT\n  tls.key: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    6238\n",
    ] {
        let ran = repository("secrets/blue.yaml", &secret(data)).run(&["check", "."]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.out.contains("nothing wrong"), "{ran:?}");
    }
    let folder = repository("secrets/blue.yaml", &secret("data: {tls.crt: '${BLUE_CRT}', key: '${BLUE_KEY}'}\n"));
    let (code, json) = folder.json(&[]);
    assert_eq!((code, codes(&json)), (Some(0), vec!["MV202".to_owned()]), "{json:#}");
    let message = "Secret shop/blue-cert, which is filled in later (variables), has no key tls.key";
    assert!(json["findings"][0]["message"].as_str().is_some_and(|text| text.starts_with(message)), "{json:#}");
    assert!(!json.to_string().contains("BLUE_"), "{json:#}");
}

#[test]
fn a_value_that_is_there_counts_beside_one_that_is_filled_in_later() {
    let chain = GREEN.chain.replace('\n', "\n    ");
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: blue-cert, namespace: shop}}\n\
         stringData:\n  tls.key: ${{BLUE_KEY}}\n  tls.crt: |\n    {chain}\n"
    );
    let (code, json) = repository("secrets/blue.yaml", &secret).json(&[]);
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV101".to_owned()]), "{json:#}");
}
