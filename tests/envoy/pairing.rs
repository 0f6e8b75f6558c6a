//! A pairing: one client, one server, and the files that their proxies load. It is data, for Envoy to be configured
//! with, for meshvet to judge as certificates, and as manifests.

use std::sync::LazyLock;

use crate::support::forge::{Forge, Forged};

/// What a file holds; `None`: there is no file.
pub(crate) type Content = Option<Vec<u8>>;

/// A client and a server.
#[derive(Clone)]
pub(crate) struct Pairing {
    /// Says what is special about it.
    pub(crate) name: String,
    /// Where the server is found.
    pub(crate) host: String,
    /// `None`: it speaks no TLS.
    pub(crate) server: Option<ServerTls>,
    /// `None`: it speaks no TLS.
    pub(crate) client: Option<ClientTls>,
}

/// The TLS of a listener.
#[derive(Clone)]
pub(crate) struct ServerTls {
    /// Whether plaintext is taken too.
    pub(crate) permissive: bool,
    pub(crate) identity: Identity,
    /// How clients are validated, if they are.
    pub(crate) validation: Option<Validation>,
}

/// The TLS of a client.
#[derive(Clone)]
pub(crate) struct ClientTls {
    /// How the server is validated. `None`: the client has no policy, and doesn't validate what it is shown.
    pub(crate) validation: Option<Validation>,
    pub(crate) identity: Option<Identity>,
}

/// A certificate chain and its key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: Content,
    pub(crate) key: Content,
}

/// What the other end's certificate is held against.
#[derive(Clone)]
pub(crate) struct Validation {
    pub(crate) bundle: Content,
    /// The names of which the certificate must have one. Empty: a client expects the server's host, a server any name.
    pub(crate) names: Vec<String>,
}

/// What most pairings are made of: an authority, one below it, and what that issued.
pub(crate) struct Sound {
    pub(crate) root: Forged,
    pub(crate) intermediate: Forged,
    /// For `blue.apps.local`.
    pub(crate) leaf: Forged,
    /// For `front.apps.local`.
    pub(crate) client: Forged,
    /// An authority that has nothing to do with the others.
    pub(crate) other: Forged,
}

pub(crate) static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let root = Forge::authority("Sound Root").self_signed();
    let intermediate = Forge::authority("Sound Intermediate").issued_by(&root);
    Sound {
        leaf: Forge::leaf(&["blue.apps.local"]).issued_by(&intermediate),
        client: Forge::leaf(&["front.apps.local"]).issued_by(&intermediate),
        other: Forge::authority("Other Root").self_signed(),
        root,
        intermediate,
    }
});

/// Certificates as one PEM file.
pub(crate) fn file(certificates: &[&Forged]) -> Vec<u8> {
    certificates.iter().map(|certificate| certificate.pem()).collect::<String>().into_bytes()
}

impl Identity {
    /// These certificates, and the first one's key.
    pub(crate) fn of(chain: &[&Forged]) -> Self {
        let key = chain.first().map(|leaf| leaf.key.pem.clone().into_bytes());
        Self { chain: Some(file(chain)), key }
    }
}

impl Pairing {
    /// A pairing that works: STRICT, a chain of two, the root trusted.
    pub(crate) fn sound(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            host: "blue.apps.local".to_owned(),
            server: Some(ServerTls {
                permissive: false,
                identity: Identity::of(&[&SOUND.leaf, &SOUND.intermediate]),
                validation: None,
            }),
            client: Some(ClientTls {
                validation: Some(Validation { bundle: Some(file(&[&SOUND.root])), names: Vec::new() }),
                identity: None,
            }),
        }
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// The server presents these, and has the first one's key.
    pub(crate) fn chain(mut self, chain: &[&Forged]) -> Self {
        self.server_tls().identity = Identity::of(chain);
        self
    }

    pub(crate) fn chain_file(mut self, content: impl Into<Content>) -> Self {
        self.server_tls().identity.chain = content.into();
        self
    }

    pub(crate) fn key_file(mut self, content: impl Into<Content>) -> Self {
        self.server_tls().identity.key = content.into();
        self
    }

    /// The client trusts these.
    pub(crate) fn bundle(self, bundle: &[&Forged]) -> Self {
        self.bundle_file(file(bundle))
    }

    pub(crate) fn bundle_file(mut self, content: impl Into<Content>) -> Self {
        self.client_validation().bundle = content.into();
        self
    }

    /// The client expects one of these names.
    pub(crate) fn names(mut self, names: &[&str]) -> Self {
        self.client_validation().names = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub(crate) fn permissive(mut self) -> Self {
        self.server_tls().permissive = true;
        self
    }

    pub(crate) fn plaintext_server(mut self) -> Self {
        self.server = None;
        self
    }

    /// The client has no policy: it speaks TLS if the server does, and takes whatever it is shown.
    pub(crate) fn no_policy(mut self) -> Self {
        self.client = self.server.is_some().then_some(ClientTls { validation: None, identity: None });
        self
    }

    pub(crate) fn plaintext_client(mut self) -> Self {
        self.client = None;
        self
    }

    /// The server validates its clients by these authorities, and these names if any.
    pub(crate) fn mutual(mut self, bundle: &[&Forged], names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.server_tls().validation = Some(Validation { bundle: Some(file(bundle)), names });
        self
    }

    /// The client presents these, and has the first one's key.
    pub(crate) fn client_chain(mut self, chain: &[&Forged]) -> Self {
        self.client_tls().identity = Some(Identity::of(chain));
        self
    }

    pub(crate) fn server_tls(&mut self) -> &mut ServerTls {
        self.server.as_mut().expect("a server with TLS")
    }

    pub(crate) fn client_tls(&mut self) -> &mut ClientTls {
        self.client.as_mut().expect("a client with TLS")
    }

    fn client_validation(&mut self) -> &mut Validation {
        self.client_tls().validation.as_mut().expect("a client that validates")
    }

    /// Each file: the end of its path, and what it holds.
    pub(crate) fn files(&self) -> Vec<(&'static str, &Content)> {
        let mut out = Vec::new();
        if let Some(tls) = &self.server {
            out.extend([(CHAIN, &tls.identity.chain), (KEY, &tls.identity.key)]);
            out.extend(tls.validation.iter().map(|validation| (CLIENT_TRUST, &validation.bundle)));
        }
        if let Some(tls) = &self.client {
            out.extend(tls.validation.iter().map(|validation| (TRUST, &validation.bundle)));
            out.extend(tls.identity.iter().flat_map(|own| [(CLIENT_CHAIN, &own.chain), (CLIENT_KEY, &own.key)]));
        }
        out
    }

    /// The names that a client expects that validates like this.
    pub(crate) fn expected<'a>(&'a self, validation: &'a Validation) -> Vec<&'a str> {
        match validation.names.as_slice() {
            [] => vec![&self.host],
            names => names.iter().map(String::as_str).collect(),
        }
    }
}

/// The server's certificate chain.
pub(crate) const CHAIN: &str = "tls.crt";
/// The server's key.
pub(crate) const KEY: &str = "tls.key";
/// What the server validates its clients by.
pub(crate) const CLIENT_TRUST: &str = "clients.crt";
/// What the client validates the server by.
pub(crate) const TRUST: &str = "ca.crt";
/// The client's certificate chain.
pub(crate) const CLIENT_CHAIN: &str = "client.crt";
/// The client's key.
pub(crate) const CLIENT_KEY: &str = "client.key";
