//! What is only for terminals: colours and progress, seen through a real one that `script` makes.

use std::process::Command;

use crate::run::{Folder, GREEN, NODE};

/// What a terminal of 100 columns gets to see of a command.
fn seen(folder: &Folder, command: &str, environment: &[(&str, &str)]) -> String {
    let command = format!("stty rows 40 cols 100; {}", command.replace("meshvet", env!("CARGO_BIN_EXE_meshvet")));
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(folder.path())
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied())
        .output()
        .unwrap_or_else(|error| panic!("script is needed (Debian: apt-get install bsdutils): {error}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn many() -> Folder {
    let folder = Folder::with(NODE, &GREEN);
    for number in 0..60 {
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\n");
        folder.write(&format!("more/{number}.yaml"), text);
    }
    folder
}

#[test]
fn a_terminal_sees_colours_and_progress() {
    let seen = seen(&many(), "meshvet check .", &[]);
    assert!(seen.contains("\x1b[1;31mdeny\x1b[0m"), "{seen:?}");
    assert!(seen.contains("reading") && seen.contains("/63 files"), "{seen:?}");
    // The line is wiped before the report begins.
    let (progress, report) = seen.split_at(seen.find("VirtualNode").expect("the report"));
    assert!(progress.contains("reading") && !report.contains("reading"), "{seen:?}");
}

#[test]
fn a_terminal_sees_details_set_in_its_width() {
    let seen = seen(&Folder::with(NODE, &GREEN), "meshvet check .", &[]);
    let lines: Vec<&str> = seen.lines().map(|line| line.trim_end_matches('\r')).collect();
    let at = lines.iter().position(|line| line.contains("at run time")).expect("the consequence");
    assert!(lines[at + 1].starts_with("    \x1b[34m           \x1b[0m "), "{:?}", lines[at + 1]);
    assert!(lines[at + 1].contains("CERTIFICATE_VERIFY_FAILED"), "{:?}", &lines[at..at + 3]);
    assert!(lines[at].chars().count() <= 100 + "\x1b[34m\x1b[0m".len(), "{:?}", lines[at]);
}

#[test]
fn few_files_need_no_progress() {
    let seen = seen(&Folder::with(NODE, &GREEN), "meshvet check .", &[]);
    assert!(seen.contains("\x1b[1;31mdeny") && !seen.contains("reading"), "{seen:?}");
}

#[test]
fn whoever_wants_no_colour_gets_none() {
    let folder = many();
    for (command, environment) in [
        ("meshvet check . --color never", &[][..]),
        ("meshvet check .", &[("NO_COLOR", "1")]),
        ("meshvet check .", &[("TERM", "dumb")]),
    ] {
        let seen = seen(&folder, command, environment);
        assert!(!seen.contains("\x1b[1;31m"), "{command} {environment:?}: {seen:?}");
    }
    assert!(seen(&folder, "meshvet check . --color always | cat", &[]).contains("\x1b[1;31mdeny"));
}

#[test]
fn a_pipe_sees_no_progress() {
    let ran = many().run(&["check", "."]);
    assert_eq!(ran.err, "");
    assert!(!ran.out.contains('\x1b'));
    let piped = seen(&many(), "meshvet check . 2>errors | cat; cat errors", &[]);
    assert!(!piped.contains("reading") && !piped.contains('\x1b'), "{piped:?}");
}
