//! Chromium, spoken to over a pipe in its own protocol: no port, no driver.

use std::io::{BufRead, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long the browser may take for one answer. A loaded machine is slow; a page that hangs never answers.
const PATIENCE: Duration = Duration::from_secs(120);

static CHROMIUM: LazyLock<PathBuf> = LazyLock::new(|| part("chromium"));
static AXE: LazyLock<String> = LazyLock::new(|| std::fs::read_to_string(part("axe")).expect("axe-core"));

/// The path that `scripts/parts` prints for a part.
fn part(name: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/parts");
    let output = Command::new(script).arg(name).stderr(Stdio::inherit()).output().expect("scripts/parts runs");
    assert!(output.status.success(), "scripts/parts {name} failed; what it said stands above");
    String::from_utf8(output.stdout).expect("a path").trim().into()
}

/// One browser with one page. Ends when dropped.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: String,
    next: u64,
    /// What the page complained of, and what it asked the network for.
    complaints: Vec<String>,
    requests: Vec<String>,
    _profile: TempDir,
}

/// A colour scheme that the system is said to prefer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// A text on the canvas, in pixels of the window, from the canvas' upper left corner.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Drawn {
    pub(crate) text: String,
    /// The size of its letters.
    pub(crate) size: f64,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) right: f64,
}

/// Notes each text that is drawn, until the next drawing begins by filling the canvas.
const RECORDER: &str = "
globalThis.drawnTexts = [];
{
  const own = CanvasRenderingContext2D.prototype;
  const { fillText, fillRect } = own;
  own.fillRect = function (x, y, width, height) {
    if (x === 0 && y === 0 && width * devicePixelRatio >= this.canvas.width - 1) globalThis.drawnTexts = [];
    return fillRect.call(this, x, y, width, height);
  };
  own.fillText = function (text, x, y) {
    const { a, e, f } = this.getTransform();
    const scale = a / devicePixelRatio;
    const left = e / devicePixelRatio + x * scale;
    globalThis.drawnTexts.push({ text, size: Number(/([\\d.]+)px/.exec(this.font)[1]) * scale, x: left,
      y: f / devicePixelRatio + y * scale, right: left + this.measureText(text).width * scale });
    return fillText.call(this, text, x, y);
  };
}";

impl Browser {
    /// Starts a browser with a window of this size.
    pub(crate) fn start(width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        // Commands are read from descriptor 3 and answers written to 4.
        command.args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2"#]).arg(&*CHROMIUM).args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--no-first-run",
            "--hide-scrollbars",
            "--remote-debugging-pipe",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let log = std::fs::File::create(profile.path().join("stderr")).expect("a file");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().expect("a browser starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { break };
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self {
            child,
            input,
            messages,
            session: String::new(),
            next: 0,
            complaints: Vec::new(),
            requests: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        browser.call("Emulation.setDeviceMetricsOverride", metrics);
        browser
    }

    /// Opens a page and waits until it has drawn itself.
    #[track_caller]
    pub(crate) fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
        self.until("document.documentElement?.dataset.ready === 'yes'");
    }

    /// Prefers a colour scheme, and pretends to print or not.
    pub(crate) fn prefer(&mut self, scheme: Scheme, media: &str) {
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": value}]);
        self.call("Emulation.setEmulatedMedia", json!({"media": media, "features": features}));
    }

    /// What an expression comes to.
    #[track_caller]
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let arguments = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", arguments);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// The text of what an expression comes to.
    #[track_caller]
    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.eval(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression}: no text but {value}")).to_owned()
    }

    /// The visible text of an element.
    #[track_caller]
    pub(crate) fn text_of(&mut self, selector: &str) -> String {
        self.text(&format!("document.querySelector({}).innerText", json!(selector)))
    }

    /// Waits until an expression holds.
    #[track_caller]
    pub(crate) fn until(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.eval(expression) != true {
            assert!(Instant::now() < deadline, "never: {expression}\n{:?}", self.complaints);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks into the middle of an element with the mouse.
    #[track_caller]
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.eval(&format!(
            "(() => {{ const it = document.querySelector({}); it.scrollIntoView({{block: 'center', behavior: 'instant'}});
               const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        ));
        self.click_at(place[0].as_f64().expect("x"), place[1].as_f64().expect("y"));
    }

    /// Clicks at a place of the window.
    pub(crate) fn click_at(&mut self, x: f64, y: f64) {
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            self.call(
                "Input.dispatchMouseEvent",
                json!({"type": kind, "x": x, "y": y, "button": button, "clickCount": 1}),
            );
        }
        self.settle();
    }

    /// Drags from one place to another.
    pub(crate) fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        let steps = [
            ("mousePressed", from),
            ("mouseMoved", ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0)),
            ("mouseMoved", to),
            ("mouseReleased", to),
        ];
        for (kind, (x, y)) in steps {
            self.call(
                "Input.dispatchMouseEvent",
                json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}),
            );
        }
        self.settle();
    }

    /// Turns the wheel over a place.
    pub(crate) fn wheel(&mut self, x: f64, y: f64, delta: f64) {
        self.call(
            "Input.dispatchMouseEvent",
            json!({"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": delta}),
        );
        self.settle();
    }

    /// Presses a key: `Tab`, `ArrowRight`, `n`.
    pub(crate) fn key(&mut self, key: &str) {
        let (name, shift) = key.strip_prefix("Shift+").map_or((key, 0), |name| (name, 8));
        let code = match name {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            other => other.to_ascii_uppercase().bytes().next().map_or(0, i64::from),
        };
        let text = match name {
            "Enter" => Some("\r"),
            one if one.chars().count() == 1 => Some(one),
            _ => None,
        };
        let mut down = json!({"type": if text.is_some() { "keyDown" } else { "rawKeyDown" }, "key": name, "windowsVirtualKeyCode": code, "modifiers": shift});
        if let Some(text) = text {
            down["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", down);
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": name, "windowsVirtualKeyCode": code, "modifiers": shift}),
        );
        self.settle();
    }

    /// Writes a text where the focus is.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
        self.settle();
    }

    /// Waits until two frames have been drawn.
    pub(crate) fn settle(&mut self) {
        self.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
    }

    /// Saves a picture of the window, or of the whole page.
    pub(crate) fn picture(&mut self, path: &Path, whole: bool) {
        self.settle();
        let answer = self.call("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": whole}));
        let bytes = base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().expect("a picture"));
        std::fs::write(path, bytes.expect("base64")).expect("a file");
    }

    /// From the next page on, notes what is written on the canvas: [`Browser::drawn`] asks for it.
    pub(crate) fn record_texts(&mut self) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": RECORDER}));
    }

    /// The texts on the canvas as it was last drawn.
    #[track_caller]
    pub(crate) fn drawn(&mut self) -> Vec<Drawn> {
        self.settle();
        serde_json::from_value(self.eval("globalThis.drawnTexts")).expect("texts")
    }

    /// Saves a picture of one element.
    #[track_caller]
    pub(crate) fn picture_of(&mut self, selector: &str, path: &Path) {
        self.settle();
        let clip = self.eval(&format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect();
               return {{x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height, scale: 1}}; }})()",
            json!(selector)
        ));
        let arguments = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let answer = self.call("Page.captureScreenshot", arguments);
        let bytes = base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().expect("a picture"));
        std::fs::write(path, bytes.expect("base64")).expect("a file");
    }

    /// What axe-core finds wrong with the page, one line each.
    pub(crate) fn barriers(&mut self) -> Vec<String> {
        // By way of the protocol: the page's own policy lets no other script in.
        self.call("Runtime.evaluate", json!({"expression": &*AXE}));
        let found = self.eval(
            "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations.flatMap((it) =>
               it.nodes.map((node) => `${it.id} (${it.impact}): ${node.target.join(' ')}: ${node.failureSummary}`)))",
        );
        found.as_array().expect("a list").iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Errors and warnings of the console so far.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.eval("1");
        self.complaints.clone()
    }

    /// What was asked of the network so far.
    pub(crate) fn requests(&self) -> &[String] {
        &self.requests
    }

    /// Calls a method and returns its result. Events that come before it are noted.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).and_then(|()| self.input.flush()).expect("the browser lives");
        loop {
            match self.messages.recv_timeout(PATIENCE) {
                Ok(message) if message["id"] == self.next => {
                    assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                    return message["result"].clone();
                }
                Ok(event) => self.note(&event),
                Err(RecvTimeoutError::Timeout) => panic!("{method}: no answer from the browser"),
                Err(RecvTimeoutError::Disconnected) => panic!("{method}: the browser ended\n{}", self.log()),
            }
        }
    }

    fn log(&self) -> String {
        let mut text = String::new();
        if let Ok(mut file) = std::fs::File::open(self._profile.path().join("stderr")) {
            let _ = file.read_to_string(&mut text);
        }
        text
    }

    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => self.complaints.push(parameters["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" if parameters["type"] != "debug" => {
                self.complaints.push(parameters["args"].to_string());
            }
            "Log.entryAdded" => self.complaints.push(parameters["entry"].to_string()),
            "Network.requestWillBeSent" => {
                let url = parameters["request"]["url"].as_str().unwrap_or_default().to_owned();
                self.requests.push(url);
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder for pictures: those of a run are kept for people to look at.
pub(crate) fn pictures() -> PathBuf {
    static ONCE: Mutex<()> = Mutex::new(());
    let _one = ONCE.lock();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-pictures");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
