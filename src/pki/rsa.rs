//! Whether the numbers of an RSA private key are consistent: BoringSSL rejects a key whose numbers aren't, so a damaged key
//! in valid base64 and DER must be told from an intact one.
//!
//! Schoolbook arithmetic on wiped buffers. It isn't constant-time, and needn't be: it runs once for each file, on a
//! key that is then dropped, and its duration can't be observed from outside.

use std::cmp::Ordering;

use zeroize::Zeroizing;

/// Keys longer than this aren't checked: they are taken as intact.
const MAX_BYTES: usize = 8192 / 8;

/// The numbers of an `RSAPrivateKey` (RFC 8017, appendix A.1.2), big-endian.
pub(super) struct RsaNumbers<'a> {
    pub(super) modulus: &'a [u8],
    pub(super) public_exponent: &'a [u8],
    pub(super) private_exponent: &'a [u8],
    pub(super) primes: [&'a [u8]; 2],
    pub(super) exponents: [&'a [u8]; 2],
    pub(super) coefficient: &'a [u8],
}

/// Which of the numbers are inconsistent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disagreement {
    /// n isn't p·q.
    Modulus,
    /// d isn't the inverse of e.
    Exponent,
    /// The CRT numbers don't follow from d, p and q.
    Remainders,
}

impl RsaNumbers<'_> {
    /// Checks that n = p·q, that d and e are inverse modulo p − 1 and q − 1, and that the CRT numbers follow from them,
    /// in BoringSSL's order.
    pub(super) fn check(&self) -> Result<(), Disagreement> {
        if self.modulus.len() > MAX_BYTES {
            return Ok(());
        }
        let others = [self.public_exponent, self.private_exponent, self.coefficient];
        if others.iter().chain(&self.primes).chain(&self.exponents).any(|number| number.len() > MAX_BYTES) {
            return Err(Disagreement::Modulus);
        }
        let [p, q] = self.primes.map(limbs);
        let (d, e) = (limbs(self.private_exponent), limbs(self.public_exponent));
        let one = limbs(&[1]);
        if !equal(&product(&p, &q), &limbs(self.modulus)) {
            return Err(Disagreement::Modulus);
        }
        let orders = [&p, &q].map(|prime| minus_one(prime).unwrap_or_default());
        if orders.iter().any(|order| !equal(&remainder(&product(&remainder(&d, order), &e), order), &one)) {
            return Err(Disagreement::Exponent);
        }
        let agree = orders.iter().zip(self.exponents).all(|(order, of)| equal(&remainder(&d, order), &limbs(of)))
            && equal(&remainder(&product(&q, &limbs(self.coefficient)), &p), &one);
        if agree { Ok(()) } else { Err(Disagreement::Remainders) }
    }
}

/// A number, least significant limb first.
type Number = Zeroizing<Vec<u32>>;

fn limbs(bytes: &[u8]) -> Number {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len() / 4 + 1));
    out.extend(bytes.rchunks(4).map(|chunk| chunk.iter().fold(0u32, |limb, &byte| limb << 8 | u32::from(byte))));
    out
}

fn equal(a: &[u32], b: &[u32]) -> bool {
    compare(a, b) == Ordering::Equal
}

fn compare(a: &[u32], b: &[u32]) -> Ordering {
    let limb = |number: &[u32], at: usize| number.get(at).copied().unwrap_or(0);
    (0..a.len().max(b.len()))
        .rev()
        .map(|at| limb(a, at).cmp(&limb(b, at)))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A number minus one; None unless it is greater than one.
fn minus_one(a: &[u32]) -> Option<Number> {
    let mut out = Zeroizing::new(a.to_vec());
    subtract(&mut out, &[1]);
    (compare(a, &[1]) == Ordering::Greater).then_some(out)
}

/// `a -= b`, wrapping.
fn subtract(a: &mut [u32], b: &[u32]) {
    let mut borrow = 0;
    for (at, limb) in a.iter_mut().enumerate() {
        let difference = i64::from(*limb) - i64::from(b.get(at).copied().unwrap_or(0)) - borrow;
        *limb = difference as u32;
        borrow = i64::from(difference < 0);
    }
}

fn product(a: &[u32], b: &[u32]) -> Number {
    let mut out = Zeroizing::new(vec![0u32; a.len() + b.len()]);
    for (shift, &x) in a.iter().enumerate() {
        let mut carry = 0;
        for (limb, y) in out.iter_mut().skip(shift).zip(b.iter().copied().chain([0])) {
            let sum = u64::from(*limb) + u64::from(x) * u64::from(y) + carry;
            *limb = sum as u32;
            carry = sum >> 32;
        }
    }
    out
}

/// `a mod m`, bit by bit; zero if `m` is.
fn remainder(a: &[u32], m: &[u32]) -> Number {
    let mut out = Zeroizing::new(vec![0u32; m.len() + 1]);
    if m.iter().all(|&limb| limb == 0) {
        return out;
    }
    for bit in a.iter().rev().flat_map(|limb| (0..32).rev().map(move |at| limb >> at & 1)) {
        let mut carry = bit;
        for limb in out.iter_mut() {
            let next = *limb >> 31;
            *limb = *limb << 1 | carry;
            carry = next;
        }
        if compare(&out, m) != Ordering::Less {
            subtract(&mut out, m);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: u128) -> Number {
        limbs(&value.to_be_bytes())
    }

    #[test]
    fn arithmetic_agrees_with_the_machine() {
        let samples = [1u64, 2, 3, 0xffff_ffff, 0x1_0000_0000, 0x1234_5678_9abc_def1, u64::MAX];
        for a in samples {
            for b in samples {
                let (x, y) = (u128::from(a), u128::from(b));
                assert!(equal(&product(&number(x), &number(y)), &number(x * y)), "{a} * {b}");
                assert!(equal(&remainder(&number(x * x), &number(y)), &number(x * x % y)), "{a}² mod {b}");
                assert_eq!(compare(&number(x), &number(y)), x.cmp(&y));
            }
            assert_eq!(
                minus_one(&number(a.into())).map(|n| equal(&n, &number(u128::from(a) - 1))),
                (a > 1).then_some(true)
            );
        }
    }

    #[test]
    fn a_small_key_agrees_and_a_change_of_any_number_is_noticed() {
        // The textbook example: p = 61, q = 53, e = 17, d = 413.
        let check = |changed: Option<usize>| {
            let mut numbers: [u16; 8] = [3233, 17, 413, 61, 53, 53, 49, 38];
            if let Some(at) = changed {
                numbers[at] += 2;
            }
            let bytes = numbers.map(u16::to_be_bytes);
            let [modulus, public_exponent, private_exponent, p, q, dp, dq, coefficient] = &bytes;
            let numbers = RsaNumbers {
                modulus,
                public_exponent,
                private_exponent,
                primes: [p, q],
                exponents: [dp, dq],
                coefficient,
            };
            numbers.check()
        };
        assert_eq!(check(None), Ok(()));
        for at in [0, 3, 4] {
            assert_eq!(check(Some(at)), Err(Disagreement::Modulus), "number {at}");
        }
        for at in [1, 2] {
            assert_eq!(check(Some(at)), Err(Disagreement::Exponent), "number {at}");
        }
        for at in [5, 6, 7] {
            assert_eq!(check(Some(at)), Err(Disagreement::Remainders), "number {at}");
        }
    }
}
