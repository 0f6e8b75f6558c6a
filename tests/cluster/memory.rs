//! What is left of private keys in the memory of a replica that has read them: what a core dump of it would hold.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::control_plane::{ControlPlane, spawn};
use crate::install::{Installation, follow_readme};
use crate::kubectl::Outcome;
use crate::replica::Replica;
use crate::sandbox::{self, eventually};
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::{Authority, Issued};
use crate::world::{World, install_crds};

tests![read_keys_dont_stay_in_memory, its_memory_is_closed_to_others];

/// Keys that are there before a replica starts, and as many that come while it serves.
const KEYS: usize = 30;
/// Read of a process at once.
const PIECE: usize = 1 << 20;

/// The forms in which a key passes through: its number in DER, in PEM, and in a Secret's base64 of PEM.
fn forms(issued: &Issued) -> [Vec<u8>; 3] {
    let pem = issued.key.as_bytes();
    let body = issued.key.lines().filter(|line| !line.starts_with('-')).map(str::trim).collect::<String>();
    let der = STANDARD.decode(&body).expect("base64");
    // PKCS #8 of P-256: 36 bytes of what it is, then the number.
    let number = der[36..68].to_vec();
    let begins = &body.as_bytes()[48..64];
    let at = pem.windows(begins.len()).position(|window| window == begins).expect("its own text");
    let text = pem[at..at + 40].to_vec();
    let encoded = STANDARD.encode(pem).into_bytes();
    let secret = encoded[at.div_ceil(3) * 4..(at + 40) / 3 * 4].to_vec();
    [number, text, secret]
}

/// Keys of as many nodes, whose Secrets, workloads and nodes are in one namespace.
struct Keys {
    forms: Vec<[Vec<u8>; 3]>,
    objects: Vec<Value>,
    nodes: Vec<Value>,
}

impl Keys {
    fn new(world: &World, authority: &Authority, kind: &str) -> Self {
        let mut keys = Self { forms: Vec::new(), objects: Vec::new(), nodes: Vec::new() };
        for number in 0..KEYS {
            let name = format!("{kind}-{number}");
            let issued = authority.leaf(&[&world.hostname(&name)]).issue();
            keys.forms.push(forms(&issued));
            keys.objects.push(tls_secret(world.namespace, &name, &issued));
            keys.objects.push(manifests::deployment(world.namespace, &name, &format!("{name}:/certs")));
            keys.nodes.push(virtual_node(world.namespace, &name, &world.hostname(&name)));
        }
        keys
    }
}

/// Copies of keys, by form.
fn copies(replica: &Replica, keys: &Keys) -> [usize; 3] {
    let needles: Vec<(usize, &[u8])> =
        keys.forms.iter().flat_map(|forms| forms.iter().map(Vec::as_slice).enumerate()).collect();
    let begins: HashSet<[u8; 8]> = needles.iter().filter_map(|(_, needle)| needle.first_chunk().copied()).collect();
    let mut pairs = vec![false; 1 << 16];
    begins.iter().for_each(|begin| pairs[usize::from(u16::from_le_bytes([begin[0], begin[1]]))] = true);
    let longest = needles.iter().map(|(_, needle)| needle.len()).max().unwrap_or_default();
    let mut found = [0; 3];
    each_piece(replica, longest, |piece, limit| {
        for at in 0..limit.min(piece.len().saturating_sub(8)) {
            if pairs[usize::from(u16::from_le_bytes([piece[at], piece[at + 1]]))]
                && piece[at..].first_chunk().is_some_and(|begin| begins.contains(begin))
            {
                for (form, needle) in &needles {
                    found[*form] += usize::from(piece[at..].starts_with(needle));
                }
            }
        }
    });
    found
}

/// Reads the memory, in pieces that overlap by so much: each with how far a find in it counts.
fn each_piece(replica: &Replica, overlap: usize, mut look: impl FnMut(&[u8], usize)) {
    let folder = sandbox::proc_of(replica.process());
    let of = |file: &str| folder.join(file);
    let memory = File::open(of("mem")).expect("the suite is root in its namespace, and may read it");
    let mut buffer = vec![0; PIECE + overlap];
    let mut read = 0;
    for line in std::fs::read_to_string(of("maps")).expect("its maps").lines() {
        let mut words = line.split_ascii_whitespace();
        let range = words.next().and_then(|range| range.split_once('-')).expect("a range");
        let [from, to] = [range.0, range.1].map(|number| u64::from_str_radix(number, 16).expect("an address"));
        if !words.next().is_some_and(|rights| rights.starts_with('r')) || line.contains("[v") {
            continue;
        }
        let mut at = from;
        while at < to {
            let wanted = buffer.len().min(usize::try_from(to - at).expect("it fits"));
            let got = memory.read_at(&mut buffer[..wanted], at).unwrap_or(0);
            read += got.min(PIECE);
            if buffer[..got].iter().any(|byte| *byte != 0) {
                look(&buffer[..got], PIECE);
            }
            at += u64::try_from(PIECE).expect("it fits");
        }
    }
    assert!(read > 10 * PIECE, "{read} bytes are not a meshvet");
}

/// A copy of the Secret's own data, so that a count of none isn't one of a broken look.
fn certificates(replica: &Replica, name: &str) -> usize {
    let mut found = 0;
    each_piece(replica, name.len(), |piece, limit| {
        let ends = piece.windows(name.len()).take(limit).filter(|window| *window == name.as_bytes());
        found += ends.count();
    });
    found
}

/// What may be left, of all keys together: the end of a list or a watch's last event, in the buffer of a connection that is still open.
/// That isn't freed, and is overwritten by what comes next. Such a buffer of 16 KiB has room for a few Secrets.
const LEFT: usize = 4;

#[track_caller]
fn holds_none(replica: &Replica, keys: &Keys, when: &str) {
    assert!(certificates(replica, "of-before-7.") + certificates(replica, "before-7") > 0, "it has read them");
    let mut seen = [0; 3];
    // Reads that are under way end.
    for _ in 0..20 {
        seen = copies(replica, keys);
        if seen.iter().sum::<usize>() <= LEFT {
            println!("{when}: {seen:?} copies are left");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{when}: {seen:?} copies of {KEYS} keys, as number, PEM and base64");
}

fn read_keys_dont_stay_in_memory() {
    let plane = ControlPlane::start("memory");
    install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    let world = World::on(&plane, "keys");
    let authority = Authority::new("Test root");
    let (before, while_serving) = (Keys::new(&world, &authority, "before"), Keys::new(&world, &authority, "while"));
    world.has(before.objects.clone());
    let watching = installation.start("watch");
    installation.route_to(&[&watching]);
    installation.wait_until_judging("default");
    holds_none(&watching, &before, "--secrets=watch, from its lists");
    let applied = |outcome: &Outcome| assert_eq!(outcome.code, 0, "{outcome}");
    // Each is reviewed, with its key, and comes by the watch.
    applied(&world.kubectl.apply(&manifests::list(while_serving.objects.clone()), &[]));
    world.knows(&while_serving.nodes[KEYS - 1]);
    applied(&world.kubectl.apply(&manifests::list(while_serving.nodes.clone()), &[]));
    holds_none(&watching, &while_serving, "--secrets=watch, from reviews and watches");
    drop(watching);

    follow_readme(&plane, "secrets-get").succeeds();
    follow_readme(&plane, "entries").succeeds();
    let getting = installation.start("get");
    installation.route_to(&[&getting]);
    installation.wait_until_judging("default");
    applied(&world.kubectl.apply(&manifests::list(before.nodes.clone()), &[]));
    eventually("reviews have read the Secrets", || {
        let read = getting.figure("meshvet_store_reads_total{outcome=\"read\"}");
        if read.is_some_and(|read| read > 0.0) { Ok(()) } else { Err(format!("{read:?}")) }
    });
    holds_none(&getting, &before, "--secrets=get");
}

/// Runs a program without any capability, as in a pod of the chart.
fn without_capabilities(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(program);
    command
}

fn its_memory_is_closed_to_others() {
    let folder = crate::world::plane().folder();
    let mut serve = without_capabilities(&sandbox::meshvet());
    serve.args(["serve", "--self-signed", "--listen=127.0.0.1:0", "--probe-listen=127.0.0.1:0", "--kubeconfig"]);
    serve.arg(folder.join("kubeconfig"));
    let log = folder.join("closed.log");
    let mut meshvet = spawn(serve, &log);
    let mut sleep = without_capabilities(Path::new("sleep"));
    let mut other = spawn(
        {
            sleep.arg("60");
            sleep
        },
        &folder.join("sleep.log"),
    );
    eventually("it is ready", || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        if log.lines().any(|line| line.ends_with("ready")) { Ok(()) } else { Err(log) }
    });
    // Of the same user, with the same rights.
    let reads = |process: u32| {
        let mut cat = without_capabilities(Path::new("cat"));
        cat.arg(sandbox::proc_of(process).join("maps")).output().expect("cat runs").status.success()
    };
    let (open, closed) = (reads(other.id()), !reads(meshvet.id()));
    for child in [&mut meshvet, &mut other] {
        let _ = child.kill();
        let _ = child.wait();
    }
    assert!(open, "what isn't closed can be read here");
    assert!(closed, "the memory of meshvet can be read by whoever runs as its user");
}
