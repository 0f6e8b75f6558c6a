//! IAM and EKS: what a role is allowed, and which role a ServiceAccount has.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use serde_json::Value;

use crate::aws::{Answer, Call, RoleOf, Simulation, Unanswered, account_of_role};
use crate::sources::aws::Progress;
use crate::sources::aws::clients::Clients;
use crate::sources::aws::failure::{Trouble, of_code};
use crate::sources::aws::signed::{Answered, Plain};

/// Asks IAM's policy simulator.
pub(super) async fn simulate(clients: &Clients, simulation: &Simulation) -> Result<Answer, Trouble> {
    let call = Call::SimulatePrincipalPolicy;
    let failed = |why: &str| Trouble::Unanswered(Unanswered::Failed { call, why: why.to_owned() });
    let account = account_of_role(&simulation.role).ok_or_else(|| failed("this is no role"))?;
    let partition = simulation.role.split(':').nth(1).unwrap_or_default();
    let (endpoint, region) = iam(partition).ok_or_else(|| failed("IAM of this partition is not known"))?;
    let fields = [
        ("Action", call.name()),
        ("Version", "2010-05-08"),
        ("PolicySourceArn", &simulation.role),
        ("ActionNames.member.1", simulation.action),
        ("ResourceArns.member.1", &simulation.resource),
    ];
    let form: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let plain = Plain {
        call,
        method: "POST",
        endpoint: endpoint.to_owned(),
        path: "/".to_owned(),
        region: region.to_owned(),
        form: form.join("&"),
    };
    let answer = clients.send(account, plain).await;
    let decided = answer.and_then(|answer| match find(&answer.body, "EvalDecision") {
        _ if answer.status != 200 => {
            let (code, message) = (find(&answer.body, "Code"), find(&answer.body, "Message"));
            Err(of_code(call, answer.status, code.as_deref(), message.as_deref()))
        }
        Some(decision) => Ok(Answer::May(decision == "allowed")),
        None => Err(failed("an answer that can't be read (HTTP 200)")),
    });
    clients.counted(call, decided)
}

/// Asks EKS for a ServiceAccount's pod identity association and its role.
pub(super) async fn pod_identity(
    clients: &Clients,
    (region, cluster): (&str, &str),
    (namespace, service_account): (&str, &str),
    progress: &Progress,
) -> Result<Answer, Trouble> {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    let get = |call, path| Plain {
        call,
        method: "GET",
        endpoint: format!("https://eks.{region}.amazonaws.com{suffix}"),
        path,
        region: region.to_owned(),
        form: String::new(),
    };
    let folder = format!("/clusters/{}/pod-identity-associations", encoded(cluster));
    let call = Call::ListPodIdentityAssociations;
    let query = format!("namespace={}&serviceAccount={}", encoded(namespace), encoded(service_account));
    let ask = async |call, path| {
        let answer = clients.send("", get(call, path)).await;
        clients.counted(call, answer.and_then(|answer| json(call, &answer)))
    };
    let listed = ask(call, format!("{folder}?{query}")).await?;
    let Some(id) = listed.pointer("/associations/0/associationId").and_then(Value::as_str) else {
        return Ok(Answer::Role(RoleOf::None));
    };
    progress.next();
    let call = Call::DescribePodIdentityAssociation;
    let described = ask(call, format!("{folder}/{}", encoded(id))).await?;
    let role = described.pointer("/association/roleArn").and_then(Value::as_str);
    Ok(Answer::Role(role.map_or(RoleOf::None, |role| RoleOf::Role(role.to_owned()))))
}

/// A partition's IAM endpoint, and the Region to sign for.
fn iam(partition: &str) -> Option<(&'static str, &'static str)> {
    Some(match partition {
        "aws" => ("https://iam.amazonaws.com", "us-east-1"),
        "aws-cn" => ("https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        "aws-us-gov" => ("https://iam.us-gov.amazonaws.com", "us-gov-west-1"),
        "aws-iso" => ("https://iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
        "aws-iso-b" => ("https://iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
        _ => return None,
    })
}

fn json(call: Call, answer: &Answered) -> Result<Value, Trouble> {
    let value: Option<Value> = serde_json::from_str(&answer.body).ok();
    if answer.status == 200
        && let Some(value) = value
    {
        return Ok(value);
    }
    let message = value.as_ref().and_then(|value| value.get("message")?.as_str());
    // `AccessDeniedException:http://…`
    let code = answer.kind.as_deref().map(|kind| kind.split(':').next().unwrap_or(kind));
    if answer.status == 200 {
        let why = "an answer that can't be read (HTTP 200)".to_owned();
        return Err(Trouble::Unanswered(Unanswered::Failed { call, why }));
    }
    Err(of_code(call, answer.status, code, message))
}

/// The text of the first element with this name.
fn find(xml: &str, name: &str) -> Option<String> {
    fn search(decoder: &mut ScopedDecoder<'_, '_>, name: &str) -> Option<String> {
        while let Some(mut tag) = decoder.next_tag() {
            if tag.start_el().matches(name) {
                return try_data(&mut tag).ok().map(|text| text.trim().to_owned());
            }
            if let Some(found) = search(&mut tag, name) {
                return Some(found);
            }
        }
        None
    }
    let mut document = Document::new(xml);
    search(&mut document.root_element().ok()?, name)
}

/// Percent-encodes everything but letters, digits and `-_.~`, as the signature requires.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3 / 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_found_however_deep() {
        let xml = "<A xmlns=\"x\"><B><C>one</C></B><Error><Code> AccessDenied </Code></Error></A>";
        assert_eq!(find(xml, "Code").as_deref(), Some("AccessDenied"));
        assert_eq!(find(xml, "C").as_deref(), Some("one"));
        assert_eq!(find(xml, "D"), None);
        for broken in ["", "<", "<html><h1>500", "no", "<A><Code>x</A>"] {
            let _ = find(broken, "Code");
        }
    }

    #[test]
    fn what_a_url_cant_hold_is_encoded() {
        assert_eq!(encoded("arn:aws:iam::1:role/a b+ü~"), "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b%2B%C3%BC~");
    }
}
