//! What clients of a real Envoy see in the cases, compared with what meshvet reports.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::backends;
use crate::case::{Case, GATEWAY};
use crate::checked::{self, Said};
use crate::client::{self, Outcome, Seen};
use crate::standalone::Programs;
use crate::verdicts::known;

/// For each case, what each of its clients saw.
pub(crate) type Clients = BTreeMap<String, Vec<Seen>>;

/// How long a listener may take, after Envoy has its listeners, before it counts as dead.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where meshvet neither denies nor warns, though a client is refused; or denies, though it is served.
const MEANT: [(&str, &str); 11] = [
    (
        "unknown-critical-extension a.example.com",
        "which extensions a client knows is its own matter, and no rule looks for it",
    ),
    ("authority-as-leaf a.example.com", "this client alone refuses an authority's certificate"),
    ("labelled-x509 a.example.com", LABEL),
    ("labelled-trusted a.example.com", LABEL),
    ("pkcs8-key-labelled-sec1 a.example.com", LABEL),
    ("ca-of-the-system a.example.com", BACKEND),
    ("ca-leaf a.example.com", BACKEND),
    ("san-uri a.example.com", BACKEND),
    ("san-star a.example.com", BACKEND),
    ("hostname-of-another a.example.com", BACKEND),
    (
        "frontend-leaf a.example.com",
        "it trusts another leaf than the one that the client shows, which is in no manifest",
    ),
];
const LABEL: &str = "labels aren't looked at, which Go insists on, and Envoy doesn't";
const BACKEND: &str = "what the backend shows is in no manifest";

/// What the clients of a case see.
pub(crate) fn seen(programs: &Programs, case: &Case) -> Vec<Seen> {
    backends::start();
    let mut running = programs.start(&known(case));
    running.ready();
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE && !case.asks.iter().all(client::is_served) {
        std::thread::sleep(Duration::from_millis(100));
    }
    case.asks.iter().map(client::ask).collect()
}

/// Where meshvet and clients disagree without a reason, or agree despite one.
pub(crate) fn disagreements(case: &Case, seen: &[Seen]) -> Vec<String> {
    let said = checked::checked(case);
    let mut wrong = Vec::new();
    for (ask, seen) in case.asks.iter().zip(seen).filter(|(ask, _)| !ask.of.is_empty()) {
        let fault = fault(&ask.of, seen, &said);
        let name = format!("{} {}", case.name, ask.host.as_deref().unwrap_or_default());
        let meant = MEANT.iter().find(|(of, _)| *of == name);
        match (fault, meant) {
            (Some(fault), None) => wrong.push(format!("{name}: {fault}: {seen:?}, meshvet: {said:?}")),
            (None, Some((_, why))) => wrong.push(format!("{name}: no difference any more, though {why}")),
            _ => {}
        }
    }
    if case.asks.len() != seen.len() {
        wrong.push(format!("{}: other clients than recorded: scripts/test gateway", case.name));
    }
    wrong
}

fn fault(of: &[String], seen: &Seen, said: &Said) -> Option<&'static str> {
    let denies = of.iter().any(|subject| checked::denies(said, subject));
    let warns = of.iter().any(|subject| checked::warns(said, subject));
    let by_backend = of.iter().any(|subject| subject.starts_with("BackendTLSPolicy") || subject == GATEWAY);
    let fails = match seen.outcome {
        // What the gateway itself answers when the backend isn't called.
        Outcome::Served(status) => by_backend && status >= 500,
        Outcome::Ended(_) => true,
    };
    // Nobody knows which authorities clients trust.
    let refused = seen.wrong.as_ref().is_some_and(|wrong| wrong != "unknown issuer");
    match (fails || refused, denies, warns) {
        (true, false, false) => Some("a client is refused, and nothing is said"),
        (false, true, _) => Some("a client is served, and it is denied"),
        _ => None,
    }
}
