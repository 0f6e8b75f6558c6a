//! Text for people: a proxy, its listeners and clusters that speak TLS, its certificates, each with what is wrong.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;

use crate::finding::Severity;
use crate::text::{BOLD, FAINT, GREEN, RED, Style, YELLOW, clean, plural};
use crate::verify::{Fault, ProxyCertificate, ProxyReport, Role, Scope, ScopeStats, TlsUse, Verification};

/// The most names of a certificate that are shown.
const MAX_NAMES: usize = 3;

/// What was read as text: proxies that didn't answer, then each that did, then a summary line.
pub(crate) fn text(verification: &Verification, now: Timestamp, style: Style) -> String {
    let mut out = String::new();
    for error in &verification.errors {
        let message = clean(&error.message);
        let _ = writeln!(out, "{} {}: {message}", style.paint(RED, "error"), style.paint(BOLD, &error.proxy));
    }
    if !verification.errors.is_empty() {
        out.push('\n');
    }
    for report in &verification.proxies {
        proxy(&mut out, report, now, style);
        out.push('\n');
    }
    let _ = writeln!(out, "{}", summary(verification, style));
    out
}

fn proxy(out: &mut String, report: &ProxyReport, now: Timestamp, style: Style) {
    let tls = match report.tls {
        TlsUse::InUse if report.faults.iter().any(|it| it.severity == Severity::Deny) => style.paint(RED, "TLS fails"),
        TlsUse::InUse => style.paint(GREEN, "TLS in use"),
        TlsUse::Unused if report.faults.iter().any(|it| it.severity == Severity::Deny) => style.paint(RED, "TLS fails"),
        TlsUse::Unused => style.paint(YELLOW, "TLS configured, unused"),
        TlsUse::None => style.paint(YELLOW, "no TLS"),
    };
    let up = report.stats.uptime.map(|seconds| format!(", up {}", duration(seconds))).unwrap_or_default();
    let _ = writeln!(out, "{}: {tls}{up}", style.paint(BOLD, &report.proxy));
    for (scope, stats) in report.stats.scopes.iter().filter(|(_, stats)| stats.tls) {
        let _ = writeln!(out, "  {} {}: {}", scope.side.name(), clean(&scope.name), counted(stats));
        for it in report.faults.iter().filter(|it| it.scope.as_ref() == Some(scope)) {
            fault(out, it, style);
        }
    }
    let plain: Vec<&Scope> =
        report.stats.scopes.iter().filter(|(_, stats)| !stats.tls).map(|(scope, _)| scope).collect();
    if !plain.is_empty() {
        let of = |name: &str| plain.iter().filter(|scope| scope.side.name() == name).count();
        let listed: Vec<String> = ["listener", "cluster"]
            .into_iter()
            .filter(|name| of(name) > 0)
            .map(|name| plural(of(name), name))
            .collect();
        let _ = writeln!(out, "  {}", style.paint(FAINT, &format!("without TLS: {}", listed.join(", "))));
    }
    for it in &report.certificates {
        let _ = writeln!(out, "  {}", certificate(it, now));
    }
    for it in report.faults.iter().filter(|it| it.scope.is_none()) {
        fault(out, it, style);
    }
}

fn counted(stats: &ScopeStats) -> String {
    let mut text = plural(usize::try_from(stats.handshakes()).unwrap_or(usize::MAX), "TLS handshake");
    let _ = write!(text, " in {}", plural(usize::try_from(stats.connections).unwrap_or(usize::MAX), "connection"));
    for seen in [&stats.versions, &stats.ciphers] {
        let names = used(seen);
        if !names.is_empty() {
            let _ = write!(text, ", {}", clean(&names.join(" ")));
        }
    }
    text
}

/// What was seen at all, the most frequent first.
fn used(seen: &BTreeMap<String, u64>) -> Vec<&str> {
    let mut names: Vec<(&str, u64)> = seen.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    names.retain(|(_, count)| *count > 0);
    names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    names.into_iter().map(|(name, _)| name).collect()
}

fn fault(out: &mut String, fault: &Fault, style: Style) {
    let _ = write!(out, "    {}", fault.severity.painted(style));
    if let Some((counter, value)) = &fault.counter {
        let _ = write!(out, " {}: {value}", clean(counter));
    }
    if !fault.rules.is_empty() {
        let codes: Vec<&str> = fault.rules.iter().map(|rule| rule.code).collect();
        let _ = write!(out, " ({})", codes.join(", "));
    }
    let _ = writeln!(out, "\n      {}\n      fix: {}", clean(&fault.message), clean(&fault.fix));
}

fn certificate(certificate: &ProxyCertificate, now: Timestamp) -> String {
    let role = match certificate.role {
        Role::Chain => "presents",
        Role::Trust => "trusts",
    };
    let mut text = format!("{role} {}", clean(&certificate.path));
    if !certificate.names.is_empty() {
        let more = certificate.names.len().saturating_sub(MAX_NAMES);
        let shown: Vec<&str> = certificate.names.iter().take(MAX_NAMES).map(String::as_str).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = write!(text, " ({}{more})", clean(&shown.join(", ")));
    }
    if let (Some(days), Some(expires)) = (certificate.days_left(now), certificate.expires) {
        let date = expires.strftime("%Y-%m-%d");
        let _ = match usize::try_from(days) {
            Ok(days) => write!(text, ", {} left (until {date})", plural(days, "day")),
            Err(_) => write!(text, ", expired on {date}"),
        };
    }
    text
}

fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn summary(verification: &Verification, style: Style) -> String {
    let (deny, warn) = (verification.count(Severity::Deny), verification.count(Severity::Warn));
    let mut text = format!("{} read: ", plural(verification.proxies.len(), "proxy").replace("proxys", "proxies"));
    match (deny, warn) {
        _ if verification.proxies.is_empty() => text = "no proxy read".to_owned(),
        (0, 0) => text.push_str(&style.paint(GREEN, "TLS is in use and sound")),
        (0, warn) => text.push_str(&style.paint(YELLOW, &plural(warn, "warning"))),
        (deny, warn) => {
            text.push_str(&style.paint(RED, &plural(deny, "failure")));
            if warn > 0 {
                let _ = write!(text, ", {}", plural(warn, "warning"));
            }
        }
    }
    if !verification.errors.is_empty() {
        let _ = write!(text, "; {}", style.paint(RED, &format!("{} not read", verification.errors.len())));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_660, "1 h 1 min"),
            (90_000, "1 d 1 h"),
            (u64::MAX, "213503982334601 d 7 h"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
