//! What a proxy's counters and certificates say.

use jiff::Timestamp;

use crate::apis;
use crate::finding::catalogue::{
    CERTIFICATE_EXPIRED, CERTIFICATE_EXPIRING, CERTIFICATE_NOT_YET_VALID, TLS_NOT_REQUIRED,
};
use crate::finding::{Rule, Severity};
use crate::text::plural;
use crate::verify::counters::{explain, sounds_wrong};
use crate::verify::{ProxyCertificate, Reading, Role, Scope, Stats};

/// Whether a proxy speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsUse {
    /// Connections with TLS were made.
    InUse,
    /// TLS is configured, and no connection with it was made.
    Unused,
    /// No listener and no cluster is configured for TLS.
    None,
}

/// Something wrong, or not as sure as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// How it weighs.
    pub severity: Severity,
    /// The listener or cluster; None when it is of the whole proxy.
    pub scope: Option<Scope>,
    /// The counter that tells (its last part), and its value.
    pub counter: Option<(String, u64)>,
    /// The rules that find the cause, the likeliest first. Empty when none does.
    pub rules: Vec<&'static Rule>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// A proxy, as it was read and judged.
#[derive(Debug)]
pub(crate) struct ProxyReport {
    /// Its URL, or `namespace/pod`.
    pub proxy: String,
    /// Whether it speaks TLS.
    pub tls: TlsUse,
    /// What it counted.
    pub stats: Stats,
    /// What it has loaded.
    pub certificates: Vec<ProxyCertificate>,
    /// What is wrong, the worst first.
    pub faults: Vec<Fault>,
}

/// Judges a proxy: its counters, whether TLS is used at all, and the dates of its certificates as of `now` (expired or not
/// yet valid: deny when the proxy presents it; fewer than `expiring_days` whole days left: warn).
///
/// A failed verification denies. Other connection errors deny where no handshake succeeded, and warn where some did: a client
/// that goes away in mid-handshake counts too.
pub(crate) fn judge(proxy: String, reading: Reading, now: Timestamp, expiring_days: i64) -> ProxyReport {
    let Reading { stats, certificates } = reading;
    let mut faults = Vec::new();
    for (scope, counted) in &stats.scopes {
        for (counter, value) in &counted.counters {
            if *value > 0 {
                faults.extend(of_counter(scope, counter, *value, counted.handshakes()));
            }
        }
    }
    let tls = tls_use(&stats);
    if faults.is_empty() {
        faults.extend(of_use(tls));
    }
    for certificate in &certificates {
        faults.extend(of_dates(certificate, now, expiring_days));
    }
    // Stable: of one weight, they stay in the order of listeners, clusters and certificates.
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.severity));
    ProxyReport { proxy, tls, stats, certificates, faults }
}

fn tls_use(stats: &Stats) -> TlsUse {
    let mut configured = stats.scopes.values().filter(|it| it.tls).peekable();
    if configured.peek().is_none() {
        TlsUse::None
    } else if configured.any(|it| it.handshakes() > 0) {
        TlsUse::InUse
    } else {
        TlsUse::Unused
    }
}

fn of_counter(scope: &Scope, counter: &str, value: u64, handshakes: u64) -> Option<Fault> {
    let fault = |severity, rules: &[&'static Rule], message: String, fix: String| Fault {
        severity,
        scope: Some(scope.clone()),
        counter: Some((counter.to_owned(), value)),
        rules: rules.to_vec(),
        message,
        fix,
    };
    if let Some(known) = explain(scope.side, counter) {
        let some_succeed = counter == "connection_error" && handshakes > 0;
        let severity = if some_succeed { Severity::Warn } else { known.severity };
        return Some(fault(severity, known.rules, known.meaning.to_owned(), known.fix()));
    }
    sounds_wrong(counter).then(|| {
        let message = "a failure that meshvet has no explanation for".to_owned();
        let fix = "see Envoy's documentation of its TLS statistics, and the proxy's log";
        fault(Severity::Deny, &[], message, fix.to_owned())
    })
}

fn of_use(tls: TlsUse) -> Option<Fault> {
    let (rules, message, fix): (&[_], _, _) = match tls {
        TlsUse::InUse => return None,
        TlsUse::Unused => (
            &[],
            "TLS is configured, and no connection has used it yet: nothing shows that it works",
            "send a request through the proxy, then run this again".to_owned(),
        ),
        TlsUse::None => (
            &[TLS_NOT_REQUIRED],
            "nothing here is configured for TLS: all traffic of this proxy is plaintext",
            format!(
                "give the {}'s listeners tls, and its backends a client policy",
                apis::words_of_proxied(|names| names.caller)
            ),
        ),
    };
    Some(Fault {
        severity: Severity::Warn,
        scope: None,
        counter: None,
        rules: rules.to_vec(),
        message: message.to_owned(),
        fix,
    })
}

fn of_dates(certificate: &ProxyCertificate, now: Timestamp, expiring_days: i64) -> Option<Fault> {
    let what = match certificate.role {
        Role::Chain => "the certificate",
        Role::Trust => "the trusted CA certificate",
    };
    let path = &certificate.path;
    // A bundle may hold others beside an expired one: what it breaks shows in the counters.
    let breaks = if certificate.role == Role::Chain { Severity::Deny } else { Severity::Warn };
    let (severity, rule, message) = if let Some(expires) = certificate.expires.filter(|expires| *expires < now) {
        (breaks, CERTIFICATE_EXPIRED, format!("{what} {path} expired on {expires}"))
    } else if let Some(valid_from) = certificate.valid_from.filter(|from| *from > now) {
        (breaks, CERTIFICATE_NOT_YET_VALID, format!("{what} {path} is not valid before {valid_from}"))
    } else if let Some(days) = certificate.days_left(now).filter(|days| *days < expiring_days)
        && let Some(expires) = certificate.expires
    {
        let left = plural(usize::try_from(days).unwrap_or_default(), "day");
        (Severity::Warn, CERTIFICATE_EXPIRING, format!("{what} {path} expires in {left}, on {expires}"))
    } else {
        return None;
    };
    let fix = "renew it in its Secret, then restart the pods: a proxy doesn't reload a file".to_owned();
    Some(Fault { severity, scope: None, counter: None, rules: vec![rule], message, fix })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-23T12:00:00Z";

    fn judged(stats: &str, certs: &str) -> ProxyReport {
        let reading = Reading {
            stats: Stats::parse(format!("server.uptime: 9\n{stats}").as_bytes()).unwrap(),
            certificates: ProxyCertificate::parse(certs.as_bytes()).unwrap(),
        };
        judge("proxy".to_owned(), reading, NOW.parse().unwrap(), 30)
    }

    #[track_caller]
    fn counts(stats: &str, expected: &[(Severity, &str)]) {
        let report = judged(stats, r#"{"certificates": []}"#);
        let found: Vec<_> = report
            .faults
            .iter()
            .map(|it| (it.severity, it.counter.as_ref().map_or("", |(counter, _)| counter.as_str())))
            .collect();
        assert_eq!(found, expected, "{stats}");
    }

    #[track_caller]
    fn dates(key: &str, from: &str, to: &str, expected: Option<(Severity, &str)>) {
        let certs = format!(
            r#"{{"certificates": [{{"{key}": [{{"path": "/certs/a", "valid_from": "{from}", "expiration_time": "{to}"}}]}}]}}"#
        );
        let report = judged("cluster.a.ssl.handshake: 1", &certs);
        assert_eq!(report.faults.first().map(|it| (it.severity, it.rules[0].code)), expected, "{key} {from} {to}");
    }

    #[test]
    fn what_failed_is_told_the_worst_first() {
        use Severity::{Deny, Warn};
        counts("cluster.a.ssl.handshake: 1\ncluster.a.ssl.fail_verify_san: 0", &[]);
        counts("cluster.a.ssl.handshake: 1\ncluster.a.ssl.fail_verify_san: 1", &[(Deny, "fail_verify_san")]);
        counts("cluster.a.ssl.handshake: 1\ncluster.a.ssl.connection_error: 1", &[(Warn, "connection_error")]);
        counts("cluster.a.ssl.handshake: 0\ncluster.a.ssl.connection_error: 1", &[(Deny, "connection_error")]);
        counts("cluster.a.ssl.handshake: 1\ncluster.b.ssl.connection_error: 1", &[(Deny, "connection_error")]);
        counts("listener.a.ssl.no_certificate: 4\nlistener.a.ssl.handshake: 4", &[]);
        counts("listener.a.ssl.fail_verify_moon: 1", &[(Deny, "fail_verify_moon")]);
        counts(
            "listener.a.ssl.handshake: 1\nlistener.a.ssl.connection_error: 1\ncluster.b.ssl.fail_verify_error: 2",
            &[(Deny, "fail_verify_error"), (Warn, "connection_error")],
        );
    }

    #[test]
    fn tls_that_nothing_uses_is_not_called_sound() {
        use Severity::Warn;
        counts("cluster.a.ssl.handshake: 0\ncluster.a.upstream_cx_total: 0", &[(Warn, "")]);
        counts("cluster.a.upstream_cx_total: 5", &[(Warn, "")]);
        assert_eq!(judged("cluster.a.upstream_cx_total: 5", r#"{"certificates": []}"#).tls, TlsUse::None);
        assert_eq!(judged("cluster.a.ssl.handshake: 0", r#"{"certificates": []}"#).tls, TlsUse::Unused);
    }

    #[test]
    fn dates_are_judged() {
        use Severity::{Deny, Warn};
        let (past, future) = ("2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
        dates("cert_chain", past, future, None);
        dates("cert_chain", past, "2026-11-23T11:59:59Z", Some((Deny, "MV207")));
        dates("cert_chain", past, "2026-12-23T11:59:59Z", Some((Warn, "MV209")));
        dates("cert_chain", past, "2026-12-23T12:00:00Z", None);
        dates("cert_chain", future, future, Some((Deny, "MV208")));
        dates("ca_cert", past, "2026-11-01T00:00:00Z", Some((Warn, "MV207")));
        dates("cert_chain", "", "", None);
    }
}
