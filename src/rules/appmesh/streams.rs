//! What IAM is asked about the roles of App Mesh's proxies and of its controller.

use crate::apis::appmesh::{GROUP, STREAM_CONFIGURATION, resource_arn};
use crate::aws::{DESCRIBE_AUTHORITY, DESCRIBE_CERTIFICATE, Question, Simulation};
use crate::mesh::{Member, Sort};
use crate::rules::acm::roles::{proxy_roles, simulations};
use crate::rules::acm::{Reference, home};
use crate::rules::context::Context;

/// What has to be asked.
pub(in crate::rules) fn questions(cx: &Context<'_>) -> Vec<Question> {
    let streams = proxy_roles(cx).into_iter().filter_map(|role| streams(cx, &role.role)).flatten();
    let descriptions = descriptions(cx).into_iter().map(|(_, simulation)| simulation);
    streams.chain(descriptions).map(Question::Simulation).collect()
}

/// The member under review, where it is App Mesh's.
fn member<'a>(cx: &Context<'a>) -> Option<&'a Member> {
    cx.member().filter(|member| member.api == GROUP)
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

/// The member's ARN: as its status says, else as it will be.
fn member_arn(cx: &Context<'_>) -> Option<String> {
    let member = member(cx)?;
    if let Some(arn) = &member.aws.arn {
        return Some(arn.clone());
    }
    let home = home(cx);
    let (region, account) = (home.region?, home.account?);
    let name = cx.view.mesh_of(member)?;
    let class = cx.view.class_of(member);
    // Its name and its owner at AWS may be others then.
    if class.is_none() && !cx.view.unlisted(Sort::Classes, "").is_empty() {
        return None;
    }
    let mesh = class.and_then(|class| class.aws_name.as_deref()).unwrap_or(name);
    let owner = class.and_then(|class| class.aws_owner.as_deref()).filter(|owner| *owner != account);
    Some(resource_arn(&region, &account, mesh, owner, &member.aws.path))
}

/// What the controller's role has to be allowed for each reference; nothing where the policy names no role.
pub(super) fn descriptions<'a>(cx: &Context<'a>) -> Vec<(Reference<'a>, Simulation)> {
    let roles = &cx.policy.aws.roles;
    match roles.controller.as_deref().filter(|_| roles.enabled && member(cx).is_some()) {
        Some(role) => simulations(cx, role, DESCRIBE_CERTIFICATE, DESCRIBE_AUTHORITY),
        None => Vec::new(),
    }
}
