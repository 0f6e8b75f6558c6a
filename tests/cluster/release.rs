//! The chart in a cluster, by the real helm: installed as it stands, with nothing but its own values set.

use std::path::Path;

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::kubectl::Outcome;
use crate::replica::Replica;
use crate::sandbox::{self, eventually};

/// A release of the chart.
pub(crate) struct Release<'a> {
    plane: &'a ControlPlane,
    /// Of the release and of nearly all that it installs.
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
}

impl<'a> Release<'a> {
    /// `helm install`, which makes the namespace. Values are given as [`helm`](Self::helm) takes them.
    #[track_caller]
    pub(crate) fn install(
        plane: &'a ControlPlane,
        (namespace, name): (&'static str, &'static str),
        values: &[&str],
    ) -> Self {
        let release = Self { plane, name, namespace };
        release.with_values("install", &["--create-namespace"], values).succeeds();
        release
    }

    /// `helm upgrade` to these values.
    #[track_caller]
    pub(crate) fn upgrade(&self, values: &[&str]) {
        self.upgrade_by(&[], values);
    }

    /// The same, with more options.
    #[track_caller]
    pub(crate) fn upgrade_by(&self, options: &[&str], values: &[&str]) {
        self.with_values("upgrade", &[&["--reset-values"], options].concat(), values).succeeds();
    }

    /// What the chart tells whoever has installed it.
    #[track_caller]
    pub(crate) fn notes(&self) -> String {
        let arguments = ["get", "notes", self.name, "-n", self.namespace];
        self.plane.kubectl.program(&sandbox::helm(), &arguments).succeeds().stdout
    }

    /// `helm COMMAND RELEASE ARGUMENTS…`, which has to succeed.
    #[track_caller]
    pub(crate) fn helm(&self, command: &str, arguments: &[&str]) -> Outcome {
        let arguments = [&[command, self.name, "-n", self.namespace], arguments].concat();
        self.plane.kubectl.program(&sandbox::helm(), &arguments).succeeds()
    }

    /// With the chart, and values as `--set` takes them (`--set-json` where they hold JSON).
    fn with_values(&self, command: &str, options: &[&str], values: &[&str]) -> Outcome {
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/meshvet").display().to_string();
        let mut arguments = [&[command, self.name, &chart, "-n", self.namespace], options].concat();
        for value in values {
            let json = value.contains("=[") || value.contains("={");
            arguments.extend([if json { "--set-json" } else { "--set" }, value]);
        }
        self.plane.kubectl.program(&sandbox::helm(), &arguments)
    }

    /// Where its replicas come from.
    #[track_caller]
    pub(crate) fn installation(&self) -> Installation<'a> {
        Installation::of_deployment(self.plane, self.namespace, self.name)
    }

    /// Writes the policy as it is in the cluster to these replicas, as the kubelet does without restarting them.
    #[track_caller]
    pub(crate) fn sync_policy(&self, replicas: &[Replica]) {
        let map = format!("{}-policy", self.name);
        let map = self.plane.kubectl.get(&["-n", self.namespace, "configmap", &map]);
        for replica in replicas {
            replica.update_volume("policy", &crate::volume::files(&map));
        }
    }
}

/// Replaces the replicas one after the other, as the Deployment's controller and the kubelet do: a new one is ready before an old one
/// is told to end, and the API server hears of that after the signal.
#[track_caller]
pub(crate) fn roll(installation: &Installation<'_>, replicas: Vec<Replica>, generation: &str) -> Vec<Replica> {
    let count = replicas.len();
    let mut serving = replicas;
    let route = |serving: &[Replica]| installation.route_to(&serving.iter().collect::<Vec<_>>());
    for number in 0..count {
        serving.push(installation.start(&format!("{generation}-{number}")));
        route(&serving);
        let mut old = serving.remove(0);
        old.terminate();
        eventually("it is no longer ready", || match old.probe("/readyz") {
            Ok(503) | Err(_) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        route(&serving);
        let status = old.wait_until_ended();
        assert!(status.success(), "{status}\n{}", old.log());
    }
    serving
}

/// [`Kubectl::everything`](crate::kubectl::Kubectl::everything) of this control plane.
#[track_caller]
pub(crate) fn everything(plane: &ControlPlane) -> std::collections::BTreeSet<String> {
    plane.kubectl.everything()
}
