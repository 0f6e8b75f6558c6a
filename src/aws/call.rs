//! Every call to AWS that meshvet makes: the one table that `deploy/iam/` is tested against.

use std::fmt;

/// A call to AWS. Displays as the permission that it needs: `acm:DescribeCertificate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// What ACM knows of a certificate.
    DescribeCertificate,
    /// The state and kind of an authority.
    DescribeCertificateAuthority,
    /// An authority's certificate and those above it.
    GetCertificateAuthorityCertificate,
    /// Who asks. Nobody can be denied it.
    GetCallerIdentity,
    /// Takes on a role of another account, where the policy names one.
    AssumeRole,
    /// What a role may do; asked only where the policy enables it.
    SimulatePrincipalPolicy,
    /// The EKS Pod Identity association of a ServiceAccount; asked only where the policy names the cluster.
    ListPodIdentityAssociations,
    /// The role of such an association.
    DescribePodIdentityAssociation,
}

impl Call {
    /// All of them.
    pub const ALL: [Call; 8] = [
        Call::DescribeCertificate,
        Call::DescribeCertificateAuthority,
        Call::GetCertificateAuthorityCertificate,
        Call::GetCallerIdentity,
        Call::AssumeRole,
        Call::SimulatePrincipalPolicy,
        Call::ListPodIdentityAssociations,
        Call::DescribePodIdentityAssociation,
    ];

    /// The service's name, as IAM has it.
    pub fn service(self) -> &'static str {
        match self {
            Call::DescribeCertificate => "acm",
            Call::DescribeCertificateAuthority | Call::GetCertificateAuthorityCertificate => "acm-pca",
            Call::GetCallerIdentity | Call::AssumeRole => "sts",
            Call::SimulatePrincipalPolicy => "iam",
            Call::ListPodIdentityAssociations | Call::DescribePodIdentityAssociation => "eks",
        }
    }

    /// The call's name, as its service has it.
    pub fn name(self) -> &'static str {
        match self {
            Call::DescribeCertificate => "DescribeCertificate",
            Call::DescribeCertificateAuthority => "DescribeCertificateAuthority",
            Call::GetCertificateAuthorityCertificate => "GetCertificateAuthorityCertificate",
            Call::GetCallerIdentity => "GetCallerIdentity",
            Call::AssumeRole => "AssumeRole",
            Call::SimulatePrincipalPolicy => "SimulatePrincipalPolicy",
            Call::ListPodIdentityAssociations => "ListPodIdentityAssociations",
            Call::DescribePodIdentityAssociation => "DescribePodIdentityAssociation",
        }
    }

    /// Whether a policy has to allow it.
    pub fn needs_permission(self) -> bool {
        self != Call::GetCallerIdentity
    }

    /// Whether it is made only for what the policy's `aws.roles` enables.
    pub fn is_for_roles(self) -> bool {
        matches!(self.service(), "iam" | "eks")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service(), self.name())
    }
}

/// What a proxy's role is asked about: its own certificate, the authorities it trusts.
pub const EXPORT_CERTIFICATE: &str = "acm:ExportCertificate";
/// See [`EXPORT_CERTIFICATE`].
pub const GET_AUTHORITY_CERTIFICATE: &str = "acm-pca:GetCertificateAuthorityCertificate";
/// What the controller's role is asked about: whoever creates a node must be able to look at what it names.
pub const DESCRIBE_CERTIFICATE: &str = "acm:DescribeCertificate";
/// See [`DESCRIBE_CERTIFICATE`].
pub const DESCRIBE_AUTHORITY: &str = "acm-pca:DescribeCertificateAuthority";
