//! The roles of proxies and of the controller, and what IAM is asked about them.

use crate::aws::{
    Answer, Arn, ArnKind, DESCRIBE_AUTHORITY, DESCRIBE_CERTIFICATE, EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE,
    Question, RoleOf, STREAM_CONFIGURATION, Simulation, account_of_role, partition_of,
};
use crate::finding::Site;
use crate::mesh::{Member, Workload};
use crate::rules::acm::{Reference, home, references};
use crate::rules::context::Context;

/// The role that a workload's proxies run as.
#[derive(Clone, Debug)]
pub(super) struct ProxyRole<'a> {
    pub(super) workload: &'a Workload,
    /// Its ARN.
    pub(super) role: String,
}

impl ProxyRole<'_> {
    /// `role arn:… of ServiceAccount shop/blue`
    pub(super) fn noun(&self) -> String {
        let Workload { object, service_account, .. } = self.workload;
        format!("{} (ServiceAccount {}/{service_account})", self.role, object.namespace())
    }
}

/// What has to be asked about roles, as far as the policy enables it and it is known whom to ask about.
pub(in crate::rules) fn questions(cx: &Context<'_>) -> Vec<Question> {
    let mut wanted: Vec<Question> = identities(cx).map(|(_, question)| question).collect();
    let roles = proxy_roles(cx);
    for role in &roles {
        wanted.extend(exports(cx, &role.role).into_iter().map(|(_, simulation)| Question::Simulation(simulation)));
        wanted.extend(streams(cx, &role.role).into_iter().flatten().map(Question::Simulation));
    }
    wanted.extend(descriptions(cx).into_iter().map(|(_, simulation)| Question::Simulation(simulation)));
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
        if view.role_of(namespace, service_account).is_some() {
            return None;
        }
        let (namespace, service_account) = (namespace.to_owned(), service_account.clone());
        let (cluster, region) = (cluster.clone()?, region.clone()?);
        Some((workload, Question::PodIdentity { region, cluster, namespace, service_account }))
    })
}

/// The roles of the workloads, as far as they are known.
pub(super) fn proxy_roles<'a>(cx: &Context<'a>) -> Vec<ProxyRole<'a>> {
    let view = cx.view;
    let annotated = workloads(cx).filter_map(|workload| {
        let role = view.role_of(workload.object.namespace(), &workload.service_account)?;
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
pub(super) fn exports<'a>(cx: &Context<'a>, role: &str) -> Vec<(Reference<'a>, Simulation)> {
    simulations(cx, role, EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE)
}

/// What the controller's role has to be allowed for each reference; nothing where the policy names no role.
pub(super) fn descriptions<'a>(cx: &Context<'a>) -> Vec<(Reference<'a>, Simulation)> {
    let roles = &cx.policy.aws.roles;
    match roles.controller.as_deref().filter(|_| roles.enabled) {
        Some(role) => simulations(cx, role, DESCRIBE_CERTIFICATE, DESCRIBE_AUTHORITY),
        None => Vec::new(),
    }
}

fn simulations<'a>(
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

/// Whether a role may fetch the member's configuration, and, to tell whether it may fetch everybody's, another member's. None
/// where the member's ARN isn't known.
pub(super) fn streams(cx: &Context<'_>, role: &str) -> Option<[Simulation; 2]> {
    let own = member_arn(cx)?;
    let (folder, name) = own.rsplit_once('/')?;
    // A name that a sound policy has no reason to allow: none that begins as the member's own.
    let other = format!("{folder}/{}", if name.starts_with("another") { "somebody-else" } else { "another" });
    Some([own, other].map(|resource| Simulation { role: role.to_owned(), action: STREAM_CONFIGURATION, resource }))
}

/// The member's ARN in App Mesh: as its status says, else as it will be.
pub(super) fn member_arn(cx: &Context<'_>) -> Option<String> {
    let member = cx.member()?;
    if let Some(arn) = &member.aws.arn {
        return Some(arn.clone());
    }
    let home = home(cx);
    let (region, account) = (home.region?, home.account?);
    let name = cx.view.mesh_of(member)?;
    let class = cx.view.class_of(member);
    let aws_name = class.and_then(|class| class.aws_name.clone()).unwrap_or_else(|| name.to_owned());
    // A mesh that another account shares carries that account behind its name.
    let owner = class.and_then(|class| class.aws_owner.clone()).filter(|owner| *owner != account);
    let owner = owner.map(|owner| format!("@{owner}")).unwrap_or_default();
    let partition = partition_of(&region);
    Some(format!("arn:{partition}:appmesh:{region}:{account}:mesh/{aws_name}{owner}/{}", member.aws.path))
}

/// What IAM says; None where it wasn't asked, or didn't answer.
pub(super) fn may(cx: &Context<'_>, simulation: &Simulation) -> Option<bool> {
    match cx.view.answer(&Question::Simulation(simulation.clone())) {
        Some(Answer::May(allowed)) => Some(*allowed),
        _ => None,
    }
}

/// A reference's place, told for each role by itself.
pub(super) fn site(reference: &Reference<'_>, role: &str) -> Site {
    let mut site = reference.site();
    site.anchor = format!("{} role {role}", site.anchor);
    site
}
