//! The Lease by which one replica at a time keeps a managed certificate.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::api::Api;

use crate::doctor::Diagnosis;

/// How many lives of a Lease may go by unrenewed: a replica that has ended takes one until the next takes over.
const LIVES: i32 = 3;

/// Looks whether some replica keeps it.
pub(super) async fn look(client: &Client, namespace: &str, name: &str, now: Timestamp, diagnosis: &mut Diagnosis) {
    match Api::<Lease>::namespaced(client.clone(), namespace).get_opt(name).await {
        Ok(lease) => judge(lease.as_ref(), &format!("Lease {namespace}/{name}"), now, diagnosis),
        Err(error) => diagnosis.unseen("lease", &format!("Lease {namespace}/{name}"), &error),
    }
}

fn judge(lease: Option<&Lease>, what: &str, now: Timestamp, diagnosis: &mut Diagnosis) {
    let fix = "check meshvet's log for `the managed certificate`: the certificate is still served, but not renewed in the cluster";
    let spec = lease.and_then(|lease| lease.spec.clone()).unwrap_or_default();
    let holder = spec.holder_identity.filter(|holder| !holder.is_empty());
    let (Some(holder), Some(renewed)) = (holder, spec.renew_time) else {
        return diagnosis.fail("lease", format!("no replica holds {what}: the caBundle isn't updated"), fix);
    };
    let life = SignedDuration::from_secs(i64::from(spec.lease_duration_seconds.unwrap_or(15)));
    let age = now.duration_since(renewed.0);
    if age > life * LIVES {
        let message = format!("{what} was last renewed at {}, by {holder}: the caBundle isn't updated", renewed.0);
        diagnosis.fail("lease", message, fix);
    } else {
        diagnosis.ok("lease", format!("{holder} holds {what}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn a_lease_that_nobody_renews_is_told() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
        let outcome = |lease: Option<Value>| {
            let mut diagnosis = Diagnosis::default();
            let lease: Option<Lease> = lease.map(|lease| serde_json::from_value(lease).expect("a Lease"));
            judge(lease.as_ref(), "Lease vet/ca", now, &mut diagnosis);
            diagnosis.worst()
        };
        let held = |holder: &str, renewed: &str| {
            let spec = json!({"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed});
            Some(json!({"metadata": {}, "spec": spec}))
        };
        assert_eq!(outcome(held("a_1", "2026-11-23T11:59:50.000000Z")), Outcome::Ok);
        assert_eq!(outcome(held("a_1", "2026-11-23T11:59:00.000000Z")), Outcome::Failed);
        assert_eq!(outcome(held("", "2026-11-23T11:59:59.000000Z")), Outcome::Failed);
        assert_eq!(outcome(None), Outcome::Failed);
    }
}
