//! JSON for programs. A value that doesn't apply is null; the shape is stable while `version` is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::finding::Severity;
use crate::verify::{Fault, ProxyCertificate, ProxyReport, Role, Scope, ScopeStats, Side, TlsUse, Verification};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    proxies: Vec<Proxy<'a>>,
    summary: Summary,
    errors: Vec<Error<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Proxy<'a> {
    proxy: &'a str,
    /// `in-use`, `unused` or `none`.
    tls: &'static str,
    uptime_seconds: Option<u64>,
    listeners: Vec<Counted<'a>>,
    clusters: Vec<Counted<'a>>,
    certificates: Vec<Certificate<'a>>,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Counted<'a> {
    name: &'a str,
    /// Whether it is configured for TLS.
    tls: bool,
    connections: u64,
    handshakes: u64,
    versions: &'a BTreeMap<String, u64>,
    ciphers: &'a BTreeMap<String, u64>,
    /// Every other counter of TLS that isn't zero.
    counters: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Certificate<'a> {
    /// `chain` (it is presented) or `trust`.
    role: &'static str,
    path: &'a str,
    serial_number: &'a str,
    subject_alt_names: &'a [String],
    /// RFC 3339.
    valid_from: Option<Timestamp>,
    /// RFC 3339.
    expires: Option<Timestamp>,
    /// Whole days; negative when it has expired.
    days_left: Option<i64>,
}

#[derive(Serialize)]
struct Finding<'a> {
    severity: Severity,
    listener: Option<&'a str>,
    cluster: Option<&'a str>,
    counter: Option<&'a str>,
    value: Option<u64>,
    /// Codes of rules, the likeliest first.
    rules: Vec<&'static str>,
    message: &'a str,
    fix: &'a str,
}

#[derive(Serialize)]
struct Summary {
    proxies: usize,
    deny: usize,
    warn: usize,
}

#[derive(Serialize)]
struct Error<'a> {
    proxy: &'a str,
    message: &'a str,
}

/// What was read as one JSON object, with a final line feed.
///
/// # Errors
/// None in practice: every part can be written as JSON.
pub(crate) fn json(verification: &Verification, now: Timestamp) -> serde_json::Result<String> {
    let document = Document {
        version: 1,
        proxies: verification.proxies.iter().map(|report| proxy(report, now)).collect(),
        summary: Summary {
            proxies: verification.proxies.len(),
            deny: verification.count(Severity::Deny),
            warn: verification.count(Severity::Warn),
        },
        errors: verification.errors.iter().map(|it| Error { proxy: &it.proxy, message: &it.message }).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn proxy(report: &ProxyReport, now: Timestamp) -> Proxy<'_> {
    let of = |side| report.stats.scopes.iter().filter(move |(scope, _)| scope.side == side).map(counted).collect();
    Proxy {
        proxy: &report.proxy,
        tls: match report.tls {
            TlsUse::InUse => "in-use",
            TlsUse::Unused => "unused",
            TlsUse::None => "none",
        },
        uptime_seconds: report.stats.uptime,
        listeners: of(Side::Listener),
        clusters: of(Side::Cluster),
        certificates: report.certificates.iter().map(|it| certificate(it, now)).collect(),
        findings: report.faults.iter().map(finding).collect(),
    }
}

fn counted<'a>((scope, stats): (&'a Scope, &'a ScopeStats)) -> Counted<'a> {
    let told = |(name, value): &(&'a str, u64)| *value > 0 && *name != "handshake";
    Counted {
        name: &scope.name,
        tls: stats.tls,
        connections: stats.connections,
        handshakes: stats.handshakes(),
        versions: &stats.versions,
        ciphers: &stats.ciphers,
        counters: stats.counters.iter().map(|(name, value)| (name.as_str(), *value)).filter(told).collect(),
    }
}

fn certificate(certificate: &ProxyCertificate, now: Timestamp) -> Certificate<'_> {
    Certificate {
        role: match certificate.role {
            Role::Chain => "chain",
            Role::Trust => "trust",
        },
        path: &certificate.path,
        serial_number: &certificate.serial_number,
        subject_alt_names: &certificate.names,
        valid_from: certificate.valid_from,
        expires: certificate.expires,
        days_left: certificate.days_left(now),
    }
}

fn finding(fault: &Fault) -> Finding<'_> {
    let named = |side| fault.scope.as_ref().filter(|scope| scope.side == side).map(|scope| scope.name.as_str());
    Finding {
        severity: fault.severity,
        listener: named(Side::Listener),
        cluster: named(Side::Cluster),
        counter: fault.counter.as_ref().map(|(counter, _)| counter.as_str()),
        value: fault.counter.as_ref().map(|(_, value)| *value),
        rules: fault.rules.iter().map(|rule| rule.code).collect(),
        message: &fault.message,
        fix: &fault.fix,
    }
}
