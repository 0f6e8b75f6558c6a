//! What meshvet can't see, or not yet, or where it may not tell: it says so, and alarms nobody.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::orders::bed::{Bed, events};
use crate::orders::shop::{ROOT, Shop};
use crate::orders::writes::Write::{self, Apply};
use crate::orders::writes::{Said, Writer};
use crate::release::Release;
use crate::replica::Replica;
use crate::sandbox::{API_SERVER, eventually};
use crate::world::{self, plane};

tests![
    what_broke_while_it_was_down_is_told_once_it_is_back,
    without_watched_secrets_it_says_what_it_does_not_see,
    a_review_waits_for_a_replica_that_is_not_ready,
    a_replica_that_is_not_ready_in_time_lets_pass_or_refuses_as_its_entry_says,
    a_namespace_that_is_going_takes_no_event_and_makes_no_noise,
];

fn what_broke_while_it_was_down_is_told_once_it_is_back() {
    let Bed { plane, replica, writer, .. } = Bed::start("back", &[]);
    let shops = ["broken-meanwhile", "renewed-meanwhile"].map(Shop::new);
    for shop in &shops {
        writer.write(&Apply(shop.namespace())).succeeds();
        for write in shop.sound() {
            writer.write(&write).succeeds();
        }
    }
    drop(replica);
    let [broken, renewed] = &shops;
    for secret in
        [broken.server_secret(&ROOT.leaf(&["elsewhere.local"]).issue()), renewed.server_secret(&renewed.leaf())]
    {
        writer.write(&Apply(secret)).succeeds_silently();
    }
    let _back = Installation::of_deployment(&plane, "meshvet-system", "meshvet").start("1");
    eventually("it is told", || {
        let events = events(&writer, &broken.name);
        if events.iter().any(|event| event.note.starts_with("MV101")) { Ok(()) } else { Err(format!("{events:?}")) }
    });
    let events = events(&writer, &renewed.name);
    assert!(events.is_empty(), "{events:?}");
}

/// The chart with Secrets read for reviews alone, and then with none read at all.
fn without_watched_secrets_it_says_what_it_does_not_see() {
    let plane = ControlPlane::start("unseen");
    world::install_crds(&plane);
    let writer = Writer::new(&plane.folder().join("kubeconfig"));
    let release = Release::install(&plane, ("meshvet-system", "meshvet"), &["secrets.mode=get"]);
    for (mode, reads) in [("get", true), ("none", false)] {
        release.upgrade(&[&format!("secrets.mode={mode}")]);
        let installation = release.installation();
        let replica = installation.start(mode);
        installation.route_to(&[&replica]);
        installation.wait_until_judging("default");
        let told = format!("(--secrets {mode}): no Event and no figure tells of what is in one");
        eventually("the log says what isn't seen", || {
            let log = replica.log();
            if log.contains(&told) && log.contains("`meshvet audit` reads them by name") { Ok(()) } else { Err(log) }
        });
        let shop = Shop::new(&format!("unseen-{mode}"));
        let does = |write: &Write| writer.write(write);
        does(&Apply(shop.namespace())).succeeds();
        for write in shop.sound() {
            does(&write).succeeds_silently();
        }
        // A rotation that breaks the node: nobody reviews it, and nobody claims to know of it.
        let misnamed = ROOT.leaf(&["elsewhere.local"]).issue();
        does(&Apply(shop.server_secret(&misnamed))).succeeds_silently();
        // What can be seen is told all the same: the end of the mount of the other one.
        does(&Apply(shop.deployment("front", ""))).succeeds_silently();
        eventually("the figures tell what is seen", || {
            let figures = replica.get("/metrics")?;
            let here: Vec<&str> =
                figures.lines().filter(|line| line.contains(&format!("=\"{}\"", shop.name))).collect();
            let is_told = here.iter().any(|line| line.contains("MV201"));
            if is_told { Ok(()) } else { Err(format!("{here:?}")) }
        });
        let figures = replica.get("/metrics").expect("figures");
        assert!(!figures.contains("MV101") && !figures.contains("MV202"), "{figures}");
        // A review reads the Secret by its name, where it may.
        let mut edited = shop.server();
        edited["metadata"]["name"] = "again".into();
        let said = does(&Apply(edited));
        assert_eq!(said.tells(&["MV101".to_owned()]), reads, "{said}");
        assert_eq!(said.is_done(), !reads, "{said}");
    }
}

/// A way to the API server that is shut at first: whoever connects waits.
struct Gate {
    port: u16,
    open: Arc<AtomicBool>,
}

impl Gate {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind((API_SERVER, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let open = Arc::new(AtomicBool::new(false));
        let is_open = Arc::clone(&open);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let is_open = Arc::clone(&is_open);
                std::thread::spawn(move || {
                    while !is_open.load(Ordering::Relaxed) {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    let Ok(far) = TcpStream::connect(SocketAddr::from((API_SERVER, server))) else { return };
                    for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                        std::thread::spawn(move || pass_on(from, to));
                    }
                });
            }
        });
        Self { port, open }
    }

    fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
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

/// A namespace with a broken node's Secret and Deployment, and a replica for it that is called and can't read the cluster.
fn waiting(namespace: &'static str, failure_policy: &str) -> (Shop, Writer, Gate, Replica) {
    let (shop, writer) = (Shop::new(namespace), Writer::new(&plane().folder().join("kubeconfig")));
    writer.write(&Apply(shop.namespace())).succeeds();
    let installation = Installation::copy_for(plane(), namespace, failure_policy);
    let gate = Gate::to(plane().port());
    let replica = installation.start_unready_through("0", gate.port);
    installation.route_to(&[&replica]);
    let leaf = ROOT.leaf(&["elsewhere.local"]).issue();
    eventually("the API server calls the replica", || {
        let said = writer.write(&Apply(shop.server_secret(&leaf)));
        let is_called = said.tells(&["was not judged".to_owned()]);
        // Another rotation: what changes nothing isn't sent.
        if is_called {
            Ok(())
        } else {
            Err(format!("{}\n{}", writer.write(&Apply(shop.server_secret(&shop.leaf()))), said))
        }
    });
    (shop, writer, gate, replica)
}

fn a_review_waits_for_a_replica_that_is_not_ready() {
    let (shop, writer, gate, mut replica) = waiting("waits", "Fail");
    assert_eq!(replica.probe("/readyz"), Ok(503), "{}", replica.log());
    writer.write(&Apply(shop.deployment("blue", "blue-tls:/certs"))).succeeds();
    let said = std::thread::scope(|scope| {
        let review = scope.spawn(|| writer.write(&Apply(shop.server())));
        // It is under way by then; were it not, it would be answered as well.
        std::thread::sleep(Duration::from_millis(500));
        gate.open();
        review.join().expect("an answer")
    });
    assert!(said.code == 403 && said.tells(&["MV101".to_owned()]), "{said}\n{}", replica.log());
    replica.wait_until_ready();
}

fn a_replica_that_is_not_ready_in_time_lets_pass_or_refuses_as_its_entry_says() {
    for (namespace, policy) in [("unready-ignore", "Ignore"), ("unready-fail", "Fail")] {
        let (shop, writer, gate, mut replica) = waiting(namespace, policy);
        // What a mesh rests on always passes, and is said to be unjudged.
        let said: Said = writer.write(&Apply(shop.deployment("blue", "blue-tls:/certs"))).succeeds();
        assert!(said.tells(&["Deployment".to_owned(), "was not judged".to_owned()]), "{said}");
        let said = writer.write(&Apply(shop.server()));
        if policy == "Ignore" {
            let said = said.succeeds();
            let words = [shop.member("blue"), "was not judged".to_owned(), "meshvet isn't ready".to_owned()];
            assert!(said.tells(&words), "{said}");
        } else {
            assert!(!said.is_done() && said.tells(&["meshvet isn't ready, and judged nothing".to_owned()]), "{said}");
        }
        let figure = "meshvet_failures_total{cause=\"not-ready\"}";
        assert!(replica.figure(figure).is_some_and(|count| count >= 2.0), "{:?}", replica.figure(figure));
        let told = replica.log().matches("not ready: reviews get no verdict at their deadline").count();
        assert_eq!(told, 1, "{}", replica.log());
        // Once it can read the cluster, it judges.
        gate.open();
        replica.wait_until_ready();
        let mut again = shop.server();
        again["metadata"]["name"] = "again".into();
        let said = writer.write(&Apply(again));
        assert!(said.code == 403 && said.tells(&["MV101".to_owned()]), "{said}");
    }
}

/// Nothing empties it here: it stays as it is while its controller would.
fn a_namespace_that_is_going_takes_no_event_and_makes_no_noise() {
    let (bed, shop) = (Bed::shared(), Shop::new("going"));
    bed.does(&Apply(shop.namespace())).succeeds();
    for write in shop.sound() {
        bed.does(&write).succeeds();
    }
    bed.plane.kubectl.run(&["delete", "namespace", "going", "--wait=false"], "").succeeds();
    // Objects may still be changed, and go one by one.
    for name in ["elsewhere.local", "elsewhere.again"] {
        let leaf = ROOT.leaf(&[name]).issue();
        bed.does(&Apply(shop.server_secret(&leaf))).succeeds();
        bed.settle();
        assert!(bed.figures().count("going", "MV101") > 0);
    }
    bed.does(&Write::Delete(shop.deployment("blue", ""))).succeeds();
    bed.settle();
    assert_eq!(bed.events("going").len(), 0);
    let log = bed.replica.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("Event") && line.contains("\"going\"")).collect();
    assert!(told.is_empty(), "{told:#?}");
    // Meanwhile others are told.
    let other = Shop::new("staying");
    bed.does(&Apply(other.namespace())).succeeds();
    for write in other.sound() {
        bed.does(&write).succeeds();
    }
    bed.does(&Apply(other.server_secret(&ROOT.leaf(&["elsewhere.local"]).issue()))).succeeds();
    eventually("another namespace is told", || {
        let events = bed.events("staying");
        if events.iter().any(|event| event.note.starts_with("MV101")) { Ok(()) } else { Err(format!("{events:?}")) }
    });
}
