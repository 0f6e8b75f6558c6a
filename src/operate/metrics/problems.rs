//! The problems of the mesh as it is, replaced as a whole: a scrape sees the old ones or the new ones.

use std::collections::BTreeMap;
use std::fmt;

use arc_swap::ArcSwap;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

/// What problems are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProblemLabels {
    /// Of the object that holds what is wrong; empty where it is in none.
    pub namespace: String,
    /// The object's kind.
    pub kind: String,
    /// The rule's code.
    pub rule: &'static str,
    /// What the policy makes of it.
    pub severity: String,
}

/// The problems of the mesh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// How many there are.
    pub problems: BTreeMap<ProblemLabels, u64>,
    /// How many objects were judged, by kind.
    pub objects: BTreeMap<String, usize>,
}

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct Found(ArcSwap<Problems>);

impl Found {
    pub(super) fn store(&self, found: Problems) {
        self.0.store(found.into());
    }
}

impl Collector for Found {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let found = self.0.load();
        let mut family = encoder.encode_descriptor(
            "problems",
            "Findings in the mesh now that nobody has suppressed, by the object that they are on",
            None,
            MetricType::Gauge,
        )?;
        for (labels, count) in &found.problems {
            let ProblemLabels { namespace, kind, rule, severity } = labels;
            let labels = [("namespace", &**namespace), ("kind", kind), ("rule", rule), ("severity", severity)];
            family.encode_family(&labels)?.encode_gauge(&i64::try_from(*count).unwrap_or(i64::MAX))?;
        }
        let mut family = encoder.encode_descriptor(
            "mesh_objects",
            "Mesh objects that are judged again whenever something that they rest on changes",
            None,
            MetricType::Gauge,
        )?;
        for (kind, count) in &found.objects {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            family.encode_family(&[("kind", &**kind)])?.encode_gauge(&count)?;
        }
        Ok(())
    }
}
