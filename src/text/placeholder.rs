//! Placeholders that nobody filled in.

/// The first placeholder `${NAME}` or `${NAME:-default}` of a text.
pub(crate) fn placeholder(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let found = rest.get(start..)?;
        let inner = found.get(2..)?;
        let length = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
        let named = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let ends = inner.get(length..).is_some_and(|after| after.starts_with(['}', ':', '-', '=', '?', '+']));
        if let Some(end) = inner.find('}').filter(|_| named && ends) {
            return found.get(..end + 3);
        }
        rest = inner;
    }
    None
}
