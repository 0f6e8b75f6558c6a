//! What Envoy Gateway reports and does, compared with what `meshvet check` reports for the same manifests.
//!
//! Each case is minted anew. Its recorded verdicts are in `envoy-gateway.json`: the conditions that Envoy Gateway's own translator gives,
//! or Envoy Gateway itself in a cluster. `clients.json` has what clients of its Envoy saw, and `starts.json` what happened to healthy
//! listeners beside a certificate that Envoy refuses. `scripts/test gateway` records all of them again; with `MESHVET_CASES=rsa,ended`,
//! only cases whose names contain one of these parts. Where meshvet differs on purpose, the case says why.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod backends;
mod case;
mod cases;
mod checked;
mod client;
mod clients;
mod cluster;
mod records;
mod secrets;
mod standalone;
mod starts;
mod verdicts;

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use case::Case;
use clients::Clients;
use cluster::Cluster;
use records::Record;
use standalone::Programs;
use starts::Starts;
use verdicts::Verdicts;

/// In how many networks clients make requests at once: most of the time they wait.
const NETWORKS: usize = 4;

#[test]
fn meshvet_and_envoy_gateway_agree_but_where_it_is_meant() {
    let recorded: Record<Verdicts> = records::read("envoy-gateway.json");
    let cases = cases::all();
    let wrong = records::in_parallel(cases, |case| {
        let verdicts = recorded.cases.get(&case.name);
        let verdicts = verdicts.unwrap_or_else(|| panic!("no verdict of {}: scripts/test gateway", case.name));
        checked::disagreements(case, verdicts)
    });
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_case_has_a_name_of_its_own_and_a_record() {
    let recorded: Record<Verdicts> = records::read("envoy-gateway.json");
    let cases = cases::all();
    let names: BTreeSet<&String> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "two cases of one name");
    assert_eq!(names, recorded.cases.keys().collect(), "scripts/test gateway");
    assert!(cases.len() >= 150, "{} cases", cases.len());
}

#[test]
fn each_difference_says_why() {
    for case in cases::all() {
        for difference in &case.differences {
            assert!(difference.why.len() > 20, "{}: {difference:?}", case.name);
        }
    }
}

#[test]
#[ignore = "records anew what Envoy Gateway says, by scripts/test gateway"]
fn record_verdicts() {
    let (in_cluster, others): (Vec<&Case>, Vec<&Case>) =
        cases::all().iter().filter(|case| records::is_wanted(&case.name)).partition(|case| case.in_cluster);
    let verdicts = standalone::in_networks("record_verdicts", 1, |_| {
        let cluster = Cluster::start();
        in_cluster.iter().map(|case| (case.name.clone(), cluster.verdicts(case))).collect()
    });
    let Some(mut verdicts) = verdicts else { return };
    let egctl = records::part("egctl");
    let translated = records::in_parallel(&others, |case| verdicts::translated(&egctl, case));
    verdicts.extend(others.iter().map(|case| case.name.clone()).zip(translated));
    records::write("envoy-gateway.json", verdicts);
}

#[test]
fn meshvet_and_clients_agree() {
    let recorded: Record<Clients> = records::read("clients.json");
    let cases: Vec<&Case> = cases::all().iter().filter(|case| !case.asks.is_empty()).collect();
    let wrong = records::in_parallel(&cases, |case| match recorded.cases.get(&case.name) {
        Some(seen) => clients::disagreements(case, seen),
        None => vec![format!("nothing was recorded of {}: scripts/test gateway", case.name)],
    });
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "records anew what clients see, by scripts/test gateway"]
fn record_clients() {
    let asks = |case: &&Case| !case.asks.is_empty() && records::is_wanted(&case.name);
    let cases = || cases::all().iter().filter(asks).enumerate();
    let seen = standalone::in_networks("record_clients", NETWORKS, |is_mine| {
        let programs = Programs::new();
        cases()
            .filter(|(place, _)| is_mine(*place))
            .map(|(_, case)| (case.name.clone(), clients::seen(&programs, case)))
            .collect()
    });
    if let Some(seen) = seen {
        records::write("clients.json", seen);
    }
}

#[test]
fn what_takes_neighbours_down_is_denied() {
    let recorded: Record<Starts> = records::read("starts.json");
    for kind in &starts::kinds() {
        let name = kind.name;
        let started = recorded.cases.get(name).unwrap_or_else(|| panic!("no start with {name}: scripts/test gateway"));
        assert_eq!(started.dead_neighbours.len(), starts::TIMES, "{name}");
        let said = checked::checked(&starts::case(kind));
        let denied = said.get(starts::REFUSED).is_some_and(|all| all.contains(&("MV502".to_owned(), true)));
        let refused = started.dead_itself > 0;
        assert_eq!(denied, refused, "{name}: {started:?}, meshvet: {said:?}");
        for neighbour in starts::NEIGHBOURS {
            let subject = format!("Gateway shop/web {neighbour}");
            assert!(!checked::denies(&said, &subject), "{name}: {subject} is sound: {said:?}");
        }
    }
    let sound = &recorded.cases["sound"];
    assert_eq!((sound.dead_itself, sound.dead_neighbours.iter().sum::<usize>()), (0, 0), "a sound start: {sound:?}");
}

#[test]
#[ignore = "records anew what becomes of listeners when a proxy starts, by scripts/test gateway"]
fn record_starts() {
    let starts = standalone::in_networks("record_starts", NETWORKS, |is_mine| {
        let programs = Programs::new();
        let kinds = starts::kinds()
            .into_iter()
            .filter(|kind| records::is_wanted(kind.name))
            .enumerate()
            .filter(|(place, _)| is_mine(*place));
        kinds.map(|(_, kind)| (kind.name.to_owned(), starts::started(&programs, &kind))).collect()
    });
    if let Some(starts) = starts {
        records::write("starts.json", starts);
    }
}
