//! Checks the names on a path against the name constraints of the certificates above them.

use super::canonical::{attributes, text};
use super::constraints::NameFault;
use super::details::Details;

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The first name on a path that violates constraints, with its depth. `path` begins with
/// the leaf and ends with the anchor.
pub(super) fn check(path: &[&Details]) -> Result<(), (usize, NameFault)> {
    for (depth, below) in path.iter().enumerate().rev() {
        // Self-issued CA certificates are skipped.
        if depth > 0 && below.is_self_issued() {
            continue;
        }
        let above = path.get(depth + 1..).unwrap_or_default();
        for constraints in above.iter().rev().filter_map(|details| details.constraints.as_ref()) {
            let allowed = constraints.check(&below.certificate.subject_der, below.sans.as_deref());
            allowed.map_err(|fault| (depth, fault))?;
        }
    }
    let constrained = path.iter().skip(1).any(|details| details.constraints.is_some());
    match path.first() {
        Some(leaf) if constrained && leaf.sans.is_none() && has_dns_like_common_name(leaf) => {
            Err((0, NameFault::CommonNameOnly))
        }
        _ => Ok(()),
    }
}

fn has_dns_like_common_name(leaf: &Details) -> bool {
    attributes(&leaf.certificate.subject_der)
        .iter()
        .filter(|(kind, ..)| *kind == COMMON_NAME)
        .filter_map(|(_, tag, value)| text(*tag, value))
        .any(|name| looks_like_dns_name(&name))
}

/// Whether a common name might be a host's: labels of letters, digits, `-`, `_` and `:`,
/// perhaps with a leading `*.` and a trailing dot.
fn looks_like_dns_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let name = name.strip_prefix("*.").unwrap_or(name);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:".contains(&byte))
    };
    name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_that_look_like_a_host() {
        for name in ["blue", "blue.apps.local", "*.apps.local", "a_b.c:d", "1.2.3.4", "blue."] {
            assert!(looks_like_dns_name(name), "{name}");
        }
        for name in ["", "Blue Service", "-a", "a..b", ".", "*", "a.*.b", "blü"] {
            assert!(!looks_like_dns_name(name), "{name}");
        }
    }
}
