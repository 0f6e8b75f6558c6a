//! docs/metrics.md, held against the metrics themselves.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::{Called, Metrics, ProblemLabels, Problems, Watched};
use crate::k8s::ObjectRef;
use crate::operate::expiry::{Expiries, ListenerExpiry};

/// Set to write the table anew: `just metrics`.
const WRITE: &str = "MESHVET_WRITE_DOCS";

/// Where every family has counted something: an empty one is not told.
fn all() -> String {
    let metrics = std::sync::Arc::new(Metrics::default());
    metrics.reviewed("VirtualNode", "denied", Duration::ZERO);
    metrics.found([("MV101", "denied")]);
    metrics.failed("malformed");
    metrics.store_read(false);
    metrics.workloads_read(false);
    metrics.confirmed(false);
    metrics.overloaded("allowed");
    metrics.compared(0, true);
    metrics.knows(&[("members", 1)]);
    metrics.aws_calls.get_or_create(&Called { operation: "DescribeCertificate", outcome: "answered" }).inc();
    metrics.watches(&crate::sources::cluster::WatchStats::default());
    metrics.cache_age.get_or_create(&Watched { kind: "Secret" }).set(1.0);
    metrics.certificate_ends(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    metrics.keeps("secret", true);
    let object = ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualNode", "shop", "blue");
    let blue = ListenerExpiry { object, listener: "listener 8443".into(), ends: Timestamp::UNIX_EPOCH };
    metrics.listeners(Expiries { soonest: vec![blue], left_out: 0 });
    let labels = ProblemLabels {
        namespace: "shop".to_owned(),
        kind: "VirtualNode".to_owned(),
        rule: "MV207",
        severity: "deny".to_owned(),
    };
    let problems = Problems { problems: [(labels, 1)].into(), objects: [("VirtualNode".to_owned(), 1)].into() };
    metrics.problems(problems);
    metrics.encode()
}

/// A family, as the text format tells of it.
#[derive(Default)]
struct Family<'a> {
    kind: &'a str,
    help: &'a str,
    labels: Vec<&'a str>,
}

fn families(text: &str) -> BTreeMap<&str, Family<'_>> {
    let mut families: BTreeMap<&str, Family<'_>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|line| line.split_once(' ')) {
            current = name;
            families.entry(name).or_default().help = help.trim_end_matches('.');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' ')) {
            families.entry(name).or_default().kind = kind;
        } else if let Some((_, rest)) = line.split_once('{')
            && let Some((labels, _)) = rest.rsplit_once('}')
            && let Some(family) = families.get_mut(current)
        {
            let names = labels.split("\",").filter_map(|label| label.split_once('=')).map(|(name, _)| name);
            family.labels = names.filter(|name| *name != "le").collect();
        }
    }
    families
}

fn table(text: &str) -> String {
    let mut table = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for (name, family) in families(text) {
        // What a query asks for has the suffix of the type.
        let suffix = match family.kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let labels = family.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        table.push_str(&format!("| `{name}{suffix}` | {} | {labels} | {} |\n", family.kind, family.help));
    }
    table
}

#[test]
fn every_figure_has_help_and_a_type_and_the_text_ends_as_it_must() {
    let text = all();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let families = families(&text);
    assert!(families.len() > 20, "{text}");
    for (name, family) in families {
        assert!(name.starts_with("meshvet_"), "{name}");
        assert!(family.help.len() > 10 && !family.kind.is_empty(), "{name}: {text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').expect("a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn docs_metrics_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = std::fs::read_to_string(&path).expect("docs/metrics.md");
    let (before, rest) = page.split_once("| metric |").expect("the table");
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    let made = format!("{before}{}\n{after}", table(&all()));
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &made).expect("docs/metrics.md");
        return;
    }
    assert!(page == made, "docs/metrics.md is stale: run `just metrics`");
}
