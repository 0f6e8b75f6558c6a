//! Writes to the API server as controllers and command lines make them, with the warnings that come back. Of kubectl each takes a tenth
//! of a second and more; these take as long as the API server does.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::header::WARNING;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// A client of one API server.
pub(crate) struct Writer {
    client: kube::Client,
    runtime: Runtime,
}

/// One write.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    /// A server-side apply of the whole object: what it no longer says goes.
    Apply(Value),
    /// The same, stored nowhere.
    DryRun(Value),
    /// A server-side apply by this user, under this name.
    By(&'static str, &'static str, Value),
    /// A merge patch of the object that is called as this one.
    Patch(Value, Value),
    /// A deletion of the object that is called as this one.
    Delete(Value),
    /// A deletion by this user.
    DeleteBy(&'static str, Value),
}

/// What the API server said of a write.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// What was written.
    pub(crate) what: String,
    /// 200 or 201 where it was done.
    pub(crate) code: u16,
    /// The text of each warning.
    pub(crate) warnings: Vec<String>,
    /// Of the answer: an object, or a Status.
    pub(crate) body: Value,
}

impl Said {
    pub(crate) fn is_done(&self) -> bool {
        self.code < 300
    }

    /// The warnings, and the message of a refusal.
    pub(crate) fn lines(&self) -> Vec<String> {
        let refusal = (!self.is_done()).then(|| self.body["message"].as_str().unwrap_or_default().to_owned());
        self.warnings.iter().cloned().chain(refusal).collect()
    }

    /// Whether one of its lines has all of these texts.
    pub(crate) fn tells(&self, texts: &[String]) -> bool {
        self.lines().iter().any(|line| texts.iter().all(|text| line.contains(text)))
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert!(self.is_done(), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn succeeds_silently(self) -> Self {
        let said = self.succeeds();
        assert!(said.warnings.is_empty(), "expected no warning:\n{said}");
        said
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {}", self.what, self.code, self.lines().join("\n    "))
    }
}

impl Writer {
    /// For whoever this kubeconfig is of.
    pub(crate) fn new(kubeconfig: &Path) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let config = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
            let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
            kube::Client::try_from(config.expect("a configuration")).expect("a client")
        });
        Self { client, runtime }
    }

    /// Makes one write, and says what came of it.
    pub(crate) fn write(&self, write: &Write) -> Said {
        self.try_write(write).expect("the API server answers")
    }

    /// The same, where the API server may not answer.
    pub(crate) fn try_write(&self, write: &Write) -> Result<Said, String> {
        let apply = |object: &Value, options: &str, user| {
            let path = format!("{}?force=true&{options}", path(object));
            self.ask("PATCH", &path, "application/apply-patch+yaml", Some(&stored(object)), user)
        };
        match write {
            Write::Apply(object) => apply(object, "fieldManager=suite", None),
            Write::DryRun(object) => apply(object, "fieldManager=suite&dryRun=All", None),
            Write::By(user, manager, object) => apply(object, &format!("fieldManager={manager}"), Some(user)),
            Write::Patch(object, patch) => {
                self.ask("PATCH", &path(object), "application/merge-patch+json", Some(patch), None)
            }
            Write::Delete(object) => self.ask("DELETE", &path(object), "application/json", None, None),
            Write::DeleteBy(user, object) => self.ask("DELETE", &path(object), "application/json", None, Some(user)),
        }
    }

    /// What is at a path.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask("GET", path, "application/json", None, None).expect("the API server answers").succeeds().body
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        content: &str,
        body: Option<&Value>,
        user: Option<&str>,
    ) -> Result<Said, String> {
        let mut request = Request::builder().method(method).uri(path).header("content-type", content);
        if let Some(user) = user {
            request = request.header("impersonate-user", user);
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(Body::from(body.into_bytes())).expect("a request");
        let answered = self.runtime.block_on(async {
            let answer = self.client.send(request).await?;
            let (head, body) = answer.into_parts();
            // An arrow between two ends isn't ASCII.
            let texts = head.headers.get_all(WARNING).iter().map(|it| String::from_utf8_lossy(it.as_bytes()));
            let warnings = texts.map(|text| unquoted(&text));
            let body = body.collect().await.map_err(|error| kube::Error::Service(error.into()))?;
            Ok((head.status.as_u16(), warnings.collect(), body.to_bytes()))
        });
        let (code, warnings, body) = answered.map_err(|error: kube::Error| error.to_string())?;
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| json!({"message": String::from_utf8_lossy(&body)}));
        Ok(Said { what: format!("{method} {path}"), code, warnings, body })
    }
}

/// Where an object is.
pub(crate) fn path(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]).to_lowercase());
    let root = if version.contains('/') { "/apis" } else { "/api" };
    let plural = if kind.ends_with('h') { format!("{kind}es") } else { format!("{kind}s") };
    let namespace = match text(&object["metadata"]["namespace"]) {
        namespace if namespace.is_empty() => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    format!("{root}/{version}{namespace}/{plural}/{}", text(&object["metadata"]["name"]))
}

/// With the data of a Secret in base64: an apply that leaves a key out of `stringData` doesn't take it away.
fn stored(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(Value::Object(texts)) = object.as_object_mut().and_then(|it| it.remove("stringData")) {
        let encoded = |text: Value| Value::from(STANDARD.encode(text.as_str().unwrap_or_default()));
        object["data"] = texts.into_iter().map(|(key, text)| (key, encoded(text))).collect();
    }
    object
}

/// The text of a warning: `299 - "text"`.
fn unquoted(header: &str) -> String {
    let text = header.split_once('"').map_or(header, |(_, rest)| rest);
    text.strip_suffix('"').unwrap_or(text).replace("\\\"", "\"").replace("\\\\", "\\")
}
