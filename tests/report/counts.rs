//! What the page counts is what it lists: each number beside a list, a filter or a button, against the rows that it stands for. And where
//! a finding is said to be is where it is.

use std::collections::HashMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::Report;
use crate::browser::{Browser, pictures};
use crate::support::mesh::Mesh;

/// The numbers in a text, in their order.
fn numbers(text: &str) -> Vec<u64> {
    let digits = |c: char| !c.is_ascii_digit();
    text.replace(',', "").split(digits).filter(|it| !it.is_empty()).map(|it| it.parse().expect("a number")).collect()
}

#[track_caller]
fn first(text: &str) -> u64 {
    *numbers(text).first().unwrap_or_else(|| panic!("no number in {text:?}"))
}

fn count(browser: &mut Browser, selector: &str) -> u64 {
    browser.eval(&format!("document.querySelectorAll({}).length", json!(selector))).as_u64().expect("a number")
}

/// Shows all rows of a list by its button, and compares what the button promises before each press.
#[track_caller]
fn shows_all(browser: &mut Browser, button: &str, rows: &str) -> u64 {
    let is_shown = |browser: &mut Browser| {
        browser.eval(&format!("document.querySelector('{button}').getClientRects().length > 0")) == true
    };
    let mut promised = None;
    while is_shown(browser) {
        let said = browser.text_of(button);
        let total = first(&said) + count(browser, rows);
        assert!(first(&said) > 0, "{button}: {said}");
        assert_eq!(*promised.get_or_insert(total), total, "{button}: {said}");
        browser.click(button);
    }
    let all = count(browser, rows);
    assert!(promised.is_none_or(|promised| promised == all), "{button} promised {promised:?}, there are {all}");
    all
}

/// Sets a choice, as a person would.
fn choose(browser: &mut Browser, id: &str, value: &str) {
    browser.eval(&format!(
        "(() => {{ const it = document.getElementById('{id}'); it.value = {}; it.dispatchEvent(new Event('input')); it.dispatchEvent(new Event('change')); return 0; }})()",
        json!(value)
    ));
}

/// The values of a choice, each with its words.
fn values(browser: &mut Browser, id: &str) -> Vec<(String, String)> {
    let all =
        browser.eval(&format!("[...document.getElementById('{id}').options].map((it) => [it.value, it.textContent])"));
    serde_json::from_value(all).expect("pairs")
}

const FINDINGS: &str = "#finding-rows .open-row";

/// A mesh with an ignored finding among the others, and certificates that ended on several days.
fn mesh_with_ignored() -> Report {
    let mut report = Report::of(&Mesh::of(200));
    let text = std::fs::read_to_string(report.folder().join("mesh.json")).expect("the mesh");
    let mut mesh: Value = serde_json::from_str(&text).expect("JSON");
    let items = mesh["items"].as_array_mut().expect("items");
    let node = items.iter_mut().find(|it| it["kind"] == "VirtualNode" && it["metadata"]["name"] == "ledger-1");
    node.expect("a node whose certificate expires soon")["metadata"]["annotations"] =
        json!({"meshvet.dev/ignore": "MV209=renewed on Friday"});
    report.add("mesh.json", &mesh.to_string());
    report
}

#[test]
fn no_list_offers_more_when_nothing_is_left() {
    for mesh in [Mesh::of_three(), Mesh::sound(60), Mesh::of(500)] {
        let mut browser = Report::of(&mesh).open();
        browser.click("#as-list");
        for (button, rows) in [
            ("#finding-more", FINDINGS),
            ("#certificate-more", "#certificate-rows tr"),
            ("#call-more", "#call-rows tr"),
        ] {
            shows_all(&mut browser, button, rows);
        }
        let text = browser.text_of("body");
        assert!(!text.contains("Show more") && !text.contains("0 left"), "{text}");
    }
}

#[test]
fn totals_are_those_of_the_lists() {
    let report = mesh_with_ignored();
    let data = report.data();
    let mut browser = report.open();
    // Nodes, findings, certificates.
    let figures = browser.eval("[...document.querySelectorAll('#figures dd')].map((it) => [it.firstChild.textContent, it.lastChild.textContent])");
    let figures: Vec<(String, String)> = serde_json::from_value(figures).expect("pairs");
    let [nodes, findings, certificates] = figures.as_slice() else { panic!("{figures:?}") };
    browser.click("#whole");
    let drawn = browser.text("document.getElementById('map').getAttribute('aria-label')");
    assert!(drawn.contains(&format!("{} nodes", nodes.0)), "{drawn}");
    let listed = shows_all(&mut browser, "#finding-more", FINDINGS);
    assert_eq!(first(&findings.0), listed, "the ignored one is in the list too");
    assert_eq!(numbers(&findings.1).iter().sum::<u64>(), listed, "{}", findings.1);
    assert!(findings.1.contains("1 ignored"), "{}", findings.1);
    assert_eq!(first(&browser.text_of("#finding-count")), listed);
    assert_eq!(first(&browser.text_of(".mend > p")), listed, "the link below leads to all");
    let listed = shows_all(&mut browser, "#certificate-more", "#certificate-rows tr");
    assert_eq!((first(&certificates.0), first(&browser.text_of("#certificate-count"))), (listed, listed));
    let ended = browser.eval(
        "[...document.querySelectorAll('#certificate-rows tr')].filter((it) => it.innerText.includes('ago')).length",
    );
    let spans = browser.eval("[...document.querySelectorAll('#buckets b')].map((it) => Number(it.textContent))");
    let spans: Vec<u64> = serde_json::from_value(spans).expect("numbers");
    assert_eq!(spans.iter().sum::<u64>(), listed, "each certificate is in one span");
    assert_eq!(numbers(&certificates.1), [spans[0], spans[1] + spans[2], 30], "{}", certificates.1);
    assert_eq!(ended.as_u64(), Some(spans[0]));
    // Calls: all of them, and by state.
    browser.click("#as-list");
    let calls = data["calls"].as_array().expect("calls").len() as u64;
    assert_eq!(shows_all(&mut browser, "#call-more", "#call-rows tr"), calls);
    assert_eq!(first(&browser.text_of("#call-count")), calls);
    let verdict = browser.text_of("#verdict");
    choose(&mut browser, "map-namespace", "ops");
    for state in ["broken", "at-risk", "unknown", "plaintext", "sound"] {
        let button = format!("#calls-legend [data-state={state}]");
        let said = first(&browser.text_of(&format!("{button} b")));
        // Not with the mouse: the page is still scrolling from the one before.
        browser.eval(&format!("document.querySelector('{button}').click()"));
        assert_eq!(
            shows_all(&mut browser, "#call-more", "#call-rows tr"),
            said,
            "{state}, whatever namespace was chosen before"
        );
        if state == "broken" {
            assert_eq!(numbers(&verdict), [said, calls]);
        }
    }
    // What is to be fixed first.
    let effects = browser
        .eval("[...document.querySelectorAll('#mend li')].map((it) => it.querySelector('.meta strong').textContent)");
    for (place, effect) in effects.as_array().expect("texts").iter().enumerate() {
        let calls = data["mend"][place]["calls"].as_array().expect("calls").len() as u64;
        assert_eq!(numbers(effect.as_str().expect("text")), [calls]);
    }
}

#[test]
fn each_filter_says_how_many_rows_it_shows() {
    let mut browser = mesh_with_ignored().open();
    let all = shows_all(&mut browser, "#finding-more", FINDINGS);
    let filters = ["by-severity", "by-rule", "by-namespace", "by-state"];
    let agree = |browser: &mut Browser, what: &str| {
        let mut seen = 0;
        for id in filters {
            let before = browser.text(&format!("document.getElementById('{id}').value"));
            for (value, words) in values(browser, id) {
                if value.is_empty() {
                    continue;
                }
                let said = *numbers(words.rsplit('(').next().expect("a number")).first().expect("a number");
                choose(browser, id, &value);
                assert_eq!(shows_all(browser, "#finding-more", FINDINGS), said, "{what}: {words}");
                assert_eq!(numbers(&browser.text_of("#finding-count")), [said, all], "{what}: {words}");
                seen += 1;
            }
            choose(browser, id, &before);
        }
        assert!(seen > 10, "{what}: {seen}");
    };
    agree(&mut browser, "alone");
    choose(&mut browser, "by-namespace", "ops");
    agree(&mut browser, "beside a namespace");
    choose(&mut browser, "search", "expires");
    agree(&mut browser, "beside a namespace and a word");
}

#[test]
fn a_node_lists_as_many_calls_as_it_says() {
    let mesh = Mesh::of(200);
    let mut browser = Report::of(&mesh).open();
    for number in [0, 5, 17, 44] {
        browser.eval("document.getElementById('find').value = '', 0");
        browser.click("#find");
        browser.write(&mesh.full_name(number));
        browser.key("Enter");
        browser.until("!document.getElementById('panel').hidden");
        let lists = browser.eval(
            "[...document.querySelectorAll('#panel h3')].filter((it) => /^(Called by|Calls) /.test(it.textContent))
               .map((it) => [Number(it.textContent.split(' ').pop()), it.parentElement.querySelectorAll('.calls li').length])",
        );
        let lists: Vec<(u64, u64)> = serde_json::from_value(lists).expect("pairs");
        assert!(!lists.is_empty());
        assert!(lists.iter().all(|(said, listed)| said == listed), "{}: {lists:?}", mesh.full_name(number));
    }
}

#[test]
fn certificates_that_have_ended_stand_on_top_and_then_by_their_end() {
    let report = Report::of(&Mesh::of(500));
    let mut browser = report.open();
    let soon = browser.text_of("#soon");
    assert!(soon.contains("have expired") && soon.matches("expired 5 days ago").count() == 4, "{soon}");
    shows_all(&mut browser, "#certificate-more", "#certificate-rows tr");
    let ends = browser.eval("[...document.querySelectorAll('#certificate-rows tr')].map((it) => [Date.parse(it.querySelector('.ends').textContent + ' UTC'), it.lastChild.innerText])");
    let ends: Vec<(i64, String)> = serde_json::from_value(ends).expect("pairs");
    assert!(ends.is_sorted_by_key(|(at, _)| *at), "{ends:?}");
    let ended = ends.iter().take_while(|(_, words)| words.contains("expired")).count();
    assert_eq!(ended, 8, "all of them, before the others");
    assert!(ends[ended..].iter().all(|(_, words)| words.contains("in ")), "{ends:?}");
    assert_eq!(first(&browser.text_of("#buckets button b")), 8);
}

/// `VirtualNode shop/blue, spec.listeners[0]` of a finding of `-o json`.
fn place(finding: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &finding["object"];
    let namespace = text(&object["namespace"]);
    let name =
        if namespace.is_empty() { text(&object["name"]) } else { format!("{namespace}/{}", text(&object["name"])) };
    // A pointer there, as Kubernetes writes it here.
    let field = text(&finding["field"]);
    let steps = field.split('/').skip(1).map(|step| match step.parse::<usize>() {
        Ok(index) => format!("[{index}]"),
        Err(_) => format!(".{step}"),
    });
    let field = steps.collect::<String>();
    format!("{} {name}, {}", text(&object["kind"]), field.trim_start_matches('.'))
}

/// The value of a term in a list of them.
const AT: &str =
    "(list) => [...list.querySelectorAll('dt')].find((it) => it.textContent === 'At').nextElementSibling.textContent";

#[test]
fn a_finding_is_at_the_object_that_it_speaks_of() {
    let report = Report::of(&Mesh::of(500));
    let output = Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .args(["check", ".", "-o", "json"])
        .current_dir(report.folder())
        .output()
        .expect("meshvet runs");
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let all = json["findings"].as_array().expect("findings");
    let places: HashMap<&str, String> =
        all.iter().map(|it| (it["message"].as_str().expect("text"), place(it))).collect();
    assert_eq!(places.len(), all.len(), "each has words of its own");
    let mut browser = report.open();
    shows_all(&mut browser, "#finding-more", FINDINGS);
    let told = browser.eval(&format!(
        "[...document.querySelectorAll('{FINDINGS}')].map((it) => {{ it.click(); const row = it.closest('tr');
           return [it.textContent, row.cells[2].textContent, ({AT})(row.nextElementSibling)]; }})"
    ));
    let told: Vec<(String, String, String)> = serde_json::from_value(told).expect("texts");
    assert_eq!(told.len(), all.len());
    for (message, object, at) in &told {
        assert_eq!(Some(at), places.get(message.as_str()), "{message}");
        assert_eq!(at.split(", ").next(), Some(object.as_str()), "{message}");
        // Words that name a call or a Secret of a node are about that node's own.
        let name = object.split(' ').nth(1).expect("a name").split('/').nth(1).expect("a name");
        assert!(message.contains(name), "{at}: {message}");
    }
}

#[test]
fn what_is_to_be_fixed_first_is_where_its_words_say() {
    // Both ends of a call have a part in it: what is at several clients of one server says so.
    for (mesh, groups) in [(Mesh::of(500), true), (Mesh::of_two(), false), (Mesh::of_three(), false)] {
        let report = Report::of(&mesh);
        let data = report.data();
        let mut browser = report.open();
        let items = browser.eval(&format!(
            "[...document.querySelectorAll('#mend li')].map((it) => [it.querySelector('.at').textContent,
               it.querySelector('.what').textContent, it.querySelector('dl') && ({AT})(it)])"
        ));
        let items: Vec<(String, String, Option<String>)> = serde_json::from_value(items).expect("texts");
        let mut shared = 0;
        for (place, (at, what, detail)) in items.iter().enumerate() {
            let findings = data["mend"][place]["findings"].as_array().expect("findings").iter();
            let findings: Vec<&Value> = findings
                .map(|it| &data["findings"][usize::try_from(it.as_u64().expect("a number")).expect("a place")])
                .collect();
            let own = |it: &Value| format!("{} {}/{}", it["kind"], it["namespace"], it["name"]).replace('"', "");
            if let Some(server) = at.strip_prefix("all call VirtualNode ") {
                shared += 1;
                assert!(findings.len() > 1, "{at}: {what}");
                let name = server.split('/').nth(1).expect("a name");
                assert!(
                    findings.iter().all(|it| it["message"].as_str().expect("text").contains(name)),
                    "{at}: {findings:?}"
                );
            } else {
                assert!(findings.iter().all(|it| own(it) == *at), "{at}: {what}");
            }
            if let Some(detail) = detail {
                assert_eq!(*detail, format!("{}, {}", own(findings[0]), findings[0]["field"].as_str().expect("text")));
            }
            let more = what.split_once(" (and ").map_or(0, |(_, rest)| first(rest));
            assert_eq!(more + 1, findings.len() as u64, "{what}");
        }
        assert_eq!(shared > 0, groups, "{items:?}");
        browser.picture(&pictures().join(format!("mend-{}.png", mesh.count())), false);
    }
}
