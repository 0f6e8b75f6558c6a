//! AWS Private CA: the state of an authority, and its certificate.

use std::sync::Arc;

use aws_sdk_acmpca::Client;
use aws_sdk_acmpca::types::CertificateAuthorityType;

use crate::aws::{Arn, AuthorityFacts, Call, Unanswered};
use crate::pki::{Bundle, FileFacts};
use crate::sources::aws::Progress;
use crate::sources::aws::clients::Clients;
use crate::sources::aws::failure::{Trouble, trouble};

/// Describes one authority, and fetches its certificate if it has one.
pub(super) async fn describe(clients: &Clients, arn: &Arn, progress: &Progress) -> Result<AuthorityFacts, Trouble> {
    let call = Call::DescribeCertificateAuthority;
    clients.turn(call, &arn.account, &arn.region).await;
    let client = Client::new(&clients.for_arn(arn).await);
    let answer = client.describe_certificate_authority().certificate_authority_arn(arn.to_string());
    let answer = Box::pin(answer.send()).await;
    let answer = answer.map_err(|error| trouble(call, &error));
    let found = clients.counted(call, answer)?.certificate_authority;
    let empty = || Unanswered::Failed { call, why: "an answer without an authority".to_owned() };
    let found = found.ok_or_else(|| Trouble::Unanswered(empty()))?;
    let status = found.status().map_or("unknown", |status| status.as_str()).to_owned();
    let is_root = found.r#type() == Some(&CertificateAuthorityType::Root);
    let (mut bundle, mut bundle_unanswered) = (None, None);
    if AuthorityFacts::has_certificate(&status) {
        progress.next();
        clients.turn(Call::GetCertificateAuthorityCertificate, &arn.account, &arn.region).await;
        match certificates(clients, &client, arn).await {
            Ok(found) => bundle = Some(Arc::new(found)),
            Err(why) => bundle_unanswered = Some(why),
        }
    }
    Ok(AuthorityFacts { status, is_root, bundle, bundle_unanswered })
}

/// The authority's own certificate, then those above it.
async fn certificates(clients: &Clients, client: &Client, arn: &Arn) -> Result<Bundle, Unanswered> {
    let call = Call::GetCertificateAuthorityCertificate;
    let answer = client.get_certificate_authority_certificate().certificate_authority_arn(arn.to_string());
    let answer = Box::pin(answer.send()).await;
    let failed = |why: String| Unanswered::Failed { call, why };
    let answer = answer.map_err(|error| trouble(call, &error));
    let answer = clients.counted(call, answer).map_err(|trouble| match trouble {
        Trouble::Unanswered(why) => why,
        Trouble::NotFound => failed("the authority is gone".to_owned()),
    })?;
    // Some chains end without a line feed.
    let pem = [answer.certificate(), answer.certificate_chain()].map(Option::unwrap_or_default).join("\n");
    FileFacts::parse(pem.as_bytes())
        .bundle
        .map_err(|error| failed(format!("a certificate that can't be read: {error}")))
}
