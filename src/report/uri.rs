//! Paths as URI references (RFC 3986), for formats that have them.

use std::fmt::Write;

/// Whether a path is one of Windows: it says so by a drive, or meshvet runs there.
fn is_windows(path: &str) -> bool {
    let mut start = path.chars();
    let drive = start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
    cfg!(windows) || (drive && matches!(start.next(), Some('\\' | '/')))
}

/// The path with slashes between its segments.
pub(crate) fn slashed(path: &str) -> String {
    if is_windows(path) { path.replace('\\', "/") } else { path.to_owned() }
}

/// A relative reference for a relative path, a `file:` URI for an absolute one. The standard input has none.
pub(crate) fn of(path: &str) -> String {
    let windows = is_windows(path);
    let path = slashed(path);
    let mut uri = String::with_capacity(path.len() + 8);
    let path = match path.as_str() {
        path if path.starts_with("//") && windows => {
            uri.push_str("file:");
            path
        }
        path if path.starts_with('/') => {
            uri.push_str("file://");
            path
        }
        path if windows && path.get(1..3) == Some(":/") => {
            uri.push_str("file:///");
            uri.push_str(path.get(..2).unwrap_or_default());
            path.get(2..).unwrap_or_default()
        }
        path => path.strip_prefix("./").unwrap_or(path),
    };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            other => {
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_the_reference_that_means_it() {
        for (path, uri) in [
            ("deploy/node.yaml", "deploy/node.yaml"),
            ("./node.yaml", "node.yaml"),
            ("../node.yaml", "../node.yaml"),
            ("a b/ü%.yaml", "a%20b/%C3%BC%25.yaml"),
            ("a:b.yaml", "a%3Ab.yaml"),
            ("/srv/node.yaml", "file:///srv/node.yaml"),
            ("C:\\x\\y z.yaml", "file:///C:/x/y%20z.yaml"),
            ("c:/x/y.yaml", "file:///c:/x/y.yaml"),
        ] {
            assert_eq!(of(path), uri, "{path}");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn a_backslash_is_a_letter_where_it_is_one() {
        assert_eq!(of("x\\y.yaml"), "x%5Cy.yaml");
        assert_eq!(slashed("x\\y.yaml"), "x\\y.yaml");
        assert_eq!(slashed("C:\\x\\y.yaml"), "C:/x/y.yaml");
    }
}
