//! The admin interface's `/stats`: what a proxy counts, by listener and cluster.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

/// The filter (an RE2 pattern) that keeps an answer small: a proxy of a big mesh has tens of thousands of counters.
pub(super) const FILTER: &str =
    r"^(listener|cluster)\..*(\.ssl\.|ssl_socket_factory\.|stream_cx_total$)|^server\.uptime$";

/// Which end of a connection the proxy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The server's end: others connect to it.
    Listener,
    /// The client's end: it connects to others.
    Cluster,
}

impl Side {
    /// As Envoy's counters spell it: `listener` or `cluster`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Side::Listener => "listener",
            Side::Cluster => "cluster",
        }
    }
}

/// One listener or cluster of a proxy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope {
    /// Which of the two.
    pub side: Side,
    /// Its name among the counters: of a listener its address (`0.0.0.0_15000`) unless it has a stat prefix.
    pub name: String,
}

/// What one listener or cluster counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScopeStats {
    /// Whether it is configured for TLS: counters of TLS exist from the moment it is, at zero.
    pub tls: bool,
    /// Connections accepted or opened, with TLS or without, failed ones included.
    pub connections: u64,
    /// Counters of TLS by their last part (`handshake`, `fail_verify_san`), zeros included.
    pub counters: BTreeMap<String, u64>,
    /// Connections by version of TLS (`TLSv1.2`).
    pub versions: BTreeMap<String, u64>,
    /// Connections by cipher, in BoringSSL's names.
    pub ciphers: BTreeMap<String, u64>,
}

impl ScopeStats {
    /// A counter of TLS; 0 when it isn't there.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or_default()
    }

    /// TLS connections that were made.
    pub(crate) fn handshakes(&self) -> u64 {
        self.counter("handshake")
    }
}

/// What a proxy counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    /// Its listeners and clusters, its own admin listener left out.
    pub scopes: BTreeMap<Scope, ScopeStats>,
    /// Seconds since it started, which is since when it counts.
    pub uptime: Option<u64>,
}

/// An answer that is no statistics of Envoy.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum StatsError {
    /// Not one counter of a proxy in it.
    #[error("the answer to /stats is not Envoy's: is this the port of the proxy's admin interface?")]
    NotEnvoy,
}

impl Stats {
    /// Reads an answer to `/stats`, as JSON (`{"stats": [{"name": …, "value": …}]}`) or text (`name: value` a line; what an
    /// Envoy too old for `format=json` answers). What isn't a number is left out: histograms, and counters to come.
    ///
    /// # Errors
    /// [`StatsError`] when there is nothing of a proxy in it.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, StatsError> {
        let mut stats = Self::default();
        if let Ok(document) = serde_json::from_slice::<Value>(body) {
            let entries = document.get("stats").and_then(Value::as_array).ok_or(StatsError::NotEnvoy)?;
            for entry in entries {
                let name = entry.get("name").and_then(Value::as_str);
                if let (Some(name), Some(value)) = (name, entry.get("value").and_then(Value::as_u64)) {
                    stats.add(name, value);
                }
            }
        } else {
            for line in String::from_utf8_lossy(body).lines() {
                if let Some((name, value)) = line.rsplit_once(": ")
                    && let Ok(value) = value.trim_end().parse()
                {
                    stats.add(name, value);
                }
            }
        }
        if stats.uptime.is_none() && stats.scopes.is_empty() { Err(StatsError::NotEnvoy) } else { Ok(stats) }
    }

    /// What was counted after `earlier`. A counter that went back is of a proxy that started anew: it stands as it is.
    #[must_use]
    pub(crate) fn since(mut self, earlier: &Stats) -> Self {
        for (scope, stats) in &mut self.scopes {
            let Some(before) = earlier.scopes.get(scope) else { continue };
            let less = |now: &mut u64, before: u64| *now = now.checked_sub(before).unwrap_or(*now);
            less(&mut stats.connections, before.connections);
            for (now, before) in [
                (&mut stats.counters, &before.counters),
                (&mut stats.versions, &before.versions),
                (&mut stats.ciphers, &before.ciphers),
            ] {
                for (name, value) in now {
                    less(value, before.get(name).copied().unwrap_or_default());
                }
            }
        }
        self
    }

    fn add(&mut self, name: &str, value: u64) {
        if name == "server.uptime" {
            self.uptime = Some(value);
            return;
        }
        let Some((side, rest)) = (match name.split_once('.') {
            Some(("listener", rest)) => Some((Side::Listener, rest)),
            Some(("cluster", rest)) => Some((Side::Cluster, rest)),
            _ => None,
        }) else {
            return;
        };
        // A name may hold anything, dots and `.ssl.` too: the counter is what stands behind the last.
        let socket_factory = || {
            rest.rsplit_once(".client_ssl_socket_factory.").or_else(|| rest.rsplit_once(".server_ssl_socket_factory."))
        };
        if let Some((scope, counter)) = rest.rsplit_once(".ssl.").or_else(socket_factory) {
            let Some(stats) = self.scope(side, scope) else { return };
            stats.tls = true;
            if let Some(version) = counter.strip_prefix("versions.") {
                stats.versions.insert(version.to_owned(), value);
            } else if let Some(cipher) = counter.strip_prefix("ciphers.") {
                stats.ciphers.insert(cipher.to_owned(), value);
            } else if !counter.contains('.') {
                stats.counters.insert(counter.to_owned(), value);
            }
        } else if let Some((scope, "downstream_cx_total" | "upstream_cx_total")) = rest.rsplit_once('.')
            && let Some(stats) = self.scope(side, scope)
        {
            stats.connections = value;
        }
    }

    /// None for the admin listener, and for a listener's counters that are kept once more for each thread.
    fn scope(&mut self, side: Side, name: &str) -> Option<&mut ScopeStats> {
        if side == Side::Listener {
            let thread =
                name.rsplit_once('.').is_some_and(|(_, last)| last == "main_thread" || last.starts_with("worker_"));
            if name == "admin" || thread {
                return None;
            }
        }
        Some(self.scopes.entry(Scope { side, name: name.to_owned() }).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
cluster.blue.client_ssl_socket_factory.upstream_context_secrets_not_ready: 0
cluster.blue.ssl.certificate.unnamed_ca_cert_e3b0c442.expiration_unix_time_seconds: 1830011353
cluster.blue.ssl.ciphers.ECDHE-RSA-AES128-GCM-SHA256: 2
cluster.blue.ssl.fail_verify_san: 1
cluster.blue.ssl.handshake: 2
cluster.blue.ssl.versions.TLSv1.2: 2
cluster.blue.upstream_cx_total: 3
cluster.plain.upstream_cx_total: 1
listener.0.0.0.0_15000.downstream_cx_total: 4
listener.0.0.0.0_15000.worker_0.downstream_cx_total: 4
listener.admin.downstream_cx_total: 1
listener.admin.main_thread.downstream_cx_total: 1
listener.0.0.0.0_15000.downstream_cx_length_ms: P0(nan,1) P25(nan,2)
server.uptime: 60
";

    fn scope(side: Side, name: &str) -> Scope {
        Scope { side, name: name.to_owned() }
    }

    #[test]
    fn counters_are_kept_by_listener_and_cluster() {
        let stats = Stats::parse(TEXT.as_bytes()).unwrap();
        let names: Vec<_> = stats.scopes.keys().map(|it| (it.side, it.name.as_str())).collect();
        assert_eq!(names, [(Side::Listener, "0.0.0.0_15000"), (Side::Cluster, "blue"), (Side::Cluster, "plain")]);
        assert_eq!(stats.uptime, Some(60));
        let blue = &stats.scopes[&scope(Side::Cluster, "blue")];
        assert!(blue.tls);
        assert_eq!((blue.connections, blue.handshakes(), blue.counter("fail_verify_san")), (3, 2, 1));
        assert_eq!(blue.versions.get("TLSv1.2"), Some(&2));
        assert_eq!(blue.ciphers.get("ECDHE-RSA-AES128-GCM-SHA256"), Some(&2));
        assert!(!stats.scopes[&scope(Side::Cluster, "plain")].tls);
        let listener = &stats.scopes[&scope(Side::Listener, "0.0.0.0_15000")];
        assert_eq!((listener.tls, listener.connections), (false, 4));
    }

    #[test]
    fn json_and_text_say_the_same() {
        let entries: Vec<Value> = TEXT
            .lines()
            .filter_map(|line| line.rsplit_once(": "))
            .filter_map(|(name, value)| Some(serde_json::json!({"name": name, "value": value.parse::<u64>().ok()?})))
            .chain([serde_json::json!({"histograms": {"supported_quantiles": [0, 25]}})])
            .collect();
        let json = serde_json::json!({ "stats": entries }).to_string();
        assert_eq!(Stats::parse(json.as_bytes()), Stats::parse(TEXT.as_bytes()));
    }

    #[test]
    fn a_name_may_hold_what_separates() {
        let stats = Stats::parse(b"cluster.a.ssl.b: c.ssl.handshake: 7\nlistener.[__1]_443.ssl.handshake: 1").unwrap();
        assert_eq!(stats.scopes[&scope(Side::Cluster, "a.ssl.b: c")].handshakes(), 7);
        assert_eq!(stats.scopes[&scope(Side::Listener, "[__1]_443")].handshakes(), 1);
    }

    #[test]
    fn what_comes_later_is_the_difference() {
        let earlier = Stats::parse(TEXT.as_bytes()).unwrap();
        let later = TEXT
            .replace("fail_verify_san: 1", "fail_verify_san: 5")
            .replace("blue.ssl.handshake: 2", "blue.ssl.handshake: 1");
        let since = Stats::parse(later.as_bytes()).unwrap().since(&earlier);
        let blue = &since.scopes[&scope(Side::Cluster, "blue")];
        assert_eq!((blue.counter("fail_verify_san"), blue.connections), (4, 0));
        assert_eq!(blue.handshakes(), 1, "the proxy started anew");
    }

    #[test]
    fn odd_values_are_left_out() {
        let json = br#"{"stats": [null, 1, {"name": 3}, {"name": "cluster.a.ssl.handshake", "value": -1},
            {"name": "cluster..ssl.", "value": 18446744073709551615}, {"name": "listener", "value": 1},
            {"name": "cluster.b.ssl.handshake", "value": 1.5}, {"name": "server.uptime", "value": "soon"}]}"#;
        let stats = Stats::parse(json).unwrap();
        assert_eq!(stats.scopes.len(), 1);
        assert_eq!(stats.uptime, None);
    }

    #[test]
    fn another_answer_is_no_statistics() {
        let deep = "[".repeat(100_000);
        for body in ["", "{}", "[]", "<html>not here</html>", r#"{"stats": {}}"#, r#"{"stats": []}"#, &deep, "\u{0}: 1"]
        {
            assert_eq!(Stats::parse(body.as_bytes()), Err(StatsError::NotEnvoy), "{:?}", body.get(..20));
        }
        assert_eq!(Stats::parse(&[0xff, 0xfe, 0x3a]), Err(StatsError::NotEnvoy));
    }
}
