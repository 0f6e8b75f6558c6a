//! A pairing: one client, one server, and the files that their proxies load. It is data, for Envoy to be configured
//! with, for meshvet to judge as certificates, and as manifests.

use std::sync::LazyLock;

use meshvet::finding::Severity;

use crate::calls::{Named, Second};
use crate::proxies::Side;
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
    /// The protocol that the listener declares.
    pub(crate) protocol: &'static str,
    /// Who ends the TLS that the client begins.
    pub(crate) place: Place,
    /// Which program that is.
    pub(crate) program: Program,
    /// `None`: it speaks no TLS.
    pub(crate) server: Option<ServerTls>,
    /// Another listener of the same server.
    pub(crate) second: Option<Second>,
    /// `None`: it speaks no TLS.
    pub(crate) client: Option<ClientTls>,
    /// Whether the client's policy is the backend's own, and not the default of all backends.
    pub(crate) own_policy: bool,
    /// The bundle of a default policy that no backend takes, where there is one beside the backend's own.
    pub(crate) idle_policy: Option<Vec<u8>>,
    /// The kinds of the matchers that the client has for each name.
    pub(crate) matchers: &'static [&'static str],
    /// What is recorded of each call; empty where a prediction is enough.
    pub(crate) comes: Vec<Comes>,
    /// Rules and how severe they are to be here at the most severe; `Off`: not found.
    pub(crate) says: Vec<(&'static str, Severity)>,
}

/// The kinds of the matchers that App Mesh has for each name.
const OF_APP_MESH: &[&str] = &["DNS", "URI"];

/// Matchers without a kind, which Envoy had before it had kinds.
pub(crate) const ANY_KIND: &[&str] = &["any"];

/// Who ends the TLS that the client begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The proxy of the server's listener.
    Listener,
    /// The application, behind a `tcp` listener without TLS that passes on what it gets.
    Behind,
    /// What has no proxy: a virtual node selects pods and there are none, or doesn't select any.
    Outside { selects: bool },
    /// An application whose pods have no proxy.
    Bare,
}

/// The program that ends the TLS, or speaks plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Envoy,
    /// A server made with rustls; its plaintext is HTTP, and it answers 400 to anything else.
    Rustls,
    /// It hangs up on whatever it gets.
    Mute,
}

/// What is recorded of a call, by a part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Comes {
    Works,
    /// As the client's proxy says.
    Fails(&'static str),
    Refused(Side, &'static str),
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
            protocol: "http",
            place: Place::Listener,
            program: Program::Envoy,
            second: None,
            own_policy: false,
            idle_policy: None,
            matchers: OF_APP_MESH,
            comes: Vec::new(),
            says: Vec::new(),
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

    /// The client has no policy: it speaks TLS if the listener does, and takes whatever it is shown.
    pub(crate) fn no_policy(mut self) -> Self {
        let by_listener = self.server.is_some() && self.place == Place::Listener;
        self.client = by_listener.then_some(ClientTls { validation: None, identity: None });
        self
    }

    /// The application ends the TLS itself, behind a `tcp` listener without TLS.
    pub(crate) fn behind(self, program: Program) -> Self {
        Self { place: Place::Behind, protocol: "tcp", program, ..self }
    }

    /// The server has no proxy, and no workload; its host is none of the cluster's.
    pub(crate) fn outside(self, program: Program) -> Self {
        Self { place: Place::Outside { selects: false }, program, ..self }
    }

    /// The client's policy is the backend's own.
    pub(crate) fn own_policy(self) -> Self {
        Self { own_policy: true, ..self }
    }

    /// The client's policy is the backend's own, and the default that it replaces trusts this.
    pub(crate) fn instead_of(self, bundle: Vec<u8>) -> Self {
        Self { own_policy: true, idle_policy: Some(bundle), ..self }
    }

    /// The client matches names in another way than App Mesh has it.
    pub(crate) fn matchers(self, matchers: &'static [&'static str]) -> Self {
        Self { matchers, ..self }
    }

    /// What real proxies were seen to do, call by call.
    pub(crate) fn comes(self, comes: impl IntoIterator<Item = Comes>) -> Self {
        Self { comes: comes.into_iter().collect(), ..self }
    }

    pub(crate) fn works(self) -> Self {
        self.comes([Comes::Works])
    }

    pub(crate) fn fails(self, text: &'static str) -> Self {
        self.comes([Comes::Fails(text)])
    }

    pub(crate) fn refused(self, by: Side, text: &'static str) -> Self {
        self.comes([Comes::Refused(by, text)])
    }

    /// How severe this rule is here at the most severe; `Off`: it says nothing.
    pub(crate) fn says(mut self, code: &'static str, severity: Severity) -> Self {
        self.says.push((code, severity));
        self
    }

    /// Whether the configuration is as App Mesh writes it.
    pub(crate) fn is_of_app_mesh(&self) -> bool {
        self.matchers == OF_APP_MESH
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

    /// What kind of pairing it is, in a few words.
    pub(crate) fn shape(&self) -> String {
        let place = match self.place {
            Place::Listener => "listener",
            Place::Behind => "behind a tcp listener",
            Place::Outside { .. } => "outside",
            Place::Bare => "without a proxy",
        };
        let called = match &self.second {
            None => "",
            Some(Second { called: Named::Neither, .. }) => ", two listeners",
            Some(Second { called: Named::Both, .. }) => ", two listeners by a port each",
            Some(_) => ", two listeners and a port",
        };
        let validated = match &self.client {
            None => ", no TLS",
            Some(ClientTls { validation: None, .. }) => ", not validated",
            Some(ClientTls { identity: Some(_), .. }) if self.asks() => ", mutual",
            Some(ClientTls { identity: Some(_), .. }) => ", a certificate unasked",
            Some(_) => "",
        };
        format!("{place}{called}{validated}")
    }

    /// Whether a listener asks for the client's certificate.
    fn asks(&self) -> bool {
        let second = self.second.as_ref().and_then(|second| second.server.as_ref());
        self.server.iter().chain(second).any(|tls| tls.validation.is_some())
    }

    /// Each file: the end of its path, and what it holds.
    pub(crate) fn files(&self) -> Vec<(&'static str, &Content)> {
        let mut out = Vec::new();
        let second = self.second.as_ref().and_then(|second| second.server.as_ref());
        for (tls, [chain, key, trust]) in [(self.server.as_ref(), OF_FIRST), (second, OF_SECOND)] {
            let Some(tls) = tls else { continue };
            out.extend([(chain, &tls.identity.chain), (key, &tls.identity.key)]);
            out.extend(tls.validation.iter().map(|validation| (trust, &validation.bundle)));
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
/// What a policy trusts that no backend takes.
pub(crate) const IDLE_TRUST: &str = "idle.crt";
/// The files of the server's listener.
pub(crate) const OF_FIRST: [&str; 3] = [CHAIN, KEY, CLIENT_TRUST];
/// The files of its second listener.
pub(crate) const OF_SECOND: [&str; 3] = ["second.crt", "second.key", "second-clients.crt"];
