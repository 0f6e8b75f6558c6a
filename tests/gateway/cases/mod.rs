//! The cases, by theme.

mod attached;
mod client_certificates;
mod contents;
mod frontends;
mod gateways;
mod grants;
mod listeners;
mod policies;
mod promised;
mod references;
mod sets;
mod shapes;

use std::sync::LazyLock;

use crate::case::Case;

pub(crate) const ENVOY: &str = "Envoy Gateway doesn't look for it, and its Envoy refuses it at the next start";
pub(crate) const CLIENTS: &str = "Envoy serves it, and every client refuses it";
pub(crate) const FOLLOWS: &str = "what is missing may follow: an absent Secret, ConfigMap or grant never denies";
pub(crate) const BESIDE: &str =
    "where a listener has several certificates, those that can be used are served: a warning is enough";

/// All cases, each with a name of its own. The contents of their Secrets are minted once for each run.
pub(crate) fn all() -> &'static [Case] {
    static ALL: LazyLock<Vec<Case>> = LazyLock::new(made);
    &ALL
}

fn made() -> Vec<Case> {
    let groups = [
        contents::cases(),
        shapes::cases(),
        listeners::cases(),
        references::cases(),
        grants::cases(),
        attached::cases(),
        gateways::cases(),
        sets::cases(),
        policies::cases(),
        frontends::cases(),
        client_certificates::cases(),
        promised::cases(),
    ];
    groups.into_iter().flatten().collect()
}
