//! Contrast, computed: of every text that is shown, and of what the canvas is drawn with, in both schemes.

use serde_json::Value;

use crate::Report;
use crate::browser::{Browser, Scheme};
use crate::support::mesh::Mesh;

/// Every text node that can be seen, with its contrast against the nearest background that isn't see-through, and the least that
/// WCAG 2.2 (1.4.3, AA) asks of its size.
const TEXTS: &str = r#"
(() => {
  const parse = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if ((colour[3] ?? 1) > 0) layers.push(colour);
      if ((colour[3] ?? 1) === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || ['SCRIPT', 'NOSCRIPT', 'STYLE', 'OPTION'].includes(element.tagName) || element.closest('[disabled]')) continue;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (!box.width || !box.height || style.visibility === 'hidden' || style.clipPath !== 'none') continue;
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const background = behind(element);
    found.push({ text: text.slice(0, 40), ratio: ratio(over(parse(style.color), background), background), least: large ? 3 : 4.5 });
  }
  return found;
})()
"#;

/// What is drawn on the canvas: pairs of the page's variables, and the least that is asked (1.4.3 of texts, 1.4.11 of signs and lines).
const DRAWN: &[(&str, &str, f64)] = &[
    ("ink", "card", 4.5),
    ("soft", "card", 4.5),
    ("ink", "page", 4.5),
    ("ink", "broken-tint", 4.5),
    ("soft", "broken-tint", 4.5),
    ("ink", "at-risk-tint", 4.5),
    ("soft", "at-risk-tint", 4.5),
    ("broken", "page", 3.0),
    ("at-risk", "page", 3.0),
    ("unknown", "page", 3.0),
    ("plaintext", "page", 3.0),
    ("sound", "page", 3.0),
    ("on-state", "broken", 3.0),
    ("on-state", "at-risk", 3.0),
    ("on-state", "unknown", 3.0),
    ("on-state", "plaintext", 3.0),
    ("on-state", "sound", 3.0),
    ("edge", "page", 3.0),
    ("edge", "card", 3.0),
    ("accent", "page", 3.0),
    ("focus", "card", 3.0),
];

#[track_caller]
fn texts_can_be_read(browser: &mut Browser, what: &str) {
    let texts = browser.eval(TEXTS);
    let texts = texts.as_array().expect("a list");
    assert!(texts.len() > 50, "{what}: only {} texts", texts.len());
    let faint: Vec<&Value> = texts.iter().filter(|it| it["ratio"].as_f64() < it["least"].as_f64()).collect();
    assert!(faint.is_empty(), "{what}: {faint:#?}");
}

#[track_caller]
fn drawing_can_be_seen(browser: &mut Browser, what: &str) {
    let variable = |browser: &mut Browser, name: &str| {
        let text =
            browser.text(&format!("getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()"));
        let part = |at: usize| u8::from_str_radix(text.get(at..at + 2).expect("#rrggbb"), 16).expect("#rrggbb");
        luminance([part(1), part(3), part(5)])
    };
    for (front, back, least) in DRAWN {
        let (a, b) = (variable(browser, front), variable(browser, back));
        let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
        assert!(ratio >= *least, "{what}: --{front} on --{back} is {ratio:.2}, less than {least}");
    }
}

/// Relative luminance by WCAG 2.2.
fn luminance(colour: [u8; 3]) -> f64 {
    let [r, g, b] = colour.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[test]
fn everything_can_be_read_in_light_and_dark() {
    let mut browser = Report::of(&Mesh::of(60)).open();
    browser.click("#mend button");
    browser.click("#finding-rows .open-row");
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme, "");
        browser.until(&format!("document.documentElement.dataset.scheme === '{scheme:?}'.toLowerCase()"));
        let what = format!("{scheme:?}");
        texts_can_be_read(&mut browser, &what);
        drawing_can_be_seen(&mut browser, &what);
        browser.click("#as-list");
        texts_can_be_read(&mut browser, &format!("{what}, list"));
        browser.click("#as-map");
    }
}

#[test]
fn axe_finds_no_barrier_in_light_and_dark() {
    let mut browser = Report::of(&Mesh::of(60)).open();
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme, "");
        let barriers = browser.barriers();
        assert!(barriers.is_empty(), "{scheme:?}: {barriers:#?}");
        browser.click("#mend button");
        browser.click("#finding-rows .open-row");
        browser.click("#as-list");
        let barriers = browser.barriers();
        assert!(barriers.is_empty(), "{scheme:?}, a call opened, as a list: {barriers:#?}");
        browser.click("#as-map");
    }
}
