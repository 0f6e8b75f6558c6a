//! The report as one page to look at: no network, no font or script from elsewhere, readable years later from a file.
//!
//! The page is `html/page.html` with its style, its script and the [`Map`] as JSON put in. Nothing of the
//! data becomes markup: the script makes text nodes of it, and the page's own policy (CSP) lets no other script run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::finding::Severity;
use crate::survey::map::Map;
use crate::survey::{Report, Unread};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = concat!(include_str!("html/style.css"), include_str!("html/narrow.css"));
/// One script: the parts share a scope, in this order.
const SCRIPTS: [&str; 14] = [
    include_str!("html/base.js"),
    include_str!("html/theme.js"),
    include_str!("html/overview.js"),
    include_str!("html/layout.js"),
    include_str!("html/groups.js"),
    include_str!("html/shown.js"),
    include_str!("html/draw.js"),
    include_str!("html/camera.js"),
    include_str!("html/map.js"),
    include_str!("html/panel.js"),
    include_str!("html/list.js"),
    include_str!("html/certificates.js"),
    include_str!("html/findings.js"),
    include_str!("html/main.js"),
];

/// What a page says of itself.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// What was judged: `manifests of shop/`, `context prod`.
    pub source: String,
    /// The time it was judged as of.
    pub judged_at: Timestamp,
    /// What a reader should know though nothing is wrong: one sentence each.
    pub notes: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    version: &'static str,
    source: &'a str,
    judged_at: Timestamp,
    summary: Summary,
    errors: Vec<String>,
    notes: &'a [String],
    #[serde(flatten)]
    map: &'a Map,
}

#[derive(Serialize)]
struct Summary {
    objects: usize,
    deny: usize,
    warn: usize,
    suppressed: usize,
}

/// A page, and the policy that belongs in its `Content-Security-Policy` header where it is served.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// The page, in UTF-8.
    pub text: String,
    /// The policy, as the page itself has it.
    pub policy: String,
}

/// The page.
///
/// # Errors
/// None in practice: every part can be written as JSON.
pub(crate) fn html(report: &Report, map: &Map, about: &About) -> serde_json::Result<Page> {
    let data = Data {
        version: env!("CARGO_PKG_VERSION"),
        source: &about.source,
        judged_at: about.judged_at,
        summary: Summary {
            objects: report.objects,
            deny: report.count(Severity::Deny),
            warn: report.count(Severity::Warn),
            suppressed: report.suppressed(),
        },
        errors: report.errors.iter().map(unread).collect(),
        notes: &about.notes,
        map,
    };
    let script = SCRIPTS.join("\n");
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(&script),
        hash(STYLE)
    );
    let title = format!("meshvet: {}", about.source);
    let parts = [
        ("csp", policy.as_str()),
        ("title", &markup(&title)),
        ("style", STYLE),
        ("data", &inert(&serde_json::to_string(&data)?)),
        ("script", &script),
    ];
    Ok(Page { text: fill(&parts), policy })
}

/// The page with its parts put in. What is put in is not looked at again.
fn fill(parts: &[(&str, &str)]) -> String {
    let size = PAGE.len() + parts.iter().map(|(_, text)| text.len()).sum::<usize>();
    let mut page = String::with_capacity(size);
    let mut rest = PAGE;
    for (name, text) in parts {
        let (before, after) = rest.split_once(&format!("<!--{name}-->")).unwrap_or((rest, ""));
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// JSON that no parser of HTML takes for anything but text, whatever is in its strings.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 32);
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

/// Text between tags.
fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

fn unread(error: &Unread) -> String {
    match (error.line, error.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}: {}", error.file, error.message),
        _ => format!("{}: {}", error.file, error.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(source: &str) -> About {
        About {
            source: source.to_owned(),
            judged_at: Timestamp::UNIX_EPOCH,
            notes: vec!["</script><b>\u{2028}".to_owned()],
        }
    }

    #[test]
    fn every_part_has_its_place() {
        for part in ["csp", "title", "style", "data", "script"] {
            assert_eq!(PAGE.matches(&format!("<!--{part}-->")).count(), 1, "{part}");
        }
        let page = html(&Report::default(), &Map::default(), &about("here")).expect("a page").text;
        assert!(!page.contains("<!--"), "something was not put in");
        assert!(page.contains("<title>meshvet: here</title>"));
    }

    #[test]
    fn nothing_in_the_data_becomes_markup() {
        let page =
            html(&Report::default(), &Map::default(), &about("</title><script>1</script>&amp;")).expect("a page").text;
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        assert_eq!(page.matches("</script").count(), 2);
        assert!(page.contains("\\u003c/script\\u003e\\u003cb\\u003e\\u2028"));
        assert!(page.contains("<title>meshvet: &lt;/title&gt;"));
        let (_, rest) = page.split_once("id=\"data\">").expect("the data");
        let (json, _) = rest.split_once("</script>").expect("its end");
        let data: serde_json::Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(data["notes"][0], "</script><b>\u{2028}", "and it reads as it was");
    }

    #[test]
    fn the_policy_names_what_is_on_the_page_and_nothing_else() {
        let Page { text, policy } = html(&Report::default(), &Map::default(), &about("here")).expect("a page");
        assert!(text.contains(&format!("content=\"{policy}\"")), "{policy}");
        for loose in ["unsafe", "http", "*", "'self'", "blob:"] {
            assert!(!policy.contains(loose), "{loose} in {policy}");
        }
        let between = |open: &str, close: &str| {
            let (_, rest) = text.split_once(open).expect("the beginning");
            rest.split_once(close).expect("the end").0.to_owned()
        };
        assert!(policy.contains(&hash(&between("<style>", "</style>"))));
        assert!(policy.contains(&hash(&between("<script type=\"module\">", "</script>"))));
        assert!(!text.contains("src=\"") && !text.contains("@import") && !text.contains("url("), "nothing is fetched");
    }
}
