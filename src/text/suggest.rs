//! "Did you mean …?", for words that people type.

/// The candidate that comes nearest to a word, if any comes near: case doesn't count.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A word of this length is no slip of the pen.
    const LONGEST: usize = 128;
    const LIKE: f64 = 0.8;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_ascii_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&candidate.to_ascii_lowercase(), &word), candidate))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(likeness, _)| *likeness > LIKE)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_leads_to_the_word() {
        let words = || ["severities", "scopes", "thresholds"].into_iter();
        assert_eq!(nearest("severitys", words()), Some("severities"));
        assert_eq!(nearest("Treshold", words()), Some("thresholds"));
        assert_eq!(nearest("xyz", words()), None);
    }
}
