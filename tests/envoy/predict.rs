//! What meshvet's reading of the files says will come of a pairing.

use jiff::Timestamp;
use meshvet::pki::path::{PathVerdict, Purpose, find_path};
use meshvet::pki::{Certificate, FileFacts, HandshakeFailure, KeySupport, san_entry_matches};

use crate::pairing::{
    CHAIN, CLIENT_CHAIN, CLIENT_KEY, CLIENT_TRUST, Content, Identity, KEY, Pairing, Place, Program, ServerTls, TRUST,
    Validation,
};
use crate::proxies::{Outcome, Side};

/// What is said of a pairing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prediction {
    Works,
    /// With these texts in what the client's proxy and the server's say; empty where there is none to say.
    Fails {
        client: String,
        server: String,
    },
    /// With one of these texts.
    Refused {
        by: Side,
        logs: Vec<String>,
    },
    /// Nothing is claimed.
    Unknown(String),
}

impl Prediction {
    /// Whether the real outcome is what was predicted, texts included.
    pub(crate) fn holds(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Works, Outcome::Works) => true,
            (Self::Fails { client, server }, Outcome::Fails { client: at_client, server: at_server }) => {
                contains(at_client, client) && contains(at_server.as_deref().unwrap_or_default(), server)
            }
            (Self::Refused { by, logs }, Outcome::Refused { by: by_really, log }) => {
                by == by_really && logs.iter().any(|predicted| contains(log, predicted))
            }
            _ => false,
        }
    }
}

/// Envoy writes underscores for spaces where a text stands in an access log.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    let plain = |text: &str| text.replace(' ', "_");
    plain(text).contains(&plain(part))
}

struct Read {
    chain: FileFacts,
    key: FileFacts,
}

fn read(content: &Content) -> FileFacts {
    FileFacts::parse(content.as_deref().unwrap_or_default())
}

/// What a proxy says of its files when it refuses them.
struct Loaded {
    logs: Vec<String>,
}

impl Loaded {
    fn bundle(&mut self, validation: &Validation, at: &str) -> FileFacts {
        let facts = read(&validation.bundle);
        match &facts.bundle {
            _ if validation.bundle.is_none() => self.logs.push(format!("Invalid path: {at}")),
            Ok(_) => {}
            Err(error) => self.logs.push(error.envoy_log(at)),
        }
        facts
    }

    fn identity(&mut self, identity: &Identity, [chain_at, key_at]: [&str; 2], is_server: bool) -> Read {
        let read = Read { chain: self::read(&identity.chain), key: self::read(&identity.key) };
        // An absent file is as an empty one.
        if let Err(error) = &read.chain.chain {
            self.logs.push(error.envoy_log(chain_at));
        }
        if let Err(error) = &read.key.key {
            self.logs.push(error.envoy_log(key_at));
        }
        if let Ok(chain) = &read.chain.chain {
            let leaf = chain.leaf();
            if let KeySupport::Refused { .. } = leaf.key_support() {
                self.logs.extend(leaf.key_support().envoy_log(chain_at));
            }
            if let Ok(key) = &read.key.key {
                self.logs.extend(key.fit(leaf).envoy_log(key_at));
            }
            self.logs.extend(leaf.nameless_log().filter(|_| is_server).map(str::to_owned));
        }
        read
    }
}

/// Whether the files are to say what comes of a call: where both ends are as in a mesh.
pub(crate) fn is_predicted(pairing: &Pairing) -> bool {
    let plaintext_to_tls = pairing.client.is_none() && pairing.server.is_some() && pairing.place != Place::Listener;
    // What a server says that is no Envoy is its own.
    let by_another = pairing.place != Place::Listener && pairing.program != Program::Envoy;
    let is_plain = |tls: &ServerTls| tls.validation.is_none() && has_good_key(&tls.identity);
    let is_known = !by_another || pairing.server.as_ref().is_none_or(is_plain);
    pairing.is_of_app_mesh() && !plaintext_to_tls && is_known && pairing.program != Program::Mute
}

/// Whether every server can shake hands with this key.
pub(crate) fn has_good_key(identity: &Identity) -> bool {
    read(&identity.chain).chain.is_ok_and(|chain| matches!(chain.leaf().key_support(), KeySupport::Good))
}

/// What will come of a call.
pub(crate) fn predict(pairing: &Pairing, now: Timestamp) -> Prediction {
    let mut server = Loaded { logs: Vec::new() };
    let own = pairing.server.as_ref().map(|tls| {
        let clients = tls.validation.as_ref().map(|validation| server.bundle(validation, CLIENT_TRUST));
        (server.identity(&tls.identity, [CHAIN, KEY], true), clients)
    });
    let mut client = Loaded { logs: Vec::new() };
    let theirs = pairing.client.as_ref().map(|tls| {
        let trust = tls.validation.as_ref().map(|validation| (validation, client.bundle(validation, TRUST)));
        let files = [CLIENT_CHAIN, CLIENT_KEY];
        (trust, tls.identity.as_ref().map(|identity| client.identity(identity, files, false)))
    });
    if pairing.place != Place::Listener && pairing.program != Program::Envoy {
        server.logs.clear();
    }
    for (by, loaded) in [(Side::Server, server), (Side::Client, client)] {
        if !loaded.logs.is_empty() {
            return Prediction::Refused { by, logs: loaded.logs };
        }
    }
    let (Some((own, clients)), Some((trust, identity))) = (own, theirs) else { return without_tls(pairing) };
    if let Err(prediction) = server_is_accepted(pairing, &own, trust.as_ref(), now) {
        return prediction;
    }
    let validation = pairing.server.as_ref().and_then(|tls| tls.validation.as_ref());
    match (validation, clients) {
        (Some(validation), Some(clients)) => client_is_accepted(validation, &clients, identity.as_ref(), now),
        _ => Prediction::Works,
    }
}

fn fails(client: impl Into<String>, server: impl Into<String>) -> Prediction {
    Prediction::Fails { client: client.into(), server: server.into() }
}

fn without_tls(pairing: &Pairing) -> Prediction {
    match (&pairing.server, &pairing.client) {
        (None, Some(_)) => {
            fails("UF TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end", "")
        }
        (Some(tls), None) if !tls.permissive => fails("UC", ""),
        _ => Prediction::Works,
    }
}

fn server_is_accepted(
    pairing: &Pairing,
    own: &Read,
    trust: Option<&(&Validation, FileFacts)>,
    now: Timestamp,
) -> Result<(), Prediction> {
    let Ok(chain) = &own.chain.chain else { return Ok(()) };
    let leaf = chain.leaf();
    // Without a common kind of key there is no certificate to verify; its key usage is looked at after that.
    let mut afterwards = Ok(());
    match leaf.key_support() {
        KeySupport::HandshakeFails { reason: HandshakeFailure::KeyUsage, log } => afterwards = Err(fails(log, "")),
        KeySupport::OnlyTls13 { log } | KeySupport::HandshakeFails { log, .. } => return Err(fails(log, "")),
        KeySupport::Good | KeySupport::Refused { .. } => {}
    }
    let Some((validation, Ok(bundle))) = trust.map(|(validation, facts)| (validation, &facts.bundle)) else {
        return afterwards;
    };
    let verdict = find_path(chain, bundle, Purpose::Server);
    if let PathVerdict::Unknown(why) = verdict {
        return Err(Prediction::Unknown(why));
    }
    if let Some(refusal) = verdict.refusal_at(now) {
        return Err(fails(refusal.envoy_log(), ""));
    }
    if named(leaf, pairing.expected(validation)) {
        return afterwards;
    }
    Err(fails("verify cert failed: SAN matcher, certificate SANs are [", ""))
}

fn named<'a>(leaf: &Certificate, names: impl IntoIterator<Item = &'a str>) -> bool {
    names.into_iter().any(|name| san_entry_matches(leaf, name))
}

fn client_is_accepted(
    validation: &Validation,
    clients: &FileFacts,
    identity: Option<&Read>,
    now: Timestamp,
) -> Prediction {
    let Ok(bundle) = &clients.bundle else { return Prediction::Works };
    let Some(Ok(chain)) = identity.map(|read| &read.chain.chain) else {
        return fails("SSLV3_ALERT_HANDSHAKE_FAILURE", "PEER_DID_NOT_RETURN_A_CERTIFICATE");
    };
    let leaf = chain.leaf();
    let mut afterwards = Prediction::Works;
    match leaf.client_key_support() {
        KeySupport::HandshakeFails { reason: HandshakeFailure::KeyUsage, log } => afterwards = fails(log, ""),
        KeySupport::OnlyTls13 { log } | KeySupport::HandshakeFails { log, .. } => return fails(log, ""),
        KeySupport::Good | KeySupport::Refused { .. } => {}
    }
    let verdict = find_path(chain, bundle, Purpose::Client);
    if let PathVerdict::Unknown(why) = verdict {
        return Prediction::Unknown(why);
    }
    if let Some(refusal) = verdict.refusal_at(now) {
        return fails(refusal.alert(), refusal.envoy_log());
    }
    if validation.names.is_empty() || named(leaf, validation.names.iter().map(String::as_str)) {
        return afterwards;
    }
    fails("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "verify cert failed: SAN matcher, certificate SANs are [")
}
