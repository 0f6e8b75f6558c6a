//! A cluster at its worst: whatever happens to meshvet, to what it watches and to what lies between, no verdict is wrong, and
//! afterwards it knows the cluster as it is.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::replica::Replica;
use crate::sandbox::{API_SERVER, eventually};
use crate::support::manifests::{self, secret, tls_secret, virtual_node, virtual_service};
use crate::support::mint::Authority;
use crate::world::{self, World};

tests![no_verdict_is_wrong_and_the_caches_equal_the_cluster_in_the_end];

const NAMESPACE: &str = "chaos";
/// How long the storm of Secrets lasts, and how many there are.
const STORM: Duration = Duration::from_secs(8);
const SECRETS: usize = 200;
/// Who writes them, side by side.
const WRITERS: usize = 16;

fn no_verdict_is_wrong_and_the_caches_equal_the_cluster_in_the_end() {
    let mut plane = ControlPlane::start("chaos");
    world::install_crds(&plane);
    Installation::of_deploy(&plane);
    let world = World::on(&plane, NAMESPACE);
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    world.has([tls_secret(NAMESPACE, "web-tls", &issued), manifests::deployment(NAMESPACE, "web", "web-tls:/certs")]);
    let sound = virtual_node(NAMESPACE, "web", &world.hostname("web"));
    let broken = virtual_node(NAMESPACE, "web", "web.elsewhere.local");

    let line = Line::to(plane.port());
    let installation = Installation::copy_for(&plane, NAMESPACE, "Fail");
    let [mut first, mut second] = ["0", "1"].map(|name| installation.start_through(name, line.port));
    installation.route_to(&[&first, &second]);
    installation.wait_until_judging(NAMESPACE);
    world.knows(&sound);
    let verdicts = Verdicts::start(&plane, &sound, &broken);
    verdicts.wait_for(20);
    equal(&[&first, &second]);

    line.cut();
    world.has([virtual_service(NAMESPACE, "cut", "web")]);
    verdicts.wait_for(10);
    equal(&[&first, &second]);

    println!("{:.0} updates of Secrets a second", storm(&plane));
    verdicts.wait_for(10);
    equal(&[&first, &second]);

    plane.pause_etcd(|| std::thread::sleep(Duration::from_secs(4)));
    verdicts.wait_for(10);

    // A policy that can't be read changes nothing, and the next good one holds.
    for replica in [&first, &second] {
        let policy = |text: &str| replica.update_volume("policy", &vec![("config.yaml".to_owned(), text.into())]);
        policy("severities: {hostname-missmatch: off}\n");
        eventually("the broken policy is noticed", || {
            let log = replica.log();
            if log.contains("hostname-missmatch") { Ok(()) } else { Err(log) }
        });
        verdicts.wait_for(10);
        policy("severities: {MV101: deny}\n");
    }
    verdicts.wait_for(10);

    // One ends without a word, the other as the kubelet ends it: under load, and in the middle of another storm.
    let third = std::thread::scope(|scope| {
        let storm = scope.spawn(|| storm(&plane));
        second.kill();
        installation.route_to(&[&first]);
        verdicts.wait_for(10);
        let third = installation.start_through("2", line.port);
        installation.route_to(&[&first, &third]);
        verdicts.wait_for(10);
        first.terminate();
        installation.route_to(&[&third]);
        println!("{:.0} of them meanwhile", storm.join().expect("the storm ends"));
        third
    });
    assert!(first.wait_until_ended().success(), "{}", first.log());
    verdicts.wait_for(20);
    equal(&[&third]);

    plane.restart_api_server(|plane| {
        // What happens while nobody can tell.
        plane.delete_raw(&format!("/registry/secrets/{NAMESPACE}/storm-0"));
        plane.delete_raw(&format!("/registry/appmesh.k8s.aws/virtualservices/{NAMESPACE}/cut"));
    });
    verdicts.wait_for(20);
    equal(&[&third]);

    let (right, unanswered, wrong) = verdicts.end();
    println!("{right} verdicts, all of them right; {unanswered} requests without one");
    assert!(wrong.is_empty(), "{} wrong verdicts, the first of them:\n{}", wrong.len(), wrong[0]);
}

/// What these replicas know is what is in the cluster, within a minute: they are asked to compare, as an operator would.
#[track_caller]
fn equal(replicas: &[&Replica]) {
    for replica in replicas {
        eventually("the caches equal the cluster", || {
            let outcomes = |log: &str| log.matches("caches").count();
            let before = outcomes(&replica.log());
            replica.signal("USR1");
            eventually("the outcome is told", || {
                let log = replica.log();
                if outcomes(&log) > before { Ok(()) } else { Err(log) }
            });
            let log = replica.log();
            let last = log.lines().rfind(|line| line.contains("caches")).unwrap_or_default().to_owned();
            if last.contains("the caches equal the cluster") { Ok(()) } else { Err(last) }
        });
        let metrics = replica.get("/metrics").expect("metrics");
        assert!(metrics.contains("meshvet_cache_differences 0\n"), "{metrics}");
    }
}

/// Writes Secrets as fast as the machine lets it, each with another value each time: how many a second.
fn storm(plane: &ControlPlane) -> f64 {
    let kubeconfig = plane.folder().join("kubeconfig");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (started, written) = (Instant::now(), AtomicUsize::new(0));
    runtime.block_on(async {
        let client = client(&kubeconfig).await;
        let write = async |writer: usize| {
            for round in 0_usize.. {
                for number in (writer..SECRETS).step_by(WRITERS) {
                    if started.elapsed() > STORM {
                        return;
                    }
                    let name = format!("storm-{number}");
                    let secret = secret(NAMESPACE, &name, &[("value", &format!("{round} of {number}"))]);
                    let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/{name}?fieldManager=storm&force=true");
                    let patch = Request::patch(path).header("content-type", "application/apply-patch+yaml");
                    let patch = patch.body(secret.to_string().into_bytes()).expect("a request");
                    client.request_text(patch).await.expect("a Secret is written");
                    written.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        futures::future::join_all((0..WRITERS).map(write)).await;
    });
    f64::from(u32::try_from(written.into_inner()).expect("few")) / started.elapsed().as_secs_f64()
}

async fn client(kubeconfig: &std::path::Path) -> kube::Client {
    let config = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
    kube::Client::try_from(config.expect("a configuration")).expect("a client")
}

/// Dry runs of a sound node and a broken one in turn, whose verdicts are known.
struct Verdicts {
    right: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(usize, Vec<String>)>,
}

impl Verdicts {
    fn start(plane: &ControlPlane, sound: &Value, broken: &Value) -> Self {
        let (right, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let kubeconfig = plane.folder().join("kubeconfig");
        let bodies = [sound, broken].map(|node| node.to_string().into_bytes());
        let (counter, flag) = (Arc::clone(&right), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = client(&kubeconfig).await;
                let (mut unanswered, mut wrong) = (0, Vec::new());
                for turn in 0_usize.. {
                    if flag.load(Ordering::Relaxed) {
                        break;
                    }
                    let is_sound = turn.is_multiple_of(2);
                    let path = format!("/apis/appmesh.k8s.aws/v1beta2/namespaces/{NAMESPACE}/virtualnodes?dryRun=All");
                    let request = Request::post(path).header("content-type", "application/json");
                    let request = request.body(bodies[turn % 2].clone()).expect("a request");
                    let answer = client.request_text(request).await;
                    let denied = answer.as_ref().is_err_and(|error| error.to_string().contains("denied the request"));
                    match (&answer, denied) {
                        (Ok(_), _) if is_sound => counter.fetch_add(1, Ordering::Relaxed),
                        (Err(error), true) if !is_sound && error.to_string().contains("MV101") => {
                            counter.fetch_add(1, Ordering::Relaxed)
                        }
                        (Err(_), false) => {
                            unanswered += 1;
                            tokio::time::sleep(Duration::from_millis(20)).await;
                            0
                        }
                        _ => {
                            wrong.push(format!("sound: {is_sound}: {answer:?}"));
                            0
                        }
                    };
                }
                (unanswered, wrong)
            })
        });
        Self { right, stop, thread }
    }

    /// Waits until so many more verdicts have been given, right ones.
    #[track_caller]
    fn wait_for(&self, count: usize) {
        let from = self.right.load(Ordering::Relaxed);
        eventually("verdicts go on", || {
            let more = self.right.load(Ordering::Relaxed) - from;
            if more >= count { Ok(()) } else { Err(format!("{more} of {count}")) }
        });
    }

    /// How many verdicts were right, how many requests got none, and the wrong ones.
    fn end(self) -> (usize, usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let (unanswered, wrong) = self.thread.join().expect("the stream ends");
        (self.right.load(Ordering::Relaxed), unanswered, wrong)
    }
}

/// What lies between meshvet and the API server, and can be cut.
struct Line {
    port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    /// A line to the API server at this port. It has the server's address, for which its certificate is.
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind((API_SERVER, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let open = Arc::new(Mutex::new(Vec::new()));
        let streams = Arc::clone(&open);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(SocketAddr::from((API_SERVER, server))) else { continue };
                streams
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend([&near, &far].map(|it| it.try_clone().unwrap()));
                for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    std::thread::spawn(move || pass_on(from, to));
                }
            }
        });
        Self { port, open }
    }

    /// Cuts all connections; new ones go through.
    fn cut(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
