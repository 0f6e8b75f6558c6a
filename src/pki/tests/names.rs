//! ENVOY.md, "Names".

use super::super::names::*;
use super::*;

#[track_caller]
fn matches(pattern: &str, hosts: &[&str]) {
    for host in hosts {
        assert!(dns_name_matches(pattern, host), "{pattern} should match {host}");
    }
}

#[track_caller]
fn misses(pattern: &str, hosts: &[&str]) {
    for host in hosts {
        assert!(!dns_name_matches(pattern, host), "{pattern} should not match {host}");
    }
}

#[test]
fn dns_names_match_whatever_their_case() {
    matches("blue.apps.local", &["blue.apps.local", "BLUE.apps.Local"]);
    matches("BLUE.Apps.LOCAL", &["blue.apps.local"]);
    matches("*.Apps.LOCAL", &["blue.apps.local"]);
    matches("foo", &["foo", "FOO"]);
    misses("blue.apps.local", &["green.apps.local", "blue.apps.loca", "blue.apps.locals", "apps.local", ""]);
}

#[test]
fn a_wildcard_stands_for_exactly_one_label() {
    matches("*.apps.local", &["blue.apps.local", "xn--bcher-kva.apps.local"]);
    misses("*.apps.local", &["a.b.apps.local", "apps.local", "blue.apps.local.x", "blueapps.local"]);
    matches("*.local", &["apps.local"]);
    misses("*.local", &["blue.apps.local", "local"]);
}

#[test]
fn a_star_may_stand_for_a_part_of_the_first_label_even_an_empty_one() {
    matches("f*.x.y", &["foo.x.y", "fo.x.y", "f.x.y", "FOO.x.y"]);
    misses("f*.x.y", &["o.x.y", "foo.x.z", "foo.a.x.y"]);
    matches("*o.x.y", &["foo.x.y", "o.x.y"]);
    misses("*o.x.y", &["f.x.y"]);
    matches("f*o.x.y", &["foo.x.y", "fo.x.y", "fooo.x.y"]);
    misses("f*o.x.y", &["f.x.y", "o.x.y"]);
    matches("fo*oo.x.y", &["fooo.x.y"]);
    misses("fo*oo.x.y", &["foo.x.y"]);
}

#[test]
fn stars_elsewhere_never_match() {
    misses("*.*.x", &["a.b.x"]);
    misses("**.x.y", &["foo.x.y"]);
    misses("f**o.x.y", &["foo.x.y"]);
    misses("a.*.x", &["a.b.x"]);
    misses("a*.b*.c", &["a.b.c"]);
    misses("*", &["foo", "foo.x.y", "x.y"]);
    misses("f*", &["foo", "f"]);
    misses("*.com*", &["foo.com"]);
}

#[test]
fn a_wildcard_label_that_begins_with_xn_never_matches() {
    for pattern in ["xn--*.x.y", "XN--*.x.y", "xn--a*.x.y"] {
        misses(pattern, &["xn--a.x.y", "xn--bcher-kva.x.y"]);
    }
    matches("*.x.y", &["xn--a.x.y", "XN--A.x.y"]);
    matches("x*.x.y", &["xn--a.x.y", "xn--bcher-kva.x.y"]);
    matches("*xn--a.x.y", &["xn--a.x.y"]);
    matches("xn--bcher-kva.x.y", &["XN--bcher-kva.x.y"]);
}

#[test]
fn a_trailing_dot_is_literal() {
    matches("foo.x.y.", &["foo.x.y."]);
    matches("*.x.y.", &["foo.x.y."]);
    misses("foo.x.y.", &["foo.x.y"]);
    misses("*.x.y.", &["foo.x.y"]);
    misses("foo.x.y", &["foo.x.y."]);
    misses("*.x.y", &["foo.x.y."]);
}

#[test]
fn a_hostname_in_unicode_fails() {
    for pattern in ["bücher.x.y", "*.x.y", "xn--bcher-kva.x.y", "b*.x.y"] {
        misses(pattern, &["bücher.x.y"]);
    }
    // A cut inside a character must not matter.
    misses("bü*.x.y", &["b\u{fc}cher.x.y", "bxcher.x.y"]);
}

#[test]
fn odd_patterns_match_as_they_were_seen_to() {
    matches("*.x.y", &[".x.y", "_sip.x.y"]);
    matches("*.", &["y."]);
    misses(" foo.x.y", &["foo.x.y"]);
    misses("foo.x.y ", &["foo.x.y"]);
    misses("foo.x.y\0", &["foo.x.y"]);
    misses("", &["", "foo", "."]);
}

#[track_caller]
fn host_match(certificate: &Certificate, host: &str, expected: HostMatch) {
    assert_eq!(certificate_matches_host(certificate, host), expected, "{host} against {}", certificate.names_text());
}

#[test]
fn the_common_name_is_never_consulted_and_known_apart() {
    let only = mint("*.apps.local", &[]).certificate;
    host_match(&only, "blue.apps.local", HostMatch::CommonNameOnly);
    host_match(&only, "a.b.apps.local", HostMatch::None);
    let both = mint("blue.apps.local", &["green.apps.local", "*.prod.local"]).certificate;
    host_match(&both, "blue.apps.local", HostMatch::CommonNameOnly);
    host_match(&both, "green.apps.local", HostMatch::San(0));
    host_match(&both, "blue.prod.local", HostMatch::San(1));
    host_match(&both, "red.apps.local", HostMatch::None);
    assert!(!san_entry_matches(&both, "blue.apps.local"), "an entry of a list isn't held against the common name");
}

#[test]
fn an_ip_hostname_is_matched_by_its_text_and_else_by_an_ip_san() {
    let text = mint("10.0.0.1", &["10.0.0.1", "*.0.0.1"]).certificate;
    host_match(&text, "10.0.0.1", HostMatch::San(0));
    host_match(&text, "11.0.0.1", HostMatch::San(1));
    host_match(&text, "11.0.0.2", HostMatch::None);
    let address = mint_with("x", |params| {
        params.subject_alt_names = vec![
            dns_name("x.y"),
            SanType::IpAddress([10, 0, 0, 1].into()),
            SanType::IpAddress("fd00::1".parse().unwrap()),
        ];
    });
    host_match(&address.certificate, "10.0.0.1", HostMatch::Address(1));
    host_match(&address.certificate, "FD00:0::1", HostMatch::Address(2));
    host_match(&address.certificate, "10.0.0.2", HostMatch::None);
    // An App Mesh list becomes DNS and URI matchers: IP text in a dNSName satisfies them, an IP SAN doesn't.
    assert!(san_entry_matches(&text, "10.0.0.1"));
    assert!(!san_entry_matches(&address.certificate, "10.0.0.1"));
}

#[test]
fn entries_of_a_list_match_dns_names_by_their_rules_and_uris_literally() {
    let certificate = mint_with("x", |params| {
        params.subject_alt_names = vec![
            dns_name("*.apps.local"),
            SanType::URI("spiffe://apps/Blue".try_into().unwrap()),
            SanType::Rfc822Name("a@apps.local".try_into().unwrap()),
        ];
    })
    .certificate;
    for (entry, expected) in [
        ("blue.apps.local", true),
        ("BLUE.apps.local", true),
        ("*.apps.local", true),
        ("a.b.apps.local", false),
        ("spiffe://apps/Blue", true),
        ("spiffe://apps/blue", false),
        ("spiffe://apps/*", false),
        ("a@apps.local", false),
        ("", false),
    ] {
        assert_eq!(san_entry_matches(&certificate, entry), expected, "{entry}");
    }
}

#[test]
fn a_certificate_with_neither_name_is_refused_by_a_listener() {
    let uri = || SanType::URI("spiffe://x".try_into().unwrap());
    let email = || SanType::Rfc822Name("a@b.c".try_into().unwrap());
    let other = || SanType::OtherName((vec![1, 2, 3, 4], "x".to_owned().into()));
    let neither = "Invalid TLS context has neither subject CN nor SAN names";
    for (common_name, sans, expected) in [
        ("", vec![], Some(neither)),
        ("", vec![email()], Some(neither)),
        ("", vec![other()], Some(neither)),
        ("", vec![email(), uri()], None),
        ("", vec![SanType::IpAddress([10, 0, 0, 1].into())], None),
        ("", vec![dns_name("a.b")], None),
        ("a", vec![], None),
        ("a", vec![email()], None),
    ] {
        let certificate = mint_with(common_name, |params| params.subject_alt_names = sans).certificate;
        assert_eq!(certificate.nameless_log(), expected, "{}", certificate.names_text());
        assert_eq!(certificate.is_nameless(), expected.is_some());
    }
    // An empty common name is worse than none: other names don't help.
    let mut empty = mint("", &["a.b"]).certificate;
    empty.common_name = Some(String::new());
    assert_eq!(empty.nameless_log(), Some("Invalid TLS context has an empty subject CN"));
}

#[test]
fn the_nearest_name_is_one_that_could_be_meant() {
    let names = ["blue.apps.local", "green.apps.local", "blue.prod.local"];
    let nearest = |host| nearest_name(host, names.into_iter());
    assert_eq!(nearest("bleu.apps.local"), Some("blue.apps.local"));
    assert_eq!(nearest("GREEN.apps.lokal"), Some("green.apps.local"));
    assert_eq!(nearest("blue.prod.loca"), Some("blue.prod.local"));
    assert_eq!(nearest("database.example.com"), None);
    assert_eq!(nearest(""), None);
    assert_eq!(nearest(&"x".repeat(100_000)), None);
    assert_eq!(nearest_name("a", std::iter::once("x".repeat(100_000).as_str())), None);
}
