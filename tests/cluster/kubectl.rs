//! kubectl, as a user runs it, and what it says.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::sandbox;

/// kubectl for one control plane and one user.
#[derive(Clone)]
pub(crate) struct Kubectl {
    kubeconfig: PathBuf,
    cache: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(kubeconfig: &Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), cache: kubeconfig.with_extension("cache") }
    }

    /// `kubectl ARGUMENTS…` with `input` on its standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Outcome {
        let program = sandbox::assets().join("kubectl");
        let mut command = Command::new(program);
        command.args(arguments);
        self.finish(command, format!("kubectl {}", arguments.join(" ")), input)
    }

    /// A script in bash, in the folder `within`, that finds kubectl and meshvet on its path.
    pub(crate) fn script(&self, script: &str, within: &Path) -> Outcome {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).current_dir(within);
        self.finish(command, script.to_owned(), "")
    }

    /// Another program, which finds the cluster as kubectl does and keeps what it keeps beside the kubeconfig.
    pub(crate) fn program(&self, program: &Path, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(program);
        command.args(arguments).env("HOME", &self.cache);
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        self.finish(command, format!("{name} {}", arguments.join(" ")), "")
    }

    fn finish(&self, mut command: Command, shown: String, input: &str) -> Outcome {
        let mut path = sandbox::assets().into_os_string();
        if let Some(folder) = sandbox::meshvet().parent() {
            path.push(":");
            path.push(folder);
        }
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut child = command
            .env("PATH", path)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", &self.cache)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        let mut stdin = child.stdin.take().expect("its standard input");
        // A command that doesn't read its input closes it: that is no failure.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("the command ends");
        Outcome {
            command: shown,
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `kubectl apply -f -` of this manifest, with these options.
    pub(crate) fn apply(&self, manifest: &Value, options: &[&str]) -> Outcome {
        let arguments = [&["apply", "-f", "-"], options].concat();
        self.run(&arguments, &manifest.to_string())
    }

    /// `kubectl create -f -` of this manifest, with these options.
    pub(crate) fn create(&self, manifest: &Value, options: &[&str]) -> Outcome {
        let arguments = [&["create", "-f", "-"], options].concat();
        self.run(&arguments, &manifest.to_string())
    }

    /// `kubectl get … -o json`, which has to succeed.
    #[track_caller]
    pub(crate) fn get(&self, what: &[&str]) -> Value {
        let arguments = [&["get", "-o", "json"], what].concat();
        let outcome = self.run(&arguments, "").succeeds();
        serde_json::from_str(&outcome.stdout).expect("JSON")
    }

    /// Every object of every kind that can be listed, except what the API server keeps for itself: `Kind namespace/name`.
    #[allow(dead_code, reason = "not for every suite that has kubectl")]
    #[track_caller]
    pub(crate) fn everything(&self) -> BTreeSet<String> {
        let kinds = self.run(&["api-resources", "--verbs=list", "-o", "name"], "").succeeds();
        // Two names for the same Events, which come and go by themselves.
        let kinds: Vec<&str> = kinds.stdout.split_whitespace().filter(|kind| !kind.starts_with("events")).collect();
        let all = self.get(&[&kinds.join(","), "-A"]);
        let name = |object: &Value| {
            let field = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            format!("{} {}/{}", object["kind"].as_str().unwrap_or_default(), field("namespace"), field("name"))
        };
        let objects = all["items"].as_array().expect("items");
        objects.iter().filter(|object| object["metadata"]["namespace"] != "kube-system").map(name).collect()
    }
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) command: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ {}\n{}{}(exit code {})", self.command, self.stdout, self.stderr, self.code)
    }
}

impl Outcome {
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert!(self.code == 0, "{self}");
        self
    }

    /// The command succeeded and warned of nothing.
    #[track_caller]
    pub(crate) fn succeeds_silently(self) -> Self {
        let outcome = self.succeeds();
        assert!(outcome.stderr.is_empty(), "expected no warning:\n{outcome}");
        outcome
    }

    /// The command succeeded with a warning that has all of `texts` in one line.
    #[track_caller]
    pub(crate) fn warns(self, texts: &[&str]) -> Self {
        let outcome = self.succeeds();
        let warned = outcome
            .stderr
            .lines()
            .any(|line| line.starts_with("Warning: ") && texts.iter().all(|text| line.contains(text)));
        assert!(warned, "no warning has all of {texts:?}:\n{outcome}");
        outcome
    }

    /// meshvet refused a node or gateway, and the message that the user sees has all of `texts`.
    #[track_caller]
    pub(crate) fn refused(self, texts: &[&str]) -> Self {
        self.refused_by("virtualnodes.meshvet.dev", texts)
    }

    /// This webhook refused it, and the message that the user sees has all of `texts`.
    #[track_caller]
    pub(crate) fn refused_by(self, webhook: &str, texts: &[&str]) -> Self {
        assert!(self.code != 0, "expected a refusal:\n{self}");
        for text in [
            // 403: with 422 kubectl shows no message at all.
            "Error from server (Forbidden): ",
            &format!("admission webhook {webhook:?} denied the request: "),
        ]
        .iter()
        .chain(texts)
        {
            assert!(self.stderr.contains(text), "the refusal lacks {text:?}:\n{self}");
        }
        self
    }

    /// The output, errors included, has none of `texts`.
    #[track_caller]
    pub(crate) fn lacks(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text:?} is out of place:\n{self}");
        }
        self
    }

    /// What it warned of, line by line.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &str> {
        let lines = self.stderr.lines();
        lines.filter_map(|line| line.strip_prefix("Warning: "))
    }

    /// Whether a refusal or a warning of this output speaks of the rule.
    pub(crate) fn speaks_of(&self, code: &str) -> bool {
        self.stderr.contains(code)
    }
}
