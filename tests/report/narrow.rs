//! The page on a phone: 400 pixels wide, nothing goes past the edge, whatever is opened.

use serde_json::json;

use crate::Report;
use crate::browser::{Browser, Scheme, pictures};
use crate::looks::is_quiet;
use crate::support::mesh::Mesh;

/// How far the page goes past the window, and which elements do; those in a box that scrolls by itself don't count.
const PAST: &str = "(() => {
  const root = document.documentElement;
  const inBox = (it) => { for (let at = it.parentElement; at; at = at.parentElement) if (getComputedStyle(at).overflowX !== 'visible') return true; };
  const past = [...document.querySelectorAll('body *')].filter((it) => it.getClientRects().length && it.getBoundingClientRect().right > root.clientWidth + 0.5 && !inBox(it));
  return [root.scrollWidth - root.clientWidth, past.map((it) => it.outerHTML.slice(0, 90))]; })()";

/// Boxes that scroll sideways by themselves, without a mark that they do.
const UNMARKED: &str = "[...document.querySelectorAll('body *')]
  .filter((it) => it.getClientRects().length && ['auto', 'scroll'].includes(getComputedStyle(it).overflowX) && it.scrollWidth > it.clientWidth + 1)
  .filter((it) => !it.hasAttribute('data-scrolls')).map((it) => it.outerHTML.slice(0, 90))";

#[track_caller]
fn holds(browser: &mut Browser, what: &str) {
    assert_eq!(browser.eval(PAST), json!([0, []]), "{what}");
    assert_eq!(browser.eval(UNMARKED), json!([]), "{what}: a box scrolls, and nothing shows it");
}

#[test]
fn nothing_goes_past_the_edge_of_a_phone() {
    for (mesh, name) in [(Mesh::of_three(), "three"), (Mesh::of(60), "sixty"), (Mesh::of(500), "five-hundred")] {
        let report = Report::of(&mesh);
        let mut browser = Browser::start(400, 800);
        browser.open(&report.url());
        holds(&mut browser, name);
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.prefer(scheme, "");
            browser.picture(&pictures().join(format!("narrow-{name}-{scheme:?}.png").to_lowercase()), true);
        }
        browser.click("#finding-rows .open-row");
        holds(&mut browser, &format!("{name}, a finding opened"));
        browser.click("#mend button");
        holds(&mut browser, &format!("{name}, a call opened"));
        browser.picture(&pictures().join(format!("narrow-{name}-call.png")), true);
        browser.click("#panel .linklike");
        holds(&mut browser, &format!("{name}, a node opened"));
        browser.click("#as-list");
        holds(&mut browser, &format!("{name}, as a list"));
        browser.picture(&pictures().join(format!("narrow-{name}-list.png")), true);
        is_quiet(&mut browser, &report.url());
    }
}

#[test]
fn the_names_on_the_map_can_be_read_on_a_phone() {
    let report = Report::of(&Mesh::of_three());
    let mut browser = Browser::start(400, 800);
    browser.record_texts();
    browser.open(&report.url());
    let texts = browser.drawn();
    let width = browser.eval("document.getElementById('map').clientWidth").as_f64().expect("a number");
    for name in ["front", "cart", "catalog"] {
        let found = texts.iter().find(|it| it.text == name).unwrap_or_else(|| panic!("{name} isn't in {texts:?}"));
        assert!(found.size >= 11.0, "{found:?}");
        assert!(found.x >= 0.0 && found.right <= width, "{found:?}");
    }
}
