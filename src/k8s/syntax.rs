//! The syntax of Kubernetes' names (`k8s.io/apimachinery/pkg/util/validation`).

/// Whether a string is a DNS label (RFC 1123): up to 63 of `a-z`, `0-9` and `-`, with no `-` at either end. What a
/// volume's name must be.
#[must_use]
pub(crate) fn is_dns_label(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 63 && name.bytes().all(|byte| allowed(byte) || byte == b'-') && has_ends(name, allowed)
}

/// Whether a string is a DNS subdomain (RFC 1123): up to 253 characters, DNS labels of any length between dots. What a
/// Secret's name must be.
#[must_use]
pub(crate) fn is_dns_subdomain(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|part| part.bytes().all(|byte| allowed(byte) || byte == b'-') && has_ends(part, allowed))
}

/// Whether a string is a label's key: up to 63 letters, digits, `-`, `_` and `.` between letters or digits, with an
/// optional DNS subdomain and a slash before them.
#[must_use]
pub(crate) fn is_qualified_name(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, name)) if is_dns_subdomain(prefix) => name,
        Some(_) => return false,
        None => key,
    };
    !name.is_empty() && is_label_value(name)
}

/// Whether a string is a label's value: empty, or up to 63 letters, digits, `-`, `_` and `.` between letters or digits.
#[must_use]
pub(crate) fn is_label_value(value: &str) -> bool {
    value.is_empty()
        || value.len() <= 63
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && has_ends(value, |byte| byte.is_ascii_alphanumeric())
}

/// Whether a string is not empty and both its ends are allowed.
fn has_ends(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    [text.bytes().next(), text.bytes().next_back()].into_iter().all(|end| end.is_some_and(&allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn cases(check: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for name in good {
            assert!(check(name), "{name:?} is refused");
        }
        for name in bad {
            assert!(!check(name), "{name:?} is accepted");
        }
    }

    #[test]
    fn dns_labels() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        cases(is_dns_label, &["a", "a-1", "0", &longest], &["", "-a", "a-", "A", "a.b", "a_b", "é", &longer]);
    }

    #[test]
    fn dns_subdomains() {
        let (longest, longer) = ("a".repeat(253), "a".repeat(254));
        cases(is_dns_subdomain, &["a", "a.b-c.0", &longest], &["", ".", "a.", "a..b", "a.-b", "A.b", &longer]);
    }

    #[test]
    fn qualified_names() {
        cases(
            is_qualified_name,
            &["app", "app.kubernetes.io/name", "A_b.c", "x/y"],
            &["", "/", "a/", "/a", "a/b/c", "A.b/c", "-a", "a b"],
        );
    }

    #[test]
    fn label_values() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        cases(is_label_value, &["", "1.2_3-B", &longest], &["-", "a-", "a/b", "a b", &longer]);
    }
}
