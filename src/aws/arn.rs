//! Amazon Resource Names of certificates and of the authorities that issue them.

use std::fmt;

use thiserror::Error;

use super::regions::{is_account, is_known_partition, is_region, partition_of};
use crate::text;

/// What an ARN is to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArnKind {
    /// A certificate of AWS Certificate Manager: `arn:aws:acm:REGION:ACCOUNT:certificate/UUID`.
    Certificate,
    /// An authority of AWS Private CA: `arn:aws:acm-pca:REGION:ACCOUNT:certificate-authority/UUID`.
    Authority,
}

impl ArnKind {
    fn service(self) -> &'static str {
        match self {
            ArnKind::Certificate => "acm",
            ArnKind::Authority => "acm-pca",
        }
    }

    fn resource(self) -> &'static str {
        match self {
            ArnKind::Certificate => "certificate",
            ArnKind::Authority => "certificate-authority",
        }
    }

    /// The whole shape, for a message.
    pub fn shape(self) -> String {
        format!("arn:aws:{}:REGION:ACCOUNT:{}/UUID", self.service(), self.resource())
    }
}

/// The ARN of a certificate or of an authority, its shape checked.
///
/// Displays as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    /// What it names.
    pub kind: ArnKind,
    /// `aws`, `aws-cn`, … Perhaps one that isn't known here: see [`Arn::has_known_partition`].
    pub partition: String,
    /// `eu-west-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// The UUID behind `certificate/` or `certificate-authority/`.
    pub id: String,
}

/// Why a text is no ARN of a certificate, or of an authority. Each carries what is there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArnError {
    /// Nothing.
    #[error("the ARN is empty")]
    Empty,
    /// Something that was to be filled in.
    #[error("the placeholder {found} was never filled in")]
    Placeholder {
        /// As it is there, with its brackets.
        found: String,
    },
    /// White space around it, or inside.
    #[error("the ARN contains white space")]
    Space,
    /// No `arn:` in front, or fewer than six parts.
    #[error("this is not an ARN: an ARN has six parts, separated by colons, and starts with \"arn\"")]
    NotArn,
    /// A resource of another service.
    #[error("this is an ARN of the service {found:?}, not of {wanted:?}")]
    Service {
        /// The one that is there.
        found: String,
        /// The one that is wanted.
        wanted: &'static str,
    },
    /// Not the shape of a Region.
    #[error("{found:?} is not a Region")]
    Region {
        /// What is there.
        found: String,
    },
    /// A Region of another partition.
    #[error("the Region {region} is of partition {wanted}, not of {found}")]
    Partition {
        /// The Region.
        region: String,
        /// The partition that is there.
        found: String,
        /// The one that the Region belongs to.
        wanted: &'static str,
    },
    /// Not twelve digits.
    #[error("{found:?} is not an account ID: it has twelve digits")]
    Account {
        /// What is there.
        found: String,
    },
    /// Another kind of resource, or no UUID.
    #[error("{found:?} is not {wanted}/UUID")]
    Resource {
        /// What is there.
        found: String,
        /// The kind of resource that is wanted.
        wanted: &'static str,
    },
}

impl Arn {
    /// Reads an ARN of this kind. A partition that isn't known is no error.
    ///
    /// # Errors
    /// The first part that is wrong, from the left.
    pub fn parse(text: &str, kind: ArnKind) -> Result<Self, ArnError> {
        if text.trim().is_empty() {
            return Err(ArnError::Empty);
        }
        if let Some(found) = placeholder(text) {
            return Err(ArnError::Placeholder { found: shown(found) });
        }
        if text.contains(char::is_whitespace) {
            return Err(ArnError::Space);
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts[..] else { return Err(ArnError::NotArn) };
        if service != kind.service() {
            return Err(ArnError::Service { found: shown(service), wanted: kind.service() });
        }
        if !is_region(region) {
            return Err(ArnError::Region { found: shown(region) });
        }
        let wanted = partition_of(region);
        if partition.is_empty() || (is_known_partition(partition) && partition != wanted) {
            return Err(ArnError::Partition { region: region.to_owned(), found: shown(partition), wanted });
        }
        if !is_account(account) {
            return Err(ArnError::Account { found: shown(account) });
        }
        let id = resource.strip_prefix(kind.resource()).and_then(|rest| rest.strip_prefix('/'));
        match id.filter(|id| is_uuid(id)) {
            Some(id) => Ok(Self {
                kind,
                partition: partition.to_owned(),
                region: region.to_owned(),
                account: account.to_owned(),
                id: id.to_owned(),
            }),
            None => Err(ArnError::Resource { found: shown(resource), wanted: kind.resource() }),
        }
    }

    /// Whether its partition is one that AWS has told of.
    pub(crate) fn has_known_partition(&self) -> bool {
        is_known_partition(&self.partition)
    }

    /// `certificate/UUID`: the part that tells it from others of its account.
    pub fn resource(&self) -> String {
        format!("{}/{}", self.kind.resource(), self.id)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, partition, region, account, id } = self;
        write!(f, "arn:{partition}:{}:{region}:{account}:{}/{id}", kind.service(), kind.resource())
    }
}

/// The Region and account of any ARN, such as that of a virtual node.
pub(crate) fn region_and_account(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, _, region, account, _] = parts[..] else { return None };
    (is_region(region) && is_account(account)).then_some((region, account))
}

/// A part of the text that some tool was to replace: `${NAME}`, `$NAME`, `<NAME>`, `{{ … }}`, `%NAME%`. No ARN has these.
fn placeholder(text: &str) -> Option<&str> {
    for (open, close) in [("${", "}"), ("{{", "}}"), ("$(", ")"), ("<", ">")] {
        if let Some(start) = text.find(open) {
            let end = text[start..].find(close).map_or(text.len(), |end| start + end + close.len());
            return Some(&text[start..end]);
        }
    }
    for mark in ['$', '%'] {
        let Some(start) = text.find(mark) else { continue };
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = text[start + 1..].find(|c| !name(c)).map_or(text.len(), |end| start + 1 + end);
        let end = if mark == '%' && text[end..].starts_with('%') { end + 1 } else { end };
        return Some(&text[start..end]);
    }
    None
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 5
        && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, length)| part.len() == length)
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What is there, not endless.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    text::cut(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "12345678-90ab-cdef-1234-567890abcdef";

    #[test]
    fn a_certificate_and_an_authority_are_read_and_written_back() {
        for (kind, text) in [
            (ArnKind::Certificate, format!("arn:aws:acm:eu-west-1:111122223333:certificate/{UUID}")),
            (ArnKind::Certificate, format!("arn:aws-cn:acm:cn-north-1:111122223333:certificate/{UUID}")),
            (
                ArnKind::Authority,
                format!("arn:aws-us-gov:acm-pca:us-gov-west-1:111122223333:certificate-authority/{UUID}"),
            ),
            (
                ArnKind::Authority,
                format!("arn:aws-iso-b:acm-pca:us-isob-east-1:111122223333:certificate-authority/{UUID}"),
            ),
        ] {
            let arn = Arn::parse(&text, kind).expect(&text);
            assert_eq!(arn.to_string(), text);
            assert!(arn.has_known_partition());
        }
        let odd = format!("arn:aws-moon:acm:moon-north-1:111122223333:certificate/{UUID}");
        assert!(!Arn::parse(&odd, ArnKind::Certificate).expect("a shape").has_known_partition());
    }

    #[test]
    fn what_is_wrong_is_told_from_the_left_with_what_stands_there() {
        for (text, words) in [
            ("", "empty"),
            (" ", "empty"),
            ("${CERTIFICATE_ARN}", "${CERTIFICATE_ARN}"),
            ("$CERTIFICATE_ARN", "$CERTIFICATE_ARN"),
            ("<CERTIFICATE_ARN>", "<CERTIFICATE_ARN>"),
            ("{{ .Values.arn }}", "{{ .Values.arn }}"),
            ("arn:aws:acm:${REGION}:111122223333:certificate/x", "${REGION}"),
            ("%ARN%", "%ARN%"),
            ("${unclosed", "${unclosed"),
            ("arn:aws:acm:eu-west-1:111122223333:certificate/x ", "white space"),
            ("certificate/x", "not an ARN"),
            ("arn:aws:acm:eu-west-1:111122223333", "not an ARN"),
            ("arn:aws:iam::111122223333:server-certificate/x", "\"iam\""),
            ("arn:aws:acm:Ireland:111122223333:certificate/x", "\"Ireland\""),
            ("arn:aws-cn:acm:eu-west-1:111122223333:certificate/x", "partition aws, not of aws-cn"),
            ("arn::acm:eu-west-1:111122223333:certificate/x", "partition aws"),
            ("arn:aws:acm:eu-west-1:1111:certificate/x", "\"1111\""),
            ("arn:aws:acm:eu-west-1:111122223333:certificate/x", "\"certificate/x\""),
            ("arn:aws:acm:eu-west-1:111122223333:certificate-authority/x", "not certificate/UUID"),
            ("arn:aws:acm-pca:eu-west-1:111122223333:certificate/x", "\"acm-pca\""),
            ("arn:äöü$ß", "placeholder"),
        ] {
            let error = Arn::parse(text, ArnKind::Certificate).expect_err(text).to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        }
        let long = format!("arn:aws:acm:eu-west-1:111122223333:{}", "ü".repeat(10_000));
        assert!(Arn::parse(&long, ArnKind::Certificate).expect_err("no UUID").to_string().chars().count() < 200);
    }

    #[test]
    fn a_virtual_nodes_arn_tells_its_region_and_account() {
        let node = "arn:aws:appmesh:eu-west-1:111122223333:mesh/apps/virtualNode/blue_shop";
        assert_eq!(region_and_account(node), Some(("eu-west-1", "111122223333")));
        assert_eq!(region_and_account("arn:aws:iam::111122223333:role/x"), None);
        assert_eq!(region_and_account(""), None);
    }
}
