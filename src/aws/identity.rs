//! What IAM says of the roles that proxies and controllers run as.

/// The role behind a ServiceAccount, where it isn't named by the annotation of IRSA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleOf {
    /// EKS Pod Identity gives it this role.
    Role(String),
    /// EKS Pod Identity knows nothing of it.
    None,
}

/// A question to IAM: may this role do this to these?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Simulation {
    /// The role's ARN.
    pub role: String,
    /// `acm:ExportCertificate`.
    pub action: &'static str,
    /// The ARNs, sorted.
    pub resources: Vec<String>,
}

/// IAM's answer to a [`Simulation`]: one for each of its resources, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts(pub Vec<bool>);
