//! The command line against its own help and the project's documents.

use std::path::{Path, PathBuf};

use super::*;

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

fn shown(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

#[test]
fn every_option_has_an_example() {
    let mut command = Cli::command();
    command.build();
    for sub in shown(&command) {
        let examples = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(examples.contains("Examples:\n"), "{} has no examples", sub.get_name());
        let words: Vec<&str> = examples.split_whitespace().collect();
        let options = sub.get_opts().chain(sub.get_arguments().filter(|arg| arg.get_long().is_some()));
        for arg in options.filter(|arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")) {
            let long = arg.get_long().map(|long| format!("--{long}"));
            let short = arg.get_short().map(|short| format!("-{short}"));
            let named = [long.as_deref(), short.as_deref()].into_iter().flatten().any(|name| words.contains(&name));
            assert!(named, "no example of {} {}", sub.get_name(), arg.get_id());
        }
    }
}

/// A command line taken apart as a shell would: quotes, and an end at a pipe, a redirection or a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '<' | ';' | ')') => break,
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The part of a line that starts meshvet.
fn start(line: &str) -> Option<&str> {
    let mut found = line.match_indices("meshvet ").filter(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default().trim();
        before.is_empty()
            || before.ends_with(['|', '$', '(', '-'])
            || before.ends_with(':')
            || before.ends_with("kubectl")
    });
    found.next().and_then(|(at, _)| line.get(at..))
}

/// The command lines of a document that start meshvet; of Markdown, those in its blocks of code.
fn commands(text: &str, markdown: bool) -> Vec<Vec<String>> {
    let mut code = !markdown;
    let mut found = Vec::new();
    for line in text.lines() {
        if markdown && line.trim_start().starts_with("```") {
            code = !code;
        } else if code && !line.trim_start().starts_with('#') {
            found.extend(start(line).map(words));
        }
    }
    found
}

#[track_caller]
fn parses(file: &str, words: &[String]) {
    if let Err(error) = Cli::try_parse_from(words) {
        let asks = matches!(error.kind(), clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion);
        assert!(asks, "{file}: {}\n{error}", words.join(" "));
    }
}

#[test]
fn examples_in_help_can_be_run() {
    let mut command = Cli::command();
    command.build();
    let mut seen = 0;
    for sub in shown(&command).chain([&command]) {
        let examples = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in examples.lines().filter_map(|line| start(line.strip_prefix("  ")?)) {
            // What an example does stands behind it.
            parses(sub.get_name(), &words(line.split("  ").next().unwrap_or_default()));
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

/// Every document of the project that shows people commands.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    for folder in ["docs", "examples/ci", "deploy"] {
        let entries = walkdir::WalkDir::new(root.join(folder)).into_iter().flatten();
        files.extend(entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path));
    }
    // Pictures show no command that somebody could copy.
    files.retain(|file| file.extension().is_none_or(|extension| extension != "png"));
    files
}

#[test]
fn commands_in_documents_can_be_run() {
    let mut seen = 0;
    for file in documents() {
        let text = std::fs::read_to_string(&file).expect("a text");
        let markdown = file.extension().is_some_and(|extension| extension == "md");
        for words in commands(&text, markdown) {
            seen += 1;
            parses(&file.display().to_string(), &words);
        }
    }
    assert!(seen >= 15, "{seen}");
}

#[test]
fn the_command_of_the_image_can_be_run() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile");
    let text = std::fs::read_to_string(file).expect("the Dockerfile");
    let list = |name: &str| -> Vec<String> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        serde_json::from_str(line).expect("a list of words")
    };
    let [program] = list("ENTRYPOINT ").try_into().expect("the program alone: arguments are the user's");
    assert!(program.ends_with("/meshvet"), "{program}");
    let words: Vec<String> = [program].into_iter().chain(list("CMD ")).collect();
    assert!(words.len() > 1, "{words:?}");
    parses("Dockerfile", &words);
}

#[test]
fn hooks_of_pre_commit_can_be_run() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let hooks: serde_json::Value =
        serde_saphyr::from_str(&std::fs::read_to_string(file).expect("the hooks")).expect("YAML");
    let hooks = hooks.as_array().expect("a list");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let entries: Vec<String> = hooks.iter().map(|hook| text(&hook["entry"])).collect();
    let arguments = hooks[0]["args"].as_array().expect("arguments").iter().map(text);
    parses("the hook meshvet", &words(&entries[0]).into_iter().chain(arguments).collect::<Vec<_>>());
    let (_, piped) = entries[1].split_once("| ").expect("a pipe");
    parses("the hook meshvet-helm", &words(piped.trim_end_matches("' --")));
    assert!(hooks.iter().all(|hook| hook["language"] == "rust" && hook["pass_filenames"] == false));
}

#[test]
fn examples_for_ci_have_the_shape_that_their_readers_want() {
    let read = |name: &str| -> serde_json::Value {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name);
        serde_saphyr::from_str(&std::fs::read_to_string(file).expect("an example")).expect("YAML")
    };
    let github = read("github-action.yml");
    let steps = github["jobs"]["check"]["steps"].as_array().expect("steps");
    assert!(steps.iter().any(|step| step["with"]["sarif_file"] == "meshvet.sarif"));
    assert!(github["permissions"]["security-events"] == "write" && github.get("on").is_some());
    let gitlab = read("gitlab-ci.yml");
    assert_eq!(gitlab["meshvet"]["artifacts"]["reports"]["junit"], "meshvet.xml");
}

#[test]
fn command_lines_are_taken_apart_as_a_shell_does() {
    let text = "meshvet is\n```sh\n$ helm template . | meshvet check - # why\nx meshvet check\nmeshvet check \"a b\" -o json > x\n```\n";
    let expected = [vec!["meshvet", "check", "-"], vec!["meshvet", "check", "a b", "-o", "json"]];
    assert_eq!(commands(text, true), expected);
    assert_eq!(commands("# meshvet check\nrun: meshvet check 'a'\n", false), [vec!["meshvet", "check", "a"]]);
}
