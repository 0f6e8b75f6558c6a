//! What meshvet's watches haven't told it yet, or can't: what has changed is judged as it is now, nothing is refused for what it was, and
//! once it can be heard of again it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chaos::Line;
use crate::control_plane::ControlPlane;
use crate::orders::shop::{ROOT, Shop};
use crate::orders::writes::Write::{self, Apply, DryRun};
use crate::orders::writes::{Said, Writer};
use crate::release::Release;
use crate::replica::Replica;
use crate::sandbox::eventually;
use crate::world;

tests![
    what_changed_a_moment_ago_is_judged_as_it_is_now,
    nothing_is_refused_for_what_it_was_before_the_watches_were_cut_off,
    nothing_is_refused_for_what_may_no_longer_be_read,
    after_an_outage_everything_is_known_again_within_seconds,
    a_process_that_was_stopped_knows_what_happened_meanwhile,
];

/// Changes of one kind in one mode, half of them while the machine is busy.
const CHANGES: usize = 126;
/// After the API server is back, or may be asked again: until everything is right.
const SOON: Duration = Duration::from_secs(3);

/// The chart's release on a cluster of its own, one replica, and who writes.
struct Bed<'a> {
    plane: &'a ControlPlane,
    replica: Replica,
    writer: Writer,
}

impl<'a> Bed<'a> {
    fn start(plane: &'a ControlPlane, values: &[&str], port: u16) -> Self {
        world::install_crds(plane);
        let release = Release::install(plane, ("meshvet-system", "meshvet"), values);
        let installation = release.installation();
        let replica = installation.start_through("0", port);
        installation.route_to(&[&replica]);
        installation.wait_until_judging("default");
        let writer = Writer::new(&plane.folder().join("kubeconfig"));
        Self { plane, replica, writer }
    }

    /// All that a sound node `blue` rests on, and a Secret `wrong-tls` with a certificate of another name.
    fn shop(&self, name: &str) -> Shop {
        let shop = Shop::new(name);
        self.does(&Apply(shop.namespace())).succeeds();
        for write in shop.ground() {
            self.does(&write).succeeds();
        }
        let mut wrong = named(&shop, "elsewhere.local");
        wrong["metadata"]["name"] = "wrong-tls".into();
        self.does(&Apply(wrong)).succeeds();
        shop
    }

    /// The same, with a Deployment that mounts the wrong Secret, which meshvet knows.
    fn broken_shop(&self, name: &str) -> Shop {
        let shop = self.shop(name);
        self.does(&Apply(shop.deployment("blue", "wrong-tls:/certs"))).succeeds();
        eventually("the broken Deployment is known", || {
            let said = self.does(&DryRun(shop.server()));
            if said.tells(&["MV101".to_owned()]) && !said.is_done() { Ok(()) } else { Err(said.to_string()) }
        });
        shop
    }

    fn does(&self, write: &Write) -> Said {
        self.writer.write(write)
    }

    fn replace(&self, object: &Value) {
        self.plane.kubectl.run(&["replace", "-f", "-"], &object.to_string()).succeeds();
    }
}

/// The Secret of `blue` with a leaf of this name.
fn named(shop: &Shop, host: &str) -> Value {
    shop.server_secret(&ROOT.leaf(&[host]).issue())
}

/// Keeps all processors busy while it lives.
struct Hogs(&'static AtomicBool);

impl Hogs {
    fn start() -> Self {
        static END: AtomicBool = AtomicBool::new(false);
        END.store(false, Ordering::Relaxed);
        for _ in 0..4 {
            std::thread::spawn(|| {
                while !END.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(&END)
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A Secret, then a Deployment, change to bad and back; right after each change somebody asks for a node that rests on it.
fn what_changed_a_moment_ago_is_judged_as_it_is_now() {
    for (mode, cluster) in [("watch", "lag-watch"), ("get", "lag-get")] {
        let plane = ControlPlane::start(cluster);
        let bed = Bed::start(&plane, &[&format!("secrets.mode={mode}")], plane.port());
        let shop = bed.shop("lag");
        let host = shop.host();
        let secrets = [named(&shop, &host), named(&shop, "elsewhere.local")];
        let deployments = ["blue-tls:/certs", "wrong-tls:/certs"].map(|mounts| shop.deployment("blue", mounts));
        let (mut wrong, mut hogs) = (Vec::new(), None);
        for (what, states) in [("Secret", secrets), ("Deployment", deployments)] {
            for turn in 1..=CHANGES {
                hogs = (turn > CHANGES / 2).then(|| hogs.take().unwrap_or_else(Hogs::start));
                let broken = turn % 2;
                bed.does(&Apply(states[broken].clone())).succeeds();
                let said = bed.does(&DryRun(shop.server()));
                let is_right = match broken {
                    0 => said.is_done() && said.warnings.is_empty(),
                    _ => !said.is_done() && said.tells(&["MV101".to_owned()]),
                };
                if !is_right {
                    wrong.push(format!("{what} {turn}: {said}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{mode}: {} of {}: {}", wrong.len(), 2 * CHANGES, wrong.join("\n"));
        let newer = bed.replica.figure("meshvet_confirmations_total{outcome=\"newer\"}");
        let same = bed.replica.figure("meshvet_confirmations_total{outcome=\"same\"}");
        let figure = |name: &str| bed.replica.figure(&format!("meshvet_review_seconds_{name}")).unwrap_or_default();
        let millis = 1_000.0 * figure("sum") / figure("count");
        println!("{mode}: {same:?} as known, {newer:?} newer than known; {millis:.1} ms a review");
    }
}

/// The connections that are open carry nothing any more, and nobody is told.
fn nothing_is_refused_for_what_it_was_before_the_watches_were_cut_off() {
    let plane = ControlPlane::start("swallowed");
    let line = Line::to(plane.port());
    let bed = Bed::start(&plane, &[], line.port);
    let shop = bed.broken_shop("swallowed");
    line.swallow();
    bed.does(&Apply(shop.deployment("blue", "blue-tls:/certs"))).succeeds();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        bed.does(&DryRun(shop.server())).succeeds();
    }
}

/// A Deployment is repaired while meshvet may not list Deployments any more.
fn nothing_is_refused_for_what_may_no_longer_be_read() {
    let plane = ControlPlane::start("forbidden");
    let line = Line::to(plane.port());
    let bed = Bed::start(&plane, &[], line.port);
    let shop = bed.broken_shop("forbidden");
    let mut role = bed.plane.kubectl.get(&["clusterrole", "meshvet"]);
    role["metadata"].as_object_mut().expect("metadata").retain(|field, _| field == "name" || field == "labels");
    let without = |taken: &str| {
        let mut less = role.clone();
        less["rules"].as_array_mut().expect("rules").retain_mut(|rule| {
            let Some(resources) = rule["resources"].as_array_mut() else { return true };
            resources.retain(|resource| resource != taken);
            !resources.is_empty()
        });
        bed.replace(&less);
        // Rights are read by a watch of the API server's own.
        std::thread::sleep(Duration::from_secs(2));
        line.cut();
    };
    without("deployments");
    bed.does(&Apply(shop.deployment("blue", "blue-tls:/certs"))).succeeds();
    for _ in 0..20 {
        let said = bed.does(&DryRun(shop.server())).succeeds();
        let words =
            ["MV101", "not confirmed", "Deployment forbidden/blue is known as of", "UTC", "may not list deployments"];
        assert!(said.tells(&words.map(str::to_owned)), "{said}");
    }
    // What doesn't rest on it is refused as ever.
    let mut unreadable = shop.server();
    unreadable["spec"]["listeners"][0]["tls"]["certificate"] = json!({});
    let said = bed.does(&DryRun(unreadable));
    assert!(!said.is_done() && said.tells(&["MV004".to_owned()]), "{said}");
    bed.replace(&role);
    eventually("it is known as it is", || {
        let said = bed.does(&DryRun(shop.server()));
        if said.is_done() && said.warnings.is_empty() { Ok(()) } else { Err(said.to_string()) }
    });
    // Likewise where labels of namespaces decide who has a proxy.
    bed.does(&Apply(shop.deployment("blue", "wrong-tls:/certs"))).succeeds();
    without("namespaces");
    let said = bed.does(&DryRun(shop.server())).succeeds();
    let words = ["MV101", "not confirmed", "Namespace forbidden is known as of", "may not list namespaces"];
    assert!(said.tells(&words.map(str::to_owned)), "{said}");
}

/// Outages of 5, 30 and 90 seconds, and ten restarts: meanwhile a node's Deployment is repaired, and another's is broken.
fn after_an_outage_everything_is_known_again_within_seconds() {
    let mut plane = ControlPlane::start("outages");
    let (replica, writer);
    {
        let bed = Bed::start(&plane, &[], plane.port());
        for name in ["mended", "broken"] {
            bed.shop(name);
        }
        (replica, writer) = (bed.replica, bed.writer);
    }
    let [mended, broken] = ["mended", "broken"].map(Shop::new);
    let outages = [5, 30, 90].map(Duration::from_secs).into_iter().chain(std::iter::repeat_n(Duration::ZERO, 10));
    for (turn, outage) in outages.enumerate() {
        let [before, after] = [["wrong-tls:/certs", "blue-tls:/certs"], ["blue-tls:/certs", "wrong-tls:/certs"]];
        for (shop, mounts) in [(&mended, before[0]), (&broken, after[0])] {
            writer.write(&Apply(shop.deployment("blue", mounts))).succeeds();
        }
        let mut started = Instant::now();
        plane.restart_api_server(|_| {
            std::thread::sleep(outage);
            started = Instant::now();
        });
        // The first that comes through ends the outage.
        let writes =
            [(&mended, before[1]), (&broken, after[1])].map(|(shop, mounts)| Apply(shop.deployment("blue", mounts)));
        for write in &writes {
            eventually("the API server takes writes", || {
                let said = writer.try_write(write)?;
                if said.is_done() { Ok(()) } else { Err(said.to_string()) }
            });
        }
        let back = Instant::now();
        let mut watched = None;
        while watched.is_none() || back.elapsed() < SOON {
            // A webhook that can't be asked, or a replica that is not trusted yet, refuses by itself.
            let of_meshvet = |said: &Said| said.lines().iter().any(|line| line.contains("denied the request"));
            let said = writer.write(&DryRun(mended.server()));
            assert!(!of_meshvet(&said), "turn {turn}, {:?} after the outage: {said}", back.elapsed());
            let oldest = ["Deployment", "Secret", "VirtualNode", "ConfigMap", "Namespace"]
                .map(|kind| replica.figure(&format!("meshvet_cache_age_seconds{{kind=\"{kind}\"}}")).expect("an age"));
            // Whatever was heard, it was heard of the API server that was started then.
            if oldest.iter().all(|age| *age < started.elapsed().as_secs_f64()) {
                watched = watched.or(Some(back.elapsed()));
            }
            assert!(back.elapsed() < Duration::from_secs(60), "turn {turn}: {oldest:?}\n{}", replica.log());
        }
        let watched = watched.expect("it has been heard of");
        println!("turn {turn}, outage {outage:?}: every watch has heard {watched:?} after it");
        assert!(watched < SOON, "turn {turn}: {watched:?}\n{}", replica.log());
        let said = writer.write(&DryRun(broken.server()));
        assert!(!said.is_done() && said.tells(&["MV101".to_owned()]), "turn {turn}: {said}");
        let said = writer.write(&DryRun(mended.server()));
        assert!(said.is_done() && said.warnings.is_empty(), "turn {turn}: {said}");
        let log = replica.log();
        assert!(!log.contains("must allow list and watch"), "the start of an API server is no missing right: {log}");
    }
}

/// SIGSTOP for some seconds, as a paused machine: Secrets change meanwhile, and who asks first is told what is now.
fn a_process_that_was_stopped_knows_what_happened_meanwhile() {
    let plane = ControlPlane::start("stopped");
    let bed = Bed::start(&plane, &[], plane.port());
    let shop = bed.shop("stopped");
    let secrets = [named(&shop, &shop.host()), named(&shop, "elsewhere.local")];
    for turn in 1..=6 {
        let broken = turn % 2;
        bed.replica.signal("STOP");
        // The webhook for Secrets doesn't answer, and lets them pass when its time is up.
        bed.does(&Apply(secrets[broken].clone())).succeeds();
        bed.replica.signal("CONT");
        let said = bed.does(&DryRun(shop.server()));
        let is_right = if broken == 0 { said.is_done() } else { !said.is_done() && said.tells(&["MV101".to_owned()]) };
        assert!(is_right, "turn {turn}: {said}");
    }
}
