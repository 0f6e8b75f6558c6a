//! Roles: those that proxies and controllers run as, by what IAM and EKS say of them, and those that meshvet takes on.

/// The role behind a ServiceAccount that isn't named by the annotation of IRSA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleOf {
    /// EKS Pod Identity gives it this role.
    Role(String),
    /// EKS Pod Identity knows nothing of it.
    None,
}

/// A question to IAM: may this role do this to that?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Simulation {
    /// The role's ARN.
    pub role: String,
    /// `acm:ExportCertificate`.
    pub action: &'static str,
    /// The ARN of what it is done to.
    pub resource: String,
}

/// A role that meshvet takes on to ask about what belongs to another account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountRole {
    /// Its ARN.
    pub arn: String,
    /// The external id that it asks for, where it does.
    pub external_id: Option<String>,
}

/// The account in a role's ARN, where it is one: `arn:aws:iam::111122223333:role/NAME`.
pub(crate) fn account_of_role(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else { return None };
    let named = resource.strip_prefix("role/").is_some_and(|name| !name.is_empty());
    (!partition.is_empty() && super::is_account(account) && named).then_some(account)
}
