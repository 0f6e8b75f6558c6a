//! Proxies that can't be read: named, with what to do, and exit code 2.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::pair::{says, verify};
use crate::proxies::Pair;

/// A server that answers the first request of each connection with these bytes, for as long as the test runs.
fn serves(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            // Keeps the connection open until the client has enough of it.
            let _ = stream.write_all(answer);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    format!("http://{address}")
}

#[test]
fn a_proxy_that_is_not_there_is_named_and_the_others_are_read() {
    let pair = Pair::sound();
    // A port that was free a moment ago: at worst another answers there, and not as an Envoy.
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let (url, gone) = (pair.client.url(), format!("http://{gone}"));
    let told =
        [&format!("error {gone}: no connection"), "-n NAMESPACE POD", "cluster blue: 1 TLS handshake", "; 1 not read"];
    says(&["--url", &gone, "--url", &url], 2, &told);
}

#[test]
fn a_port_of_something_else_is_no_admin_interface() {
    let url = serves(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    says(&["--url", &url], 2, &["the answer to /certs is not Envoy's"]);
    let url = serves(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    says(&["--url", &url], 2, &["the answer to /certs was 403"]);
}

#[test]
fn a_proxy_that_does_not_answer_is_not_waited_for() {
    let url = serves(b"");
    says(&["--url", &url, "--timeout", "50ms"], 2, &["no answer within 0.05 s", "--timeout"]);
}

#[track_caller]
fn refuses(arguments: &[&str], expected: &str) {
    let output = verify(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains(expected), "{expected:?} is not in:\n{errors}");
}

#[test]
fn what_cannot_be_run_says_what_to_give() {
    refuses(&[], "which proxy?");
    refuses(&["-n", "shop"], "--kubeconfig FILE");
    refuses(&["--url", "https://127.0.0.1:9901"], "plain HTTP");
    refuses(&["--url", "127.0.0.1:9901"], "http://127.0.0.1:9901");
    refuses(&["blue", "-l", "app=blue"], "cannot be used with");
    refuses(&["-A", "-n", "shop"], "cannot be used with");
    refuses(&["--url", "http://a:1", "--timeout", "soon"], "5s");
}
