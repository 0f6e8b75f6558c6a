//! What happens to healthy listeners when a proxy starts with a certificate beside them that its Envoy refuses.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::backends;
use crate::case::{Ask, Case, https, route_to};
use crate::client;
use crate::secrets::{self, Pair};
use crate::standalone::Programs;

/// How often a proxy starts with each kind of certificate.
pub(crate) const TIMES: usize = 12;
/// The healthy listeners beside it.
pub(crate) const NEIGHBOURS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// The listener with the certificate that is refused.
pub(crate) const REFUSED: &str = "Gateway shop/web refused";
/// How long a listener may take, after Envoy has its listeners, before it counts as dead.
const PATIENCE: Duration = Duration::from_secs(3);

/// The outcome for one kind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Started {
    /// For each start: how many neighbours were dead.
    pub(crate) dead_neighbours: Vec<usize>,
    /// In how many starts the listener itself was dead.
    pub(crate) dead_itself: usize,
}

pub(crate) type Starts = BTreeMap<String, Started>;

/// A listener's certificates that an Envoy starts with.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The certificate in question.
    pair: Pair,
    /// Whether the listener has a sound one as well, which comes first.
    beside_sound: bool,
}

/// The kinds that Envoy Gateway accepts and Envoy refuses; and one that is good. Beside a sound one it is a race: Envoy serves that one if it
/// gets it first.
pub(crate) fn kinds() -> Vec<Kind> {
    const P256: [&str; 2] = ["EC", "ec_paramgen_curve:P-256"];
    const NAME: &str = "subjectAltName=DNS:refused.example.com";
    let rsa_1024 = || secrets::extended(&["RSA", "rsa_keygen_bits:1024"], &[NAME]);
    let p_224 = || secrets::extended(&["EC", "ec_paramgen_curve:P-224"], &[NAME]);
    let alone = [
        ("sound", secrets::named("refused.example.com")),
        ("rsa-1024", rsa_1024()),
        ("p-224", p_224()),
        ("nameless", secrets::nameless()),
        ("mail-alone", secrets::extended_for(&P256, "/O=shop", &["subjectAltName=email:a@example.com"])),
        ("ec-key-agreement", secrets::extended(&P256, &[NAME, "keyUsage=keyAgreement"])),
        ("must-staple", secrets::extended(&P256, &[NAME, "tlsfeature=status_request"])),
    ];
    let beside = [
        ("sound-and-rsa-1024", rsa_1024()),
        // The name of the sound one: Envoy Gateway leaves it out.
        ("sound-and-p-224-of-its-name", p_224()),
        (
            "sound-and-p-224",
            secrets::extended(&["EC", "ec_paramgen_curve:P-224"], &["subjectAltName=DNS:other.example.com"]),
        ),
        ("sound-and-nameless", secrets::nameless()),
    ];
    let alone = alone.into_iter().map(|(name, pair)| Kind { name, pair, beside_sound: false });
    alone.chain(beside.into_iter().map(|(name, pair)| Kind { name, pair, beside_sound: true })).collect()
}

/// A Gateway with healthy listeners, and one with this certificate.
pub(crate) fn case(kind: &Kind) -> Case {
    let host = |name: &str| format!("{name}.example.com");
    let names = || NEIGHBOURS.into_iter().chain(["refused"]);
    let mut listeners: Vec<Value> = names().map(|name| https(name, &host(name))).collect();
    if let Some(refused) = listeners.last_mut().filter(|_| kind.beside_sound) {
        refused["tls"]["certificateRefs"] = json!([{"name": "beside"}, {"name": "refused"}]);
    }
    let tls = |name: &str, pair: &Pair| secrets::secret("shop", name, "kubernetes.io/tls", pair);
    let hosts: Vec<String> = names().map(host).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    Case::of(kind.name, &listeners)
        .and(NEIGHBOURS.into_iter().map(|name| tls(name, &secrets::named(&host(name)))))
        .with(tls("refused", &kind.pair))
        .and(kind.beside_sound.then(|| tls("beside", &secrets::named(&host("refused")))))
        .with(route_to("HTTPRoute", json!([{"name": "web"}]), &hosts))
}

/// Starts both again and again.
pub(crate) fn started(programs: &Programs, kind: &Kind) -> Started {
    backends::start();
    let case = case(kind);
    let asks: Vec<Ask> = NEIGHBOURS
        .into_iter()
        .chain(["refused"])
        .map(|name| Ask { port: 443, host: Some(format!("{name}.example.com")), shows: None, of: Vec::new() })
        .collect();
    let mut started = Started { dead_neighbours: Vec::new(), dead_itself: 0 };
    for _ in 0..TIMES {
        let mut running = programs.start(case.objects());
        running.ready();
        let begun = Instant::now();
        let mut served = vec![false; asks.len()];
        while begun.elapsed() < PATIENCE && served.contains(&false) {
            for (served, ask) in served.iter_mut().zip(&asks).filter(|(served, _)| !**served) {
                *served = client::is_served(ask);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let (itself, neighbours) = served.split_last().expect("listeners");
        started.dead_neighbours.push(neighbours.iter().filter(|served| !**served).count());
        started.dead_itself += usize::from(!itself);
    }
    started
}
