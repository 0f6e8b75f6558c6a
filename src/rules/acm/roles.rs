//! The roles of proxies, and what IAM is asked about roles.

use crate::aws::{
    Answer, Arn, ArnKind, EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE, Question, RoleOf, Simulation, account_of_role,
};
use crate::finding::Site;
use crate::mesh::{Member, Workload};
use crate::rules::acm::{Reference, home, references};
use crate::rules::context::Context;

/// The role that a workload's proxies run as.
#[derive(Clone, Debug)]
pub(in crate::rules) struct ProxyRole<'a> {
    pub(in crate::rules) workload: &'a Workload,
    /// Its ARN.
    pub(in crate::rules) role: String,
}

impl ProxyRole<'_> {
    /// `role arn:… of ServiceAccount shop/blue`
    pub(in crate::rules) fn noun(&self) -> String {
        let Workload { object, service_account, .. } = self.workload;
        format!("{} (ServiceAccount {}/{service_account})", self.role, object.namespace())
    }
}

/// What has to be asked about the roles of proxies, as far as the policy enables it and it is known whom to ask about.
pub(in crate::rules) fn questions(cx: &Context<'_>) -> Vec<Question> {
    let mut wanted: Vec<Question> = identities(cx).map(|(_, question)| question).collect();
    let roles = proxy_roles(cx);
    for role in &roles {
        wanted.extend(exports(cx, &role.role).into_iter().map(|(_, simulation)| Question::Simulation(simulation)));
    }
    wanted
}

/// The workloads whose proxies load TLS, where roles are looked at.
fn workloads<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Workload> {
    let wanted = cx.policy.aws.roles.enabled && cx.member().is_some_and(Member::uses_tls);
    let api = cx.member().map_or("", |member| member.api);
    let opts_out = move |workload: &Workload| workload.proxy(api).is_some_and(|proxy| proxy.opted_out);
    cx.workloads.clone().into_iter().filter(move |workload| wanted && !opts_out(workload))
}

/// The workloads whose role only EKS Pod Identity can tell.
fn identities<'a>(cx: &Context<'a>) -> impl Iterator<Item = (&'a Workload, Question)> {
    let (cluster, region) = (cx.policy.aws.roles.cluster.clone(), home(cx).region);
    let view = cx.view;
    workloads(cx).filter_map(move |workload| {
        let (namespace, service_account) = (workload.object.namespace(), &workload.service_account);
        // Where its annotation may not be read, it may name another.
        if view.role_of(namespace, service_account) != Ok(None) {
            return None;
        }
        let (namespace, service_account) = (namespace.to_owned(), service_account.clone());
        let (cluster, region) = (cluster.clone()?, region.clone()?);
        Some((workload, Question::PodIdentity { region, cluster, namespace, service_account }))
    })
}

/// The roles of the workloads, as far as they are known.
pub(in crate::rules) fn proxy_roles<'a>(cx: &Context<'a>) -> Vec<ProxyRole<'a>> {
    let view = cx.view;
    let annotated = workloads(cx).filter_map(|workload| {
        let role = view.role_of(workload.object.namespace(), &workload.service_account).ok().flatten()?;
        Some(ProxyRole { workload, role: role.to_owned() })
    });
    let associated = identities(cx).filter_map(|(workload, question)| match cx.view.answer(&question) {
        Some(Answer::Role(RoleOf::Role(role))) => Some(ProxyRole { workload, role: role.clone() }),
        _ => None,
    });
    // What is no role can't be asked about.
    annotated.chain(associated).filter(|role| account_of_role(&role.role).is_some()).collect()
}

/// What a proxy's role has to be allowed for each reference.
pub(in crate::rules) fn exports<'a>(cx: &Context<'a>, role: &str) -> Vec<(Reference<'a>, Simulation)> {
    simulations(cx, role, EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE)
}

/// What a role has to be allowed for each reference: one action on a certificate, another on an authority.
pub(in crate::rules) fn simulations<'a>(
    cx: &Context<'a>,
    role: &str,
    of_certificate: &'static str,
    of_authority: &'static str,
) -> Vec<(Reference<'a>, Simulation)> {
    let simulation = |reference: Reference<'a>| {
        let arn: &Arn = reference.arn.as_ref().ok()?;
        let action = match arn.kind {
            ArnKind::Certificate => of_certificate,
            ArnKind::Authority => of_authority,
        };
        let simulation = Simulation { role: role.to_owned(), action, resource: arn.to_string() };
        Some((reference, simulation))
    };
    references(cx).filter_map(simulation).collect()
}

/// What IAM says; None where it wasn't asked, or didn't answer.
pub(in crate::rules) fn may(cx: &Context<'_>, simulation: &Simulation) -> Option<bool> {
    match cx.view.answer(&Question::Simulation(simulation.clone())) {
        Some(Answer::May(allowed)) => Some(*allowed),
        _ => None,
    }
}

/// A reference's place, told for each role by itself.
pub(in crate::rules) fn site(reference: &Reference<'_>, role: &str) -> Site {
    let mut site = reference.site();
    site.anchor = format!("{} role {role}", site.anchor);
    site
}
