//! One moto server for the whole suite.

use std::net::SocketAddr;
use std::sync::LazyLock;

use crate::support::moto::{program, start};

/// Where it listens. Started by the first test that asks.
pub(crate) static MOTO: LazyLock<SocketAddr> = LazyLock::new(|| start(program()));
