//! The command line as people meet it: help, suggestions, and errors that say what to do next.

use std::process::Command;

use insta::{assert_snapshot, with_settings};

use crate::run::{BLUE, Folder, GREEN, NODE};

/// The help of a command, set for a terminal of 100 columns.
fn help(arguments: &[&str]) -> String {
    let mut meshvet = Command::new(env!("CARGO_BIN_EXE_meshvet"));
    meshvet.args(arguments).env("COLUMNS", "100");
    // Help tells what the environment sets.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MESHVET_")) {
        meshvet.env_remove(name);
    }
    let output = meshvet.output().expect("meshvet starts");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The commands that `meshvet --help` lists.
fn commands() -> Vec<String> {
    let help = help(&["--help"]);
    let (_, list) = help.split_once("\nCommands:\n").expect("a list of commands");
    let (list, _) = list.split_once("\n\n").expect("its end");
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_help_is_reviewed() {
    assert_snapshot!("help", help(&["--help"]));
}

#[test]
fn the_help_of_each_command_is_reviewed() {
    let commands = commands();
    assert!(commands.len() >= 9, "{commands:?}");
    for command in commands.iter().filter(|command| *command != "help") {
        with_settings!({ description => format!("meshvet {command} --help") }, {
            assert_snapshot!(format!("help_{command}"), help(&[command, "--help"]));
        });
    }
}

#[test]
fn a_slip_leads_to_the_right_word() {
    let folder = Folder::sound();
    for (arguments, words) in [
        (&["chekc", "."][..], "'check'"),
        (&["check", ".", "--outptu", "json"], "'--output'"),
        (&["check", ".", "--fail-no", "warn"], "'--fail-on'"),
        (&["check", ".", "-o", "sariff"], "'sarif'"),
        (&["check", ".", "-o", "xml"], "[possible values: text, json, sarif"),
        (&["check", ".", "--fail-on", "wran"], "'warn'"),
        (&["explain", "--severety", "deny"], "'--severity'"),
        (&["explain", "hostname-mismach"], "did you mean hostname-mismatch?"),
        (&["completions", "bahs"], "'bash'"),
    ] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn every_error_says_what_to_do_next() {
    let folder = Folder::with(NODE, &BLUE);
    folder.write("policy.cfg", "severitys: {}\n");
    folder.write("broken.cfg", "{");
    folder.write("utf16.yaml", b"\xff\xfea\0");
    folder.write("template.yaml", "a: {{ .x }}\n");
    folder.write("old/node.yaml", NODE.replace("v1beta2", "v1beta1"));
    folder.write("kind/node.yaml", NODE.replace("VirtualNode", "VirtualNodes"));
    folder.write("empty/x.txt", "");
    for (arguments, words) in [
        (&["check"][..], "For more information, try '--help'"),
        (&["check", "none.yaml"], "a relative path starts in the current folder"),
        (&["check", "empty"], "meshvet reads .yaml, .yml and .json files with objects that have apiVersion and kind"),
        (&["check", "utf16.yaml"], "save it as UTF-8"),
        (&["check", "template.yaml"], "render the templates first, for instance `helm template"),
        (&["check", "old"], "meshvet knows appmesh.k8s.aws/v1beta2"),
        (&["check", "kind"], "did you mean VirtualNode?"),
        (&["check", "node.yaml", "--config", "policy.cfg"], "did you mean `severities`?"),
        (&["check", "node.yaml", "--config", "none.cfg"], "none.cfg can't be read"),
        (&["check", "node.yaml", "--now", "today"], "such as 2027-01-01T12:00:00Z"),
        (&["check", "node.yaml", "--files", "certs"], "write /certs=./folder"),
        (&["check", "node.yaml", "--files", "/certs=none"], "the folder none can't be read"),
        (&["check", "node.yaml", "--baseline", "none.cfg"], "--update-baseline writes it"),
        (&["check", "node.yaml", "--baseline", "broken.cfg"], "restore it from version control"),
        (&["check", "node.yaml", "--update-baseline"], "--baseline <FILE>"),
        (&["check", "node.yaml", "--diff", "-o", "json"], "cannot be used with"),
        (&["explain", "MV999"], "`meshvet explain` without a rule lists them all"),
        (&["explain", "--find", "zebra"], "`meshvet explain` without an option lists them all"),
        (&["explain", "MV101", "--find", "x"], "cannot be used with"),
        (&["check", "node.yaml", "--config", "none.cfg"], "what to do: check the path; a relative path starts"),
        (&["check", "node.yaml", "--config", "empty"], "what to do: it is a folder: name a file in it"),
        (&["ca-bundle", "none.pem"], "what to do: check the path; a relative path starts"),
        (&["ca-bundle", "node.yaml"], "give a PEM file with the CA's certificates"),
        (&["serve"], "what to do: meshvet serve --self-signed"),
        (
            &["serve", "--tls-cert", "none", "--tls-key", "none", "--kubeconfig", "none"],
            "check --tls-cert and --tls-key",
        ),
        (&["verify", "--url", "envoy"], "such as http://127.0.0.1:9901"),
        (&["try", "empty"], "or no path for the example mesh"),
    ] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(words) || ran.out.contains(words), "{arguments:?}: {words}: {ran:#?}");
    }
}

#[test]
fn a_wrong_certificate_says_what_to_do_next() {
    let ran = Folder::with(NODE, &GREEN).run(&["check", "."]);
    assert!(ran.out.contains("\nFor more: meshvet explain MV101\n"), "{ran:?}");
}
