//! Control planes: how they give certificates to proxies, and what happens to a bad one.

/// How a member's proxies get their certificates, as far as that is certain for every supported version.
#[derive(Debug, PartialEq, Eq)]
pub struct Plane {
    /// Its name in messages: `Envoy Gateway`.
    pub name: &'static str,
    /// How a certificate gets to a proxy.
    pub loads: Loads,
    /// The types of Secrets that it accepts; empty: any.
    pub secret_types: &'static [&'static str],
    /// The keys that it also accepts besides `tls.crt` and `tls.key`: first the chain's, then the private key's.
    pub other_keys: Option<(&'static str, &'static str)>,
    /// Types of Secrets with other keys, which mean something else.
    pub other_types: &'static [&'static str],
    /// Whether a TLS listener without a certificate certainly doesn't work.
    pub needs_certificate: bool,
    /// Whether it rejects what is of no use: certificates of a listener that passes TLS through.
    pub refuses_unused: bool,
    /// Whether a client checks the one name in its policy.
    pub checks_name: bool,
    /// Whether it rejects a chain in which any certificate has expired or isn't valid yet.
    pub refuses_ended: bool,
    /// Whether it rejects a chain file that holds anything but certificates.
    pub refuses_other_blocks: bool,
    /// The most certificates that it accepts for a listener; None: any number.
    pub most_certificates: Option<usize>,
    /// Where it takes CAs from.
    pub authorities: Authorities,
}

/// Where a control plane takes CAs from, as far as that is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorities {
    /// The kinds of objects for the CAs of backends, `Kind` or `Kind.group`; empty: unknown.
    pub of_backends: &'static [&'static str],
    /// The same for the CAs of clients.
    pub of_clients: &'static [&'static str],
    /// The keys in a ConfigMap or Secret; the first that exists is used.
    pub keys: &'static [&'static str],
    /// Whether it accepts no other key.
    pub no_other_key: bool,
    /// The most references to client CAs that a listener may have; None: any number.
    pub most_of_clients: Option<usize>,
}

/// How a certificate gets to a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loads {
    /// The proxy, an Envoy, gets the file's path. It rejects its whole configuration if a file can't be used.
    Directly,
    /// The control plane parses both files as Go does, and sends the parsed result to an Envoy.
    Parsed,
    /// The control plane checks that Go accepts both files as a pair, and sends them to an Envoy unchanged.
    Checked,
    /// The control plane sends both files to an Envoy unchecked, each pair in its own SDS stream.
    Unseen,
    /// Unknown. Only what no server can use is certain.
    Unknown,
    /// Unknown, and the controller's own certificate replaces one that can't be used.
    StoodIn,
}

/// Meshes whose proxies read files themselves.
pub static DIRECT: Plane = Plane {
    name: "the proxy",
    loads: Loads::Directly,
    secret_types: &[],
    other_keys: None,
    other_types: &[],
    needs_certificate: false,
    refuses_unused: false,
    checks_name: true,
    refuses_ended: false,
    refuses_other_blocks: false,
    most_certificates: None,
    authorities: ANY,
};

/// A gateway with an unknown controller.
pub static UNKNOWN: Plane = Plane { name: "the gateway's controller", loads: Loads::Unknown, ..PLAIN };

/// An ingress with an unknown controller, which has a default certificate of its own.
pub static STOOD_IN: Plane = Plane { name: "the controller", loads: Loads::StoodIn, ..PLAIN };

/// What every control plane accepts: the key in the specification.
const ANY: Authorities =
    Authorities { of_backends: &[], of_clients: &[], keys: &["ca.crt"], no_other_key: false, most_of_clients: None };

/// A plane of which nothing is known.
pub const PLAIN: Plane = Plane {
    name: "",
    loads: Loads::Unknown,
    secret_types: &[],
    other_keys: None,
    other_types: &[],
    needs_certificate: false,
    refuses_unused: false,
    checks_name: true,
    refuses_ended: false,
    refuses_other_blocks: false,
    most_certificates: None,
    authorities: ANY,
};

/// How a member's plane is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaneOf {
    /// It is always this one.
    Own(&'static Plane),
    /// Its [class](crate::mesh::Class) decides; where the class is unknown, this one.
    Class(&'static Plane),
}

impl PlaneOf {
    /// Whether the proxies certainly read files themselves.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self, PlaneOf::Own(plane) if plane.is_direct())
    }
}

impl Plane {
    /// Whether its proxies are Envoys that get the files unchanged.
    pub(crate) fn hands_on(&self) -> bool {
        matches!(self.loads, Loads::Directly | Loads::Checked | Loads::Unseen)
    }

    /// Whether its proxies are Envoys: what they reject is known.
    pub(crate) fn is_envoy(&self) -> bool {
        self.hands_on() || self.loads == Loads::Parsed
    }

    /// Whether clients are the mesh's own proxies, which check the name that they called.
    pub(crate) fn is_direct(&self) -> bool {
        self.loads == Loads::Directly
    }
}
