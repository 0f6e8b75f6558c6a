//! Words and outcomes that commands share: what is accepted, what is empty, what a reader who has gone is spared.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::plugin::KUBECTL;
use crate::run::{BLUE, Folder, GREEN, NODE, WORKLOAD, codes, secret};

#[test]
fn nothing_of_a_mesh_is_no_success_unless_that_is_expected() {
    let folder = Folder::empty();
    folder.write("workload.yaml", WORKLOAD);
    folder.write("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n");
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("error: no mesh object among 3 objects: nothing was judged"), "{ran:?}");
    assert!(
        ran.out.contains("1 object judged: no mesh object among them") && !ran.out.contains("nothing wrong"),
        "{ran:?}"
    );
    let ran = folder.run(&["check", ".", "--allow-empty"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let ran = Folder::empty().run(&["check", ".", "--allow-empty"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // An object that can't be read is one all the same.
    folder.write("node.yaml", NODE.replace("port: 8443", "port: a"));
    assert_eq!(folder.run(&["check", "."]).code, Some(1));
}

#[test]
fn severities_and_formats_are_taken_in_the_words_of_every_command() {
    let folder = Folder::with(&NODE.replace("mode: STRICT", "mode: STRICT\n        modee: x"), &BLUE);
    for word in ["warn", "warning", "WARN", "Warning"] {
        assert_eq!(folder.run(&["check", ".", "--fail-on", word]).code, Some(1), "{word}");
    }
    for word in ["deny", "DENY", "error", "denial", "failed"] {
        assert_eq!(folder.run(&["check", ".", "--fail-on", word]).code, Some(0), "{word}");
        for command in [&["verify"][..], &["doctor"], &["tree", "shop/blue"], &["audit"]] {
            // Past the arguments: there is no such kubeconfig.
            let ran = folder.run(&[command, &["--fail-on", word, "--kubeconfig", "none"]].concat());
            assert!(!ran.err.contains("invalid value"), "{command:?} {word}: {ran:?}");
        }
    }
    let ran = folder.run(&["check", ".", "-o", "JSON"]);
    assert_eq!(codes(&serde_json::from_str(&ran.out).expect("JSON")), ["MV001"], "{ran:?}");
}

#[test]
fn a_time_may_be_a_date_alone() {
    let folder = Folder::sound();
    for time in [["--now", "2099-01-01"], ["--at", "2099-01-01"], ["--at", "2099-01-01T00:00:00Z"]] {
        let (code, json) = folder.json(&time);
        assert_eq!((code, codes(&json).first().map(String::as_str)), (Some(1), Some("MV207")), "{time:?} {json:#}");
    }
    let ran = folder.run(&["check", ".", "--now", "tomorrow"]);
    assert!(ran.code == Some(2) && ran.err.contains("expected a date, such as 2027-01-01"), "{ran:?}");
}

#[test]
fn files_are_taken_as_kubectl_takes_them() {
    let folder = Folder::with(NODE, &GREEN);
    for arguments in [
        &["check", "-f", "node.yaml", "-f", "workload.yaml", "-f", "secret.yaml", "-o", "json"][..],
        &["check", "--filename=node.yaml,workload.yaml,secret.yaml", "-o", "json"],
        &["check", "node.yaml", "-f", "workload.yaml,secret.yaml", "-o", "json"],
    ] {
        let ran = folder.run(arguments);
        assert_eq!(codes(&serde_json::from_str(&ran.out).expect("JSON")), ["MV101"], "{arguments:?}: {ran:?}");
    }
    let text = format!("{NODE}---\n{WORKLOAD}");
    let ran = folder.run_with(&["check", "-f", "-", "-f", "secret.yaml"], &text);
    assert!(ran.out.contains("MV101"), "{ran:?}");
    let ran = folder.run(&["tree", "shop/blue", "-f", "."]);
    assert!(ran.out.contains("shop/blue"), "{ran:?}");
    let ran = folder.run(&["try", "-f", "."]);
    assert!(ran.out.contains("MV101"), "{ran:?}");
}

#[test]
fn a_tree_of_something_broken_is_no_success() {
    let broken = Folder::with(NODE, &GREEN);
    let ran = broken.run(&["tree", "shop/blue", "."]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let sound = Folder::sound();
    let ran = sound.run(&["tree", "shop/blue", ".", "--fail-on", "warn"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = sound.run(&["tree", "shop/red", "."]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn statistics_count_findings_by_rule() {
    let folder =
        Folder::with(&NODE.replace("mode: STRICT", "mode: STRICT\n        modee: x\n        moode: y"), &GREEN);
    let ran = folder.run(&["check", ".", "--statistics"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(1), "2  warn  MV001 unknown-field\n1  deny  MV101 hostname-mismatch\n3 findings in 2 objects\n"),
        "{ran:?}"
    );
    let ran = folder.run(&["check", ".", "--statistics", "-o", "json"]);
    let rows: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(
        (&rows[0]["code"], &rows[0]["count"], &rows[1]["deny"]),
        (&"MV001".into(), &2.into(), &1.into()),
        "{rows:#}"
    );
    let ran = folder.run(&["check", ".", "--statistics", "-o", "sarif"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn a_policy_that_is_wrong_is_named_by_line_and_column_in_words_of_yaml() {
    let folder = Folder::sound();
    let told = |text: &str, words: &str| {
        folder.write("policy.yml.txt", text);
        let ran = folder.run(&["check", ".", "--config", "policy.yml.txt"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(&format!("because: policy.yml.txt:{words}")), "{text}: {ran:?}");
        for inside in ["Options", "variant", "struct ", "u32", "i64", "sequence", "invalid type", "<input>"] {
            assert!(!ran.err.contains(inside), "{inside}: {ran:?}");
        }
    };
    told(
        "severities:\n  MV101: wran\n",
        "2:10: severities.MV101: `wran` is not one of off, warn, deny; did you mean `warn`?",
    );
    told("severitys: {}\n", "1:1: severitys: unknown key; did you mean `severities`?");
    told(
        "severities:\n  hostname-missmatch: warn\n",
        "2:3: severities: meshvet has no rule \"hostname-missmatch\"; did you mean",
    );
    told(
        "thresholds:\n  expiringDays: many\n",
        "2:17: thresholds.expiringDays: expected a whole number of 0 or more, found",
    );
    told("thresholds: 5\n", "1:13: thresholds: expected a mapping, found");
    told("scopes: {a: b}\n", "1:9: scopes: expected a list, found");
    told("severities: {MV101: warn,\n  MV101: deny}\n", "2:3: the key `MV101` is a duplicate");
    told("severities: {MV101: [\n", "1:21: unclosed bracket");
    told("ignore: {denials: yes}\n", "1:19: ignore.denials: expected a boolean, found");
}

#[test]
fn the_policys_schema_names_the_rules() {
    let ran = Folder::empty().run(&["schema"]);
    let schema: Value = serde_json::from_str(&ran.out).expect("JSON");
    let names = schema.pointer("/properties/severities/propertyNames/enum").and_then(Value::as_array).expect("names");
    for name in ["MV101", "hostname-mismatch", "MV1xx", "names", "all"] {
        assert!(names.contains(&name.into()), "{name}");
    }
    let of_scope = schema.pointer("/$defs/Scope/properties/severities/propertyNames/enum");
    assert_eq!(of_scope.and_then(Value::as_array), Some(names));
}

#[test]
fn serving_without_options_names_the_way_to_begin() {
    let ran = Folder::empty().run(&["serve"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for option in ["--self-signed", "--managed-certificate", "--tls-cert", "what to do: meshvet serve --self-signed"] {
        assert!(ran.err.contains(option), "{ran:?}");
    }
}

#[test]
fn a_cluster_that_cannot_be_asked_is_told_in_words_of_the_person() {
    let folder = Folder::empty();
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
        clusters:\n- {name: a, cluster: {server: \"https://127.0.0.1:1\"}}\n- {name: b, cluster: {server: \"https://no.invalid\"}}\n\
        users:\n- {name: me, user: {token: hush}}\n\
        - {name: ex, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-command, interactiveMode: Never}}}\n\
        contexts:\n- {name: a, context: {cluster: a, user: me}}\n- {name: b, context: {cluster: b, user: me}}\n\
        - {name: x, context: {cluster: a, user: ex}}\n- {name: n, context: {cluster: nope, user: me}}\n";
    folder.write("kubeconfig", kubeconfig);
    for (context, words) in [
        ("a", "the API server can't be reached: connection refused"),
        ("b", "the API server can't be reached: its host's name can't be resolved"),
        ("x", "the command that gives credentials, no-such-command, can't be run"),
        ("n", "its context names the cluster \"nope\", which it doesn't have"),
        ("z", "it has no context \"z\"; it has a, b, x, n"),
    ] {
        for command in [&["audit"][..], &["tree", "shop/blue"], &["verify", "-A"], &["doctor"]] {
            let ran = folder.run(&[command, &["--kubeconfig", "kubeconfig", "--context", context]].concat());
            let said = format!("{}{}", ran.out, ran.err);
            assert_eq!(ran.code, Some(2), "{command:?} {context}: {said}");
            assert!(said.contains(words), "{command:?} {context}: {said}");
            for inside in ["ServiceError", "client error", "os error", "hush"] {
                assert!(!said.contains(inside), "{inside} {command:?} {context}: {said}");
            }
        }
    }
}

#[test]
fn a_reader_who_has_gone_is_no_error() {
    let folder = Folder::with(NODE, &GREEN);
    // More than a pipe holds, so that writing goes on after the reader has gone.
    for number in 0..400 {
        let node = NODE.replace("name: blue\n", &format!("name: blue{number}\n"));
        folder.write(&format!("many/{number}.yaml"), node);
    }
    let commands = [
        &["check", "."][..],
        &["check", ".", "-o", "json"],
        &["check", ".", "-o", "sarif"],
        &["check", ".", "-o", "html"],
        &["check", ".", "--diff"],
        &["tree", "shop/blue", "."],
        &["try", "."],
        &["explain"],
        &["explain", "MV101"],
        &["explain", "-o", "json"],
        &["schema"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["check", "--help"],
    ];
    for arguments in commands {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meshvet"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("meshvet starts");
        let mut line = String::new();
        let mut out = BufReader::with_capacity(1, child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("a line");
        drop(out);
        let ended = child.wait_with_output().expect("meshvet ends");
        let err = String::from_utf8_lossy(&ended.stderr).to_lowercase();
        for noise in ["panicked", "broken pipe", "could not be written"] {
            assert!(!err.contains(noise), "{arguments:?}: {err}");
        }
        assert!(matches!(ended.status.code(), Some(0 | 1)), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn a_name_that_yaml_reads_as_no_text_is_told() {
    let folder = Folder::sound();
    folder.write("secret.yaml", secret(&BLUE.chain, &BLUE.key).replace("name: blue-cert", "name: on"));
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let words =
        "secret.yaml:3:18: metadata.name: expected a string, and YAML reads the boolean true here; write it in quotes";
    assert!(ran.out.contains(words), "{ran:?}");
    folder.write("secret.yaml", secret(&BLUE.chain, &BLUE.key));
    folder.write(
        "workload.yaml",
        WORKLOAD.replace("sidecarInjectorWebhook: enabled", "sidecarInjectorWebhook: enabled, tier: no"),
    );
    let ran = folder.run(&["check", "."]);
    assert!(ran.out.contains("metadata.labels.tier: expected a string, and YAML reads the boolean false"), "{ran:?}");
}

/// Scalars as people write them, and what kubectl makes of them as a label's value.
#[test]
fn scalars_of_labels_are_what_kubectl_reads() {
    let scalars = [
        "yes",
        "Yes",
        "YES",
        "yEs",
        "no",
        "No",
        "on",
        "On",
        "off",
        "OFF",
        "y",
        "Y",
        "n",
        "N",
        "true",
        "True",
        "tRue",
        "false",
        "~",
        "null",
        "Null",
        "1",
        "01",
        "0o7",
        "0x1F",
        "1_000",
        "1.0",
        "1e3",
        ".5",
        "1.2.3",
        "12:30",
        "2026-03-01",
        "0b11",
        "+1",
        ".",
        "\"yes\"",
        "'no'",
        "!!str yes",
        "blue",
    ];
    let folder = Folder::empty();
    for scalar in scalars {
        let object = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a, namespace: shop}}\nspec:\n  selector: {{}}\n  template:\n    \
             metadata:\n      labels:\n        a: {scalar}\n"
        );
        folder.write("a.yaml", &object);
        let kubectl = Command::new(&*KUBECTL)
            .args(["annotate", "--local", "-f", "a.yaml", "x=y", "-o", "json"])
            .current_dir(folder.path())
            .env("KUBECONFIG", "none")
            .output()
            .expect("kubectl runs");
        let read: Value =
            serde_json::from_slice(&kubectl.stdout).unwrap_or_else(|error| panic!("{scalar}: {error}: {kubectl:?}"));
        // A label that is no string is refused by the API server: meshvet names what it reads.
        let words = match &read["spec"]["template"]["metadata"]["labels"]["a"] {
            Value::Bool(flag) => Some(format!("boolean `{flag}`")),
            Value::Number(number) if number.is_f64() => Some(format!("floating point `{number}`")),
            Value::Number(number) => Some(format!("integer `{number}`")),
            _ => None,
        };
        let ran = folder.run(&["check", "a.yaml", "--allow-empty", "-o", "json"]);
        let json: Value = serde_json::from_str(&ran.out).expect("JSON");
        let expected = if words.is_some() { &["MV006"][..] } else { &[] };
        assert_eq!(codes(&json), expected, "{scalar}: {json:#}");
        let message = json["findings"][0]["message"].as_str().unwrap_or_default();
        assert!(words.is_none_or(|words| message.contains(&words)), "{scalar}: {message}");
    }
}
