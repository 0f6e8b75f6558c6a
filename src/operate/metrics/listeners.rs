//! The ends of the mesh's certificates, replaced as a whole: a scrape sees the old list or the new one.

use std::fmt;

use arc_swap::ArcSwap;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::operate::expiry::Expiries;

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct Listeners(ArcSwap<Expiries>);

impl Listeners {
    pub(super) fn store(&self, found: Expiries) {
        self.0.store(found.into());
    }
}

impl Collector for Listeners {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let found = self.0.load();
        let mut family = encoder.encode_descriptor(
            "listener_certificate_expiry_timestamp",
            "When a listener's certificate expires, in seconds since 1970: the 50 listeners whose certificates expire first",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        for listener in &found.soonest {
            let object = &listener.object;
            let labels = [
                ("namespace", object.namespace()),
                ("kind", &object.kind),
                ("name", &object.name),
                ("listener", &listener.listener),
            ];
            family.encode_family(&labels)?.encode_gauge(&listener.ends.as_second())?;
        }
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let mut left_out = encoder.encode_descriptor(
            "listener_certificates_left_out",
            "Listeners with a known certificate beyond the 50 that are listed one by one",
            None,
            MetricType::Gauge,
        )?;
        left_out.encode_gauge(&count(found.left_out))
    }
}
