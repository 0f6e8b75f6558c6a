//! Who hands certificates to proxies, and what becomes of one that is wrong.

/// How a member's proxies come by their certificates, as far as that is certain for every supported version.
#[derive(Debug, PartialEq, Eq)]
pub struct Plane {
    /// What people call it, for messages: `Envoy Gateway`.
    pub name: &'static str,
    /// How a certificate gets to a proxy.
    pub loads: Loads,
    /// The types of Secrets that it takes; empty: any.
    pub secret_types: &'static [&'static str],
    /// Whether it takes a Secret by any other keys than `tls.crt` and `tls.key`: in this order, the chain's and the key's.
    pub other_keys: Option<(&'static str, &'static str)>,
    /// Types of Secrets whose keys are others, and mean something else.
    pub other_types: &'static [&'static str],
    /// Whether a listener is dead for certain that is to speak TLS and names no certificate.
    pub needs_certificate: bool,
    /// Whether it refuses what it has no use for: certificates of a listener that passes TLS through.
    pub refuses_unused: bool,
    /// Whether a client checks the one name that its policy gives.
    pub checks_name: bool,
    /// Whether it refuses a chain for any certificate of it that has ended, or has not begun.
    pub refuses_ended: bool,
    /// Whether it refuses a chain file that holds anything but certificates.
    pub refuses_other_blocks: bool,
    /// How many certificates a listener may have, more than which it refuses; None: any number.
    pub most_certificates: Option<usize>,
    /// What it takes authorities from.
    pub authorities: Authorities,
}

/// What a control plane takes authorities from, as far as that is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorities {
    /// The kinds of objects for those of backends, `Kind` or `Kind.group`; empty: nobody knows.
    pub of_backends: &'static [&'static str],
    /// The same for those of clients.
    pub of_clients: &'static [&'static str],
    /// The keys in a ConfigMap or Secret, the first that is there counts.
    pub keys: &'static [&'static str],
    /// Whether it takes no other key.
    pub no_other_key: bool,
    /// How many references a listener may have for its clients; None: any number.
    pub most_of_clients: Option<usize>,
}

/// How a certificate gets to a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loads {
    /// The proxy, an Envoy, gets the file's path. It refuses its whole configuration for one that it can't use.
    Directly,
    /// The control plane parses both files as Go does, and hands what it understood to an Envoy.
    Parsed,
    /// The control plane sees whether Go takes both files for a pair, and hands them to an Envoy as they are.
    Checked,
    /// The control plane hands both files to an Envoy unseen, each pair by a stream of its own.
    Unseen,
    /// Nobody knows. Only what no server can use is certain.
    Unknown,
    /// Nobody knows, and a certificate of the controller's own stands in for one that can't be used.
    StoodIn,
}

/// The proxies of a mesh that read files for themselves.
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

/// A gateway of which nobody knows what it is.
pub static UNKNOWN: Plane = Plane { name: "the gateway's controller", loads: Loads::Unknown, ..PLAIN };

/// An entrance of which nobody knows what it is, and that has a certificate of its own for whatever it has no other for.
pub static STOOD_IN: Plane = Plane { name: "the controller", loads: Loads::StoodIn, ..PLAIN };

/// What every control plane takes: the key that the specification names.
const ANY: Authorities =
    Authorities { of_backends: &[], of_clients: &[], keys: &["ca.crt"], no_other_key: false, most_of_clients: None };

/// What nothing is known of.
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

/// By what a member's plane is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaneOf {
    /// It is always this one.
    Own(&'static Plane),
    /// Its [class](crate::mesh::Class) says; where nobody knows the class, this one.
    Class(&'static Plane),
}

impl PlaneOf {
    /// Whether it is for certain that the proxies read files themselves.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self, PlaneOf::Own(plane) if plane.is_direct())
    }
}

impl Plane {
    /// Whether its proxies are Envoys that get the files as they are.
    pub(crate) fn hands_on(&self) -> bool {
        matches!(self.loads, Loads::Directly | Loads::Checked | Loads::Unseen)
    }

    /// Whether its proxies are Envoys: what they refuse is known.
    pub(crate) fn is_envoy(&self) -> bool {
        self.hands_on() || self.loads == Loads::Parsed
    }

    /// Whether clients are the proxies of the mesh itself, which check what they dialled.
    pub(crate) fn is_direct(&self) -> bool {
        self.loads == Loads::Directly
    }
}
