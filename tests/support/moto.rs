//! A moto server, which stands in for AWS.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

/// Finds the program, or fails with how to get it.
pub(crate) fn program() -> PathBuf {
    let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/parts");
    let output = Command::new(parts).arg("moto").stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.expect("scripts/parts runs");
    assert!(output.status.success(), "there is no moto server: what is missing stands above");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// Starts a server on a free port of loopback. It ends with the thread that starts it, which lives as long as the suite.
pub(crate) fn start(program: PathBuf) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut server = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("MOTO_ACM_VALIDATION_WAIT", "3600")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("setpriv runs: it is of util-linux");
        let output = BufReader::new(server.stderr.take().expect("its output"));
        // To the end: a server whose output nobody reads stops.
        for line in output.lines().map_while(Result::ok) {
            if let Some((_, address)) = line.split_once("Running on http://") {
                let _ = tell.send(address.trim().parse().expect("an address"));
            }
        }
        let _ = server.wait();
    });
    told.recv().expect("moto starts")
}
