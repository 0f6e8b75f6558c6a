//! The page at `/` of `meshvet serve`'s probe address, in a browser. What it shows of a living cluster is the cluster suite's.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::browser::Browser;
use crate::looks::is_quiet;

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: nowhere
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
clusters: [{name: nowhere, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: nobody, user: {token: hush-hush}}]
";

/// A running meshvet: ends when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &std::path::Path, report: bool) -> (Running, SocketAddr) {
    std::fs::write(folder.join("kubeconfig"), KUBECONFIG).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshvet"));
    command.current_dir(folder).env_clear().args(["serve", "--kubeconfig", "kubeconfig", "--self-signed"]);
    command.args(["--listen=127.0.0.1:0", "--probe-listen=127.0.0.1:0", "--log-format=json"]);
    if report {
        command.arg("--report");
    }
    let mut child = command.stderr(Stdio::piped()).spawn().expect("meshvet starts");
    let log = BufReader::new(child.stderr.take().expect("its log"));
    let running = Running(child);
    let mut lines = log.lines().map_while(Result::ok).map(|line| serde_json::from_str::<Value>(&line).expect("JSON"));
    let serving = lines.find(|line| line["message"] == "serving").expect("it serves");
    let address = serving["probes"].as_str().and_then(|text| text.parse().ok()).expect("an address");
    // Its log goes on: without a reader it would stop at a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (running, address)
}

fn get(address: SocketAddr, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "GET / HTTP/1.1\r\nHost: a\r\n{headers}Connection: close\r\n\r\n").expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_report_opens_in_a_browser_and_is_not_sent_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, address) = serve(folder.path(), true);
    let url = format!("http://{address}/");
    let mut browser = Browser::start(1200, 800);
    browser.open(&url);
    assert_eq!(browser.text_of("#verdict"), "There is no mesh to show", "this cluster doesn't answer");
    is_quiet(&mut browser, &url);

    let answer = get(address, "");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(!body.contains("hush-hush"));
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
    let again = get(address, &format!("If-None-Match: {tag}\r\n"));
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
}

#[test]
fn without_the_flag_there_is_no_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, address) = serve(folder.path(), false);
    assert!(get(address, "").starts_with("HTTP/1.1 404"));
}
