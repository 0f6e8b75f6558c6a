//! Servers with two listeners: which of them a client calls, and for which its policy holds.

use crate::pairing::{Pairing, ServerTls};

/// Another listener of the same server.
#[derive(Clone)]
pub(crate) struct Second {
    pub(crate) server: Option<ServerTls>,
    /// Which of the two the way names by its port; of `Both`, each.
    pub(crate) called: Named,
    /// Which of the two the client's policy names by its port.
    pub(crate) policy: Named,
}

/// One of two listeners, both, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Neither,
    Both,
    First,
    Second,
}

impl Named {
    /// Whether the call of this number is meant, or may be.
    fn holds(self, call: usize) -> bool {
        match self {
            Self::Neither | Self::Both => true,
            Self::First => call == 0,
            Self::Second => call == 1,
        }
    }
}

impl Pairing {
    /// The server has another listener with this TLS, and the way there names one or neither by its port.
    pub(crate) fn second(self, server: Option<ServerTls>, called: Named) -> Self {
        Self { second: Some(Second { server, called, policy: Named::Neither }), ..self }
    }

    /// Each call that the client can mean, with one listener: a call to each of the server's.
    pub(crate) fn calls(&self) -> Vec<Pairing> {
        let Some(second) = &self.second else { return vec![self.clone()] };
        let to = |(number, server): (usize, &Option<ServerTls>)| {
            let call = Pairing { server: server.clone(), second: None, ..self.clone() };
            let validates = self.client.as_ref().is_some_and(|client| client.validation.is_some());
            if validates && self.has_policy(number) { call } else { call.no_policy() }
        };
        [&self.server, &second.server].into_iter().enumerate().map(to).collect()
    }

    /// Whether the ports of the client's policy hold for the call of this number.
    pub(crate) fn has_policy(&self, call: usize) -> bool {
        self.second.as_ref().is_none_or(|second| second.policy.holds(call))
    }

    /// Which listeners the way there names.
    pub(crate) fn called(&self) -> Named {
        self.second.as_ref().map_or(Named::Neither, |second| second.called)
    }

    /// Whether the client may mean the call of this number.
    pub(crate) fn may_mean(&self, call: usize) -> bool {
        self.called().holds(call)
    }
}
