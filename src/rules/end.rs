//! The ends of a member that speak TLS.

use crate::mesh::{CertificateSource, ClientEnd, Covered, Member, ServerEnd, ServerTls, Validation};

/// One end of the member.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// A listener that speaks TLS.
    Server(&'a ServerEnd, &'a ServerTls),
    /// A client policy that is enforced.
    Client(&'a ClientEnd),
}

/// The ends of a member that speak TLS.
pub(super) fn ends_of(member: &Member) -> impl Iterator<Item = End<'_>> {
    let servers = member.servers.iter().filter_map(|server| Some(End::Server(server, server.active_tls()?)));
    let clients = member.clients.iter().filter(|client| client.enforce).map(End::Client);
    servers.chain(clients)
}

impl<'a> End<'a> {
    /// Whether both are the very same end, and not only alike.
    pub(super) fn is(&self, other: &End<'_>) -> bool {
        match (self, other) {
            (End::Server(one, _), End::Server(other, _)) => std::ptr::eq(*one, *other),
            (End::Client(one), End::Client(other)) => std::ptr::eq(*one, *other),
            (End::Server(..), End::Client(_)) | (End::Client(_), End::Server(..)) => false,
        }
    }

    /// `listener 8080`, `backend defaults`.
    pub fn anchor(&self) -> &'a str {
        match self {
            End::Server(server, _) => &server.anchor,
            End::Client(client) => &client.anchor,
        }
    }

    /// `listener 8080`, `client policy of backend shop/blue`.
    pub fn noun(&self) -> String {
        match self {
            End::Server(server, _) => server.anchor.to_string(),
            End::Client(client) => format!("client policy of {}", client.anchor),
        }
    }

    /// Whether this is a listener.
    pub fn is_server(&self) -> bool {
        matches!(self, End::Server(..))
    }

    /// Where its own certificates come from.
    pub fn certificates(&self) -> &'a [CertificateSource] {
        match self {
            End::Server(_, tls) => &tls.certificates,
            End::Client(client) => &client.certificates,
        }
    }

    /// The names that its certificates must cover between them.
    pub fn covers(&self) -> &'a [Covered] {
        match self {
            End::Server(_, tls) => &tls.covers,
            End::Client(_) => &[],
        }
    }

    /// What it demands of the other end.
    pub fn validation(&self) -> Option<&'a Validation> {
        match self {
            End::Server(_, tls) => tls.validation.as_ref(),
            End::Client(client) => client.validation.as_ref(),
        }
    }
}
