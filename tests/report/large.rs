//! A mesh of 500 nodes in several namespaces: who is who can be read, namespaces stand together, and what needs attention stands first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::Report;
use crate::browser::{Browser, Drawn, Scheme, pictures};
use crate::looks::is_quiet;
use crate::support::mesh::Mesh;

/// The least size of a name, in pixels of the window.
const READABLE: f64 = 11.0;

fn needs_attention(state: &str) -> bool {
    matches!(state, "broken" | "at-risk")
}

/// The nodes of the page's data, by name: namespace and state. Names are unique in this mesh.
fn nodes(data: &Value) -> HashMap<String, (String, String)> {
    let text = |node: &Value, key: &str| node[key].as_str().expect("text").to_owned();
    let all = data["nodes"].as_array().expect("nodes").iter();
    all.map(|node| (text(node, "name"), (text(node, "namespace"), text(node, "state")))).collect()
}

/// Drags the map upwards until all of it was in sight, and returns what was drawn, each text once, at its place on the map.
fn all_of_it(browser: &mut Browser) -> Vec<Drawn> {
    const STEP: f64 = 300.0;
    let place = browser.eval(
        "(() => { document.getElementById('mesh').scrollIntoView({behavior: 'instant'}); const box = document.getElementById('map').getBoundingClientRect();
           return [box.x, box.y, box.width, box.height]; })()",
    );
    let [x, y, width, height] = [0, 1, 2, 3].map(|at| place[at].as_f64().expect("a place"));
    let mut texts: BTreeMap<String, Drawn> = BTreeMap::new();
    for step in 0..60 {
        let moved = f64::from(step) * STEP;
        let before = texts.len();
        for mut text in browser.drawn() {
            text.y += moved;
            texts.entry(text.text.clone()).or_insert(text);
        }
        if step > 3 && texts.len() == before {
            break;
        }
        let from = (x + width / 2.0, y + height / 2.0 + STEP / 2.0);
        browser.drag(from, (from.0, from.1 - STEP));
    }
    let mut all: Vec<Drawn> = texts.into_values().collect();
    all.sort_by(|a, b| (a.y, a.x).partial_cmp(&(b.y, b.x)).expect("places"));
    all
}

/// Each drawn name is of readable size; those of a namespace stand in one block; and attention is first, among namespaces and within
/// each.
#[track_caller]
fn is_in_order(texts: &[Drawn], nodes: &HashMap<String, (String, String)>) -> BTreeSet<String> {
    let boxes: Vec<(&Drawn, &str, &str)> = texts
        .iter()
        .filter_map(|it| nodes.get(&it.text).map(|(namespace, state)| (it, namespace.as_str(), state.as_str())))
        .collect();
    for (drawn, ..) in &boxes {
        assert!(drawn.size >= READABLE, "{drawn:?}");
    }
    let mut blocks: Vec<&str> = Vec::new();
    for (_, namespace, _) in &boxes {
        if blocks.last() != Some(namespace) {
            blocks.push(namespace);
        }
    }
    assert_eq!(blocks.len(), blocks.iter().collect::<BTreeSet<_>>().len(), "a namespace is torn: {blocks:?}");
    let of = |block: &str| boxes.iter().filter(move |(_, namespace, _)| *namespace == block).collect::<Vec<_>>();
    let mut worst_before = 0;
    for block in blocks {
        let states: Vec<&str> = of(block).iter().map(|(_, _, state)| *state).collect();
        let calm = states.iter().position(|state| !needs_attention(state)).unwrap_or(states.len());
        let late: Vec<_> = states[calm..].iter().filter(|state| needs_attention(state)).collect();
        assert!(late.is_empty(), "{block}: {late:?} after what is all right: {states:?}");
        let worst =
            usize::from(!states.contains(&"broken")) + usize::from(!states.iter().any(|it| needs_attention(it)));
        assert!(worst >= worst_before, "{block} stands after one that is better off");
        worst_before = worst;
        // Its title says how many are in it.
        let title = texts.iter().find(|it| it.text == block).unwrap_or_else(|| panic!("no title {block}"));
        let first = of(block)[0].0;
        assert!(title.size >= READABLE && title.y < first.y, "{title:?} above {first:?}");
        let wanting = states.iter().filter(|state| needs_attention(state)).count();
        let said = format!("{} nodes, {wanting} need{} attention", states.len(), if wanting == 1 { "s" } else { "" });
        let said = if wanting == 0 { format!("{} nodes", states.len()) } else { said };
        assert!(texts.iter().any(|it| it.text == said), "{block}: {said:?} isn't drawn");
    }
    boxes.iter().map(|(it, ..)| it.text.clone()).collect()
}

#[test]
fn five_hundred_nodes_can_be_read_by_namespace_with_what_needs_attention_first() {
    let report = Report::of(&Mesh::of(500));
    let nodes = nodes(&report.data());
    assert_eq!(nodes.len(), 500);
    let mut browser = Browser::start(1280, 900);
    browser.record_texts();
    browser.open(&report.url());
    let shown = is_in_order(&all_of_it(&mut browser), &nodes);
    let wanting: BTreeSet<String> =
        nodes.iter().filter(|(_, (_, state))| needs_attention(state)).map(|(name, _)| name.clone()).collect();
    assert!(wanting.len() > 10 && wanting.is_subset(&shown) && shown.len() < 200, "{shown:?}");
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme, "");
        browser.click("#zoom-start");
        browser.eval("document.getElementById('mesh').scrollIntoView({behavior: 'instant'}), 0");
        browser.picture(&pictures().join(format!("five-hundred-map-{scheme:?}.png").to_lowercase()), false);
    }
    browser.click("#whole");
    let all = is_in_order(&all_of_it(&mut browser), &nodes);
    assert_eq!(all.len(), 500, "each has its name on it");
    for scheme in [Scheme::Dark, Scheme::Light] {
        browser.prefer(scheme, "");
        browser.click("#zoom-start");
        browser.eval("document.getElementById('mesh').scrollIntoView({behavior: 'instant'}), 0");
        browser.picture(&pictures().join(format!("five-hundred-whole-{scheme:?}.png").to_lowercase()), false);
    }
    browser.click("#zoom-fit");
    browser.picture(&pictures().join("five-hundred-fit.png"), false);
    is_quiet(&mut browser, &report.url());
}

#[test]
fn what_is_opened_can_be_read_however_far_apart_its_ends_are() {
    for (width, height) in [(1280, 900), (400, 800)] {
        let report = Report::of(&Mesh::of(500));
        let data = report.data();
        let name = |at: &Value| {
            data["nodes"][usize::try_from(at.as_u64().expect("a number")).expect("a place")]["name"].clone()
        };
        let mut browser = Browser::start(width, height);
        browser.record_texts();
        browser.open(&report.url());
        for place in 0..5 {
            let Some(call) = data["mend"][place]["calls"][0].as_u64() else { panic!("no call") };
            let server = name(&data["calls"][usize::try_from(call).expect("a place")]["server"]);
            browser.eval(&format!("document.querySelectorAll('#mend button')[{place}].click()"));
            let texts = browser.drawn();
            let found =
                texts.iter().find(|it| it.text == server).unwrap_or_else(|| panic!("{server} isn't in {texts:?}"));
            assert!(found.size >= READABLE, "{width}: {found:?}");
        }
        browser.picture(&pictures().join(format!("five-hundred-opened-{width}.png")), false);
    }
}

#[test]
fn a_map_that_goes_on_says_so_and_one_that_does_not_is_silent() {
    let mut browser = Report::of(&Mesh::of(500)).open();
    browser.click("#whole");
    browser.settle();
    let said = browser.text_of("#map-more");
    let (seen, rest) = said.split_once(" of ").unwrap_or_else(|| panic!("{said}"));
    assert!(seen.parse::<usize>().is_ok_and(|seen| 20 < seen && seen < 500), "{said}");
    assert!(rest.starts_with("500 nodes are in sight"), "{said}");
    browser.click("#zoom-fit");
    browser.settle();
    assert_eq!(browser.eval("document.getElementById('map-more').hidden"), true, "all are in sight");
    let mut small = Report::of(&Mesh::of_three()).open();
    assert_eq!(small.eval("document.getElementById('map-more').hidden"), true);
}
