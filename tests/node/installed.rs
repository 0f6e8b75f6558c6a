//! The chart as it stands, in pods that the kubelet runs and a namespace that enforces Pod Security `restricted`.

use serde_json::json;

use crate::bed::{NAMESPACE, NODES, bed, patiently};
use crate::cgroups;
use crate::images;

tests![
    two_pods_are_ready_on_two_nodes,
    the_namespace_enforces_restricted,
    processes_have_what_the_security_context_leaves_them,
    reviews_are_answered_by_pods,
    its_own_test_succeeds,
    a_replica_that_hangs_is_unready_then_started_again,
    the_kernel_holds_it_to_the_charts_memory,
];

fn two_pods_are_ready_on_two_nodes() {
    let bed = bed();
    let pods = bed.two_ready();
    let mut nodes: Vec<String> = pods.iter().map(|pod| pod.node()).collect();
    nodes.sort();
    assert_eq!(nodes, NODES, "the real scheduler keeps two replicas apart");
    for pod in &pods {
        let image = pod.0["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        assert!(image.starts_with(&format!("{}:", images::MESHVET)), "{image}");
        assert_eq!(pod.restarts(), 0, "{}", bed.log(pod));
        let log = bed.log(pod);
        for word in ["\"ERROR\"", "forbidden"] {
            assert!(!log.contains(word), "{word}:\n{log}");
        }
    }
}

fn the_namespace_enforces_restricted() {
    let bed = bed();
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "careless", "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "careless", "image": images::PAUSE}]},
    });
    let outcome = bed.kubectl.create(&pod, &["--dry-run=server"]);
    assert!(outcome.code != 0 && outcome.stderr.contains("violates PodSecurity \"restricted"), "{outcome}");
}

fn processes_have_what_the_security_context_leaves_them() {
    let bed = bed();
    for pod in bed.two_ready() {
        let process = pod.process();
        let status = std::fs::read_to_string(process.join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
            line.unwrap_or_else(|| panic!("{name}:\n{status}")).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(field("Uid"), "65532 65532 65532 65532");
        assert_eq!(field("Gid"), "65532 65532 65532 65532");
        assert_eq!(field("Seccomp"), "2", "a filter");
        assert_eq!(field("NoNewPrivs"), "1");
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(u64::from_str_radix(&field(set), 16), Ok(0), "{set}");
        }
        let mounts = std::fs::read_to_string(process.join("mountinfo")).unwrap();
        let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).expect("a root");
        assert!(root.split(' ').nth(5).is_some_and(|options| options.split(',').any(|one| one == "ro")), "{root}");
        // Nothing that it could run: one program, and no shell.
        let programs = std::fs::read_dir(process.join("root/usr/bin")).unwrap().count();
        assert_eq!(programs, 1);
        assert!(!process.join("root/bin").exists() && !process.join("root/lib").exists());
    }
}

fn reviews_are_answered_by_pods() {
    let bed = bed();
    bed.try_broken().refused(&["MV101 hostname-mismatch", "api.elsewhere.local"]);
    bed.kubectl.apply(&bed.sound, &["--dry-run=server"]).succeeds_silently();
}

fn its_own_test_succeeds() {
    let bed = bed();
    let outcome = bed.helm("test", &["--timeout", "2m"], &[]);
    assert!(outcome.code == 0 && outcome.stdout.contains("Succeeded"), "{outcome}\n{}", bed.picture());
}

/// Stopped by a signal, it answers no probe: the kubelet takes it from the Service, then starts it again.
fn a_replica_that_hangs_is_unready_then_started_again() {
    let bed = bed();
    let pod = bed.two_ready().remove(0);
    let name = pod.field("name");
    let now = || bed.pods().into_iter().find(|pod| pod.field("name") == name).expect("the pod");
    let before = now().restarts();
    let number = pod.process();
    let number = number.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kill = std::process::Command::new("sh").args(["-c", &format!("kill -STOP {number}")]).status();
    assert!(kill.expect("sh runs").success());
    patiently("it isn't ready", || if now().is_ready() { Err(bed.picture()) } else { Ok(()) });
    patiently("the other answers alone", || {
        let outcome = bed.try_broken();
        if outcome.speaks_of("MV101") { Ok(()) } else { Err(outcome.to_string()) }
    });
    patiently("the kubelet starts it again", || {
        let now = now();
        if now.restarts() > before && now.is_ready() { Ok(()) } else { Err(bed.picture()) }
    });
}

fn the_kernel_holds_it_to_the_charts_memory() {
    let bed = bed();
    let stream = crate::stream::Stream::start(&bed.plane, &bed.sound);
    // A few times over.
    for _ in 0..5 {
        stream.wait_for(500);
    }
    stream.end();
    for pod in bed.two_ready() {
        let (limit, most) = cgroups::memory(&pod.container());
        assert_eq!(limit, 512 << 20, "what values.yaml says");
        assert!(most < limit / 2, "{most} of {limit} bytes");
        println!("{}: at most {most} bytes of memory", pod.field("name"));
    }
}
