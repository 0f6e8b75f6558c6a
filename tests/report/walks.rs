//! People on the page: with a mouse, and with a keyboard alone.

use crate::Report;
use crate::browser::{Browser, pictures};
use crate::looks::is_quiet;
use crate::support::mesh::Mesh;

/// What has the focus: its id, or its text.
fn focused(browser: &mut Browser) -> String {
    browser.text("(document.activeElement?.id || document.activeElement?.innerText || '') + ''")
}

/// Presses Tab until something has the focus.
#[track_caller]
fn tab_to(browser: &mut Browser, wanted: &str) {
    let mut seen = Vec::new();
    for _ in 0..80 {
        browser.key("Tab");
        let now = focused(browser);
        if now == wanted {
            return;
        }
        seen.push(now);
    }
    panic!("Tab never leads to {wanted}: {seen:?}");
}

#[test]
fn a_click_on_a_call_shows_both_ends_with_what_is_wrong_and_the_fix() {
    let report = Report::of(&Mesh::of_three());
    let mut browser = report.open();
    browser.eval("document.getElementById('map').scrollIntoView({block: 'center', behavior: 'instant'}), 0");
    // The three stand in a row: the second call runs between the second box and the third.
    let place = browser.eval(
        "(() => { const box = document.getElementById('map').getBoundingClientRect();
           return [box.x + box.width / 2, box.y + box.height / 2, box.width]; })()",
    );
    let [x, y] = [0, 1].map(|at| place[at].as_f64().expect("a place"));
    // Half a box and half a gap from the middle, at the scale of a small mesh.
    let between = (196.0 + 96.0) / 2.0 * 1.1;
    browser.click_at(x + between, y);
    assert_eq!(browser.text_of("#panel-title"), "cart → catalog");
    browser.picture(&pictures().join("call-clicked.png"), false);
    let panel = browser.text_of("#panel");
    for part in [
        "broken",
        "MV207 certificate-expired",
        "certificate has expired",
        "renew the certificate",
        "Client cart",
        "backend defaults, TLS enforced",
        "Mesh root",
        "Server catalog",
        "http, TLS STRICT",
        "catalog.shop.svc.cluster.local",
        "issued by Mesh root",
        "expired 5 days ago",
    ] {
        assert!(panel.contains(part), "{part:?} is not in {panel}");
    }
    // A node of it is one click further.
    browser.click("#panel .linklike");
    assert_eq!(browser.text_of("#panel-title"), "shop/cart");
    assert!(browser.text_of("#panel").contains("Called by 1"));
    assert!(browser.text("location.hash").contains("#node=shop/cart"), "it can be linked to");
    // A click beside everything chooses nothing.
    let corner = browser.eval(
        "(() => { const map = document.getElementById('map'); map.scrollIntoView({block: 'end', behavior: 'instant'});
           const box = map.getBoundingClientRect(); return [box.x + 5, box.bottom - 5]; })()",
    );
    browser.click_at(corner[0].as_f64().expect("x"), corner[1].as_f64().expect("y"));
    assert_eq!(browser.eval("document.getElementById('panel').hidden"), true);
    is_quiet(&mut browser, &report.url());
}

#[test]
fn a_link_to_a_call_opens_it() {
    let report = Report::of(&Mesh::of_three());
    let mut browser = Browser::start(1440, 900);
    browser.open(&format!("{}#call=shop/cart,shop/catalog", report.url()));
    assert_eq!(browser.text_of("#panel-title"), "cart → catalog");
}

#[test]
fn findings_are_searched_and_filtered() {
    let report = Report::of(&Mesh::of(200));
    let mut browser = report.open();
    let rows = |browser: &mut Browser| {
        browser.eval("document.querySelectorAll('#finding-rows .open-row').length").as_u64().expect("a number")
    };
    let choose = |browser: &mut Browser, id: &str, value: &str| {
        browser.eval(&format!(
            "(() => {{ const it = document.getElementById('{id}'); it.value = '{value}'; it.dispatchEvent(new Event('input')); return it.value; }})()"
        ));
    };
    let all = rows(&mut browser);
    choose(&mut browser, "by-rule", "MV207");
    let expired = rows(&mut browser);
    assert!(0 < expired && expired < all, "{expired} of {all}");
    assert!(!browser.text_of("#finding-rows").contains("MV301"));
    choose(&mut browser, "by-rule", "");
    choose(&mut browser, "by-severity", "warn");
    let warned = rows(&mut browser);
    assert!(0 < warned && warned < all);
    assert!(!browser.text_of("#finding-rows").contains("deny"));
    choose(&mut browser, "by-severity", "");
    choose(&mut browser, "by-state", "at-risk");
    assert_eq!(rows(&mut browser), warned, "what puts calls at risk warns");
    choose(&mut browser, "by-state", "");
    choose(&mut browser, "by-namespace", "payments");
    let there = rows(&mut browser);
    assert!(0 < there && there < all);

    browser.click("#search");
    browser.write("has expired");
    let both = rows(&mut browser);
    assert!(both <= there.min(expired), "words and filters count together");
    let said = browser.text_of("#finding-count");
    assert!(said.starts_with(&format!("{both} of ")), "{said}");
    browser.write(" nothing of the kind");
    assert!(browser.text_of("#finding-rows").contains("No finding matches these filters."));
    browser.picture(&pictures().join("nothing-found.png"), false);
    browser.click("#clear");
    assert_eq!(rows(&mut browser), all);
    assert_eq!(focused(&mut browser), "search");

    browser.click("#finding-rows .open-row");
    assert_eq!(browser.text("document.querySelector('#finding-rows .open-row').getAttribute('aria-expanded')"), "true");
    let detail = browser.text_of("#finding-rows .detail");
    assert!(detail.contains("Expected") && detail.contains("Fix"), "{detail}");
    browser.picture(&pictures().join("finding-opened.png"), false);
    browser.click("#finding-rows .detail .linklike");
    assert_eq!(browser.eval("document.getElementById('panel').hidden"), false);
    is_quiet(&mut browser, &report.url());
}

#[test]
fn states_and_namespaces_choose_what_the_map_and_the_list_show() {
    let report = Report::of(&Mesh::of(60));
    let mut browser = report.open();
    let listed = |browser: &mut Browser| {
        let text = browser.text("document.getElementById('call-count').textContent");
        text.split(' ').next().expect("a word").replace(',', "").parse::<u64>().expect("a number")
    };
    let all = listed(&mut browser);
    browser.click("#states [data-state=sound]");
    let without_sound = listed(&mut browser);
    assert!(0 < without_sound && without_sound < all);
    browser.click("#calls-legend [data-state=broken]");
    let broken: u64 = browser.text_of("#calls-legend [data-state=broken] b").parse().expect("a number");
    assert_eq!(listed(&mut browser), broken, "the legend chooses too");
    browser.click("#as-list");
    assert_eq!(browser.eval("document.querySelectorAll('#call-rows tr').length").as_u64(), Some(broken));
    assert!(browser.text_of("#call-rows").contains("hostname"), "and the list says why");
    browser.picture(&pictures().join("list.png"), false);
    browser.click("#whole");
    browser.eval("(() => { const it = document.getElementById('map-namespace'); it.value = 'ops'; it.dispatchEvent(new Event('change')); return 0; })()");
    let in_ops = listed(&mut browser);
    assert!(0 < in_ops && in_ops < all);
    browser.click("#as-map");
    for state in ["broken", "at-risk", "unknown", "plaintext", "sound"] {
        browser.click(&format!("#states [data-state={state}]"));
    }
    assert_eq!(browser.text_of("#map-empty"), "No call is in the states chosen above.");
    is_quiet(&mut browser, &report.url());
}

#[test]
fn a_span_of_the_timeline_chooses_its_certificates() {
    let mut browser = Report::of(&Mesh::of(60)).open();
    let ended = browser.text_of("#buckets button b");
    browser.click("#buckets button");
    let rows = browser.eval("document.getElementById('certificate-rows').rows.length").as_u64();
    assert_eq!(rows, ended.parse().ok());
    assert!(browser.text_of("#certificate-rows").contains("days ago"));
    browser.click("#buckets button");
    assert!(browser.eval("document.getElementById('certificate-rows').rows.length").as_u64() > rows);
}

#[test]
fn the_keyboard_alone_leads_everywhere() {
    let report = Report::of(&Mesh::of_three());
    let mut browser = report.open();
    browser.key("Tab");
    assert_eq!(focused(&mut browser), "Skip to the findings");
    tab_to(&mut browser, "theme");
    browser.key("Enter");
    assert_eq!(browser.text("document.documentElement.dataset.theme"), "light");
    browser.key("Enter");
    assert_eq!(browser.text("document.documentElement.dataset.scheme"), "dark");

    tab_to(&mut browser, "map");
    let said = |browser: &mut Browser| browser.text("document.getElementById('live').textContent");
    assert!(said(&mut browser).starts_with("shop/catalog: virtual node, broken"), "it begins where the trouble is");
    browser.key("ArrowLeft");
    assert!(said(&mut browser).starts_with("shop/cart: virtual node, sound; called by 1, calls 1"));
    browser.key("ArrowLeft");
    assert!(said(&mut browser).starts_with("shop/front"));
    browser.key("ArrowLeft");
    assert!(said(&mut browser).starts_with("shop/front"), "the edge holds");
    browser.key("ArrowRight");
    browser.picture(&pictures().join("keyboard.png"), false);
    browser.key("Enter");
    assert_eq!(focused(&mut browser), "panel-title");
    assert_eq!(browser.text_of("#panel-title"), "shop/cart");
    // Its calls are the next stops.
    browser.key("Tab");
    browser.key("Tab");
    browser.key("Tab");
    browser.key("Enter");
    assert_eq!(browser.text_of("#panel-title"), "cart → catalog");
    browser.key("Escape");
    assert_eq!(browser.eval("document.getElementById('panel').hidden"), true);
    assert_eq!(focused(&mut browser), "map");
    browser.key("n");
    assert_eq!(browser.text_of("#panel-title"), "cart → catalog", "N goes to the broken call");
    assert!(said(&mut browser).contains("cart → catalog: broken, listener 8443"));
    assert_eq!(focused(&mut browser), "map", "and the map keeps the focus");
    browser.key("Escape");

    tab_to(&mut browser, "search");
    browser.write("expired");
    tab_to(&mut browser, "clear");
    browser.key("Tab");
    browser.key("Enter");
    assert_eq!(browser.text("document.querySelector('#finding-rows .open-row').getAttribute('aria-expanded')"), "true");
    is_quiet(&mut browser, &report.url());
}

#[test]
fn everything_that_can_be_used_has_a_name_and_a_visible_focus() {
    let mut browser = Report::of(&Mesh::of(60)).open();
    browser.click("#mend button");
    let nameless = browser.eval(
        "[...document.querySelectorAll('button, input, select, a, canvas')].filter((it) => it.offsetParent !== null)
           .filter((it) => !(it.getAttribute('aria-label') || it.innerText?.trim() || it.labels?.[0]?.innerText.trim()))
           .map((it) => it.outerHTML.slice(0, 80))",
    );
    assert_eq!(nameless, serde_json::json!([]));
    browser.eval("document.activeElement.blur(), scrollTo(0, 0)");
    for _ in 0..30 {
        browser.key("Tab");
        let shown = browser.eval(
            "(() => { const it = document.activeElement; if (it === document.body) return true;
               const style = getComputedStyle(it); return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2; })()",
        );
        assert_eq!(shown, true, "no focus is seen on {}", focused(&mut browser));
    }
}
