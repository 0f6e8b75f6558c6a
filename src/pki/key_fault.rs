//! Faults of a private key in an intact block, each with BoringSSL's error.

use thiserror::Error;

pub(super) const UNSUPPORTED: &str = "error:06000080:public key routines:OPENSSL_internal:UNSUPPORTED_ALGORITHM";
const BAD_PKCS8: &str = "error:0c00006d:ASN.1 encoding routines:OPENSSL_internal:DECODE_ERROR";
const BAD_KEY: &str = "error:06000066:public key routines:OPENSSL_internal:DECODE_ERROR";
const N_NOT_EQUAL_P_Q: &str = "error:04000084:RSA routines:OPENSSL_internal:N_NOT_EQUAL_P_Q";
const D_E_NOT_CONGRUENT: &str = "error:04000077:RSA routines:OPENSSL_internal:D_E_NOT_CONGRUENT_TO_1";
const CRT_VALUES_INCORRECT: &str = "error:0400006f:RSA routines:OPENSSL_internal:CRT_VALUES_INCORRECT";
const RSA_DISAGREES: &str = "its numbers don't match";
const NOT_ON_CURVE: &str = "error:0f000078:elliptic curve routines:OPENSSL_internal:POINT_IS_NOT_ON_CURVE";
const BAD_EC_KEY: &str = "error:0f000071:elliptic curve routines:OPENSSL_internal:INVALID_PRIVATE_KEY";
const BAD_SCALAR: &str = "error:0f000085:elliptic curve routines:OPENSSL_internal:INVALID_SCALAR";
const OTHER_GROUP: &str = "error:0f000082:elliptic curve routines:OPENSSL_internal:GROUP_MISMATCH";

/// A fault of a private key in an intact block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct KeyFault {
    what: &'static str,
    cause: &'static str,
}

impl KeyFault {
    pub(super) const NO_SUCH_KIND: Self = Self { what: "Envoy does not support its algorithm", cause: UNSUPPORTED };
    pub(super) const NOT_PKCS8: Self = Self { what: "it is not PKCS#8", cause: BAD_PKCS8 };
    pub(super) const NOT_RSA: Self = Self { what: "it is not an RSA key", cause: BAD_KEY };
    pub(super) const RSA_MODULUS: Self = Self { what: RSA_DISAGREES, cause: N_NOT_EQUAL_P_Q };
    pub(super) const RSA_EXPONENT: Self = Self { what: RSA_DISAGREES, cause: D_E_NOT_CONGRUENT };
    pub(super) const RSA_REMAINDERS: Self = Self { what: RSA_DISAGREES, cause: CRT_VALUES_INCORRECT };
    pub(super) const NOT_EC: Self = Self { what: "it is not an EC key", cause: BAD_KEY };
    pub(super) const EC_DISAGREES: Self = Self { what: "its public half belongs to another key", cause: BAD_EC_KEY };
    pub(super) const EC_NO_POINT: Self =
        Self { what: "its public half is not a point on its curve", cause: NOT_ON_CURVE };
    pub(super) const EC_ZERO: Self = Self { what: "its number is zero", cause: BAD_EC_KEY };
    pub(super) const EC_OUT_OF_RANGE: Self =
        Self { what: "its number exceeds the order of its curve", cause: BAD_SCALAR };
    pub(super) const EC_OTHER_CURVE: Self = Self { what: "it names two curves", cause: OTHER_GROUP };
    pub(super) const NOT_ED25519: Self = Self { what: "it is not an Ed25519 key", cause: BAD_KEY };
    pub(super) const NOT_DSA: Self = Self { what: "it is not a DSA key", cause: BAD_KEY };
    pub(super) const UNKNOWN_VERSION: Self = Self { what: "its version is unknown", cause: BAD_KEY };

    /// The same under a label older than PKCS#8: BoringSSL reports the same error for all faults.
    pub(super) fn under_an_old_label(self) -> Self {
        Self { cause: BAD_KEY, ..self }
    }

    /// BoringSSL's error.
    pub(super) fn cause(&self) -> &'static str {
        self.cause
    }
}
