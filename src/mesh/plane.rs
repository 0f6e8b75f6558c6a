//! Control planes that give certificates to proxies, and what they do with one that can't be used.

/// How a member's proxies get their certificates, as far as that is certain for every supported version.
#[derive(Debug, PartialEq, Eq)]
pub struct Plane {
    /// Its name, for messages: `Envoy Gateway`.
    pub name: &'static str,
    /// How a certificate gets to a proxy.
    pub loads: Loads,
    /// The types of Secrets that it accepts; empty: any.
    pub secret_types: &'static [&'static str],
    /// The keys that it reads in a Secret besides `tls.crt` and `tls.key`, if any: the chain's, then the private key's.
    pub other_keys: Option<(&'static str, &'static str)>,
    /// Types of Secrets that have other keys, with another meaning.
    pub other_types: &'static [&'static str],
    /// Whether a TLS listener that names no certificate is certainly dead.
    pub needs_certificate: bool,
    /// Whether it refuses certificates that it has no use for: those of a listener that passes TLS through.
    pub refuses_unused: bool,
    /// Whether its proxies check a backend's certificate against the policy's `hostname`.
    pub checks_name: bool,
    /// Whether it refuses a chain if any of its certificates has expired, or isn't valid yet.
    pub refuses_ended: bool,
    /// Whether it refuses a chain file that contains anything but certificates.
    pub refuses_other_blocks: bool,
    /// How many certificates a listener may have: it refuses a listener with more. None: any number.
    pub most_certificates: Option<usize>,
    /// Where it reads authorities from.
    pub authorities: Authorities,
}

/// Where a control plane reads authorities from, as far as that is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorities {
    /// The kinds of objects for those of backends, `Kind` or `Kind.group`; empty: unknown.
    pub of_backends: &'static [&'static str],
    /// The same for those of clients.
    pub of_clients: &'static [&'static str],
    /// The keys in a ConfigMap or Secret; the first that exists counts.
    pub keys: &'static [&'static str],
    /// Whether it reads no other key.
    pub no_other_key: bool,
    /// How many references a listener may have for its clients; None: any number.
    pub most_of_clients: Option<usize>,
}

/// How a certificate gets to a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loads {
    /// The proxy, an Envoy, gets the file's path. It refuses its whole configuration for one that it can't use.
    Directly,
    /// The control plane parses both files as Go does, and gives what it parsed to an Envoy.
    Parsed,
    /// The control plane checks whether Go accepts both files as a pair, and gives them to an Envoy unchanged.
    Checked,
    /// The control plane gives both files to an Envoy unchecked, each pair in a stream of its own.
    Unseen,
    /// Unknown. Only what no server can use is certain.
    Unknown,
    /// Unknown, but the controller has a default certificate that replaces one that can't be used.
    StoodIn,
}

/// The proxies of a mesh, which read the files themselves.
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

/// An entrance with an unknown controller that has a default certificate.
pub static STOOD_IN: Plane = Plane { name: "the controller", loads: Loads::StoodIn, ..PLAIN };

/// What every control plane accepts: the key that the specification names.
const ANY: Authorities =
    Authorities { of_backends: &[], of_clients: &[], keys: &["ca.crt"], no_other_key: false, most_of_clients: None };

/// A control plane that nothing is known about.
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
    /// Its [class](crate::mesh::Class) decides; if the class is unknown, this one.
    Class(&'static Plane),
}

impl PlaneOf {
    /// Whether the proxies certainly read the files themselves.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self, PlaneOf::Own(plane) if plane.is_direct())
    }
}

impl Plane {
    /// Whether its proxies are Envoys that get the files unchanged.
    pub(crate) fn hands_on(&self) -> bool {
        matches!(self.loads, Loads::Directly | Loads::Checked | Loads::Unseen)
    }

    /// Whether its proxies are Envoys: what they refuse is known.
    pub(crate) fn is_envoy(&self) -> bool {
        self.hands_on() || self.loads == Loads::Parsed
    }

    /// Whether clients are the mesh's own proxies, which verify the server that they call.
    pub(crate) fn is_direct(&self) -> bool {
        self.loads == Loads::Directly
    }
}
