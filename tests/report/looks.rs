//! The page with 3, 200 and 2,000 nodes: it opens, complains of nothing, fetches nothing, and says what is the matter.

use std::process::Command;

use serde_json::Value;

use crate::Report;
use crate::browser::{Browser, Scheme, pictures};
use crate::support::mesh::Mesh;

/// The page asked nobody for anything, and the console is empty.
#[track_caller]
pub(crate) fn is_quiet(browser: &mut Browser, url: &str) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let asked: Vec<&String> = browser.requests().iter().filter(|asked| *asked != url && *asked != "data:,").collect();
    assert!(asked.is_empty(), "the page asked for {asked:?}");
}

/// Opens the report of a mesh, and keeps pictures of its first screen and its map in light and dark.
#[track_caller]
fn opens(mesh: &Mesh, name: &str) -> (Browser, String) {
    let report = Report::of(mesh);
    let mut browser = report.open();
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme, "");
        browser.eval("scrollTo(0, 0)");
        browser.picture(&pictures().join(format!("{name}-{scheme:?}.png").to_lowercase()), false);
        browser.eval("document.getElementById('mesh').scrollIntoView({behavior: 'instant'}), 0");
        browser.picture(&pictures().join(format!("{name}-map-{scheme:?}.png").to_lowercase()), false);
    }
    is_quiet(&mut browser, &report.url());
    let verdict = browser.text_of("#verdict");
    (browser, verdict)
}

/// How many calls the legend says are in a state.
fn calls_in(browser: &mut Browser, state: &str) -> u64 {
    let text = browser.text_of(&format!("#calls-legend button[data-state='{state}'] b"));
    text.replace(',', "").parse().expect("a number")
}

/// The colours of the canvas, each with how many of its points have it.
fn painted(browser: &mut Browser, variable: &str) -> u64 {
    let count = browser.eval(&format!(
        "(() => {{ const wanted = getComputedStyle(document.documentElement).getPropertyValue('--{variable}').trim();
           const [r, g, b] = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
           const canvas = document.getElementById('map');
           const points = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
           let count = 0;
           for (let at = 0; at < points.length; at += 4) count += points[at] === r && points[at + 1] === g && points[at + 2] === b;
           return count; }})()"
    ));
    count.as_u64().expect("a count")
}

#[test]
fn three_nodes_are_shown_with_what_is_wrong() {
    let (mut browser, verdict) = opens(&Mesh::of_three(), "three");
    assert_eq!(verdict, "TLS is broken on 1 of 2 calls");
    assert_eq!((calls_in(&mut browser, "broken"), calls_in(&mut browser, "sound")), (1, 1));
    let first = browser.text_of("#mend li");
    for part in ["shop/catalog-tls", "breaks 1 call", "MV207 certificate-expired", "renew the certificate"] {
        assert!(first.contains(part), "{part:?} is not in {first}");
    }
    assert!(painted(&mut browser, "broken") > 200, "the broken call is drawn");
    assert!(painted(&mut browser, "sound") > 50, "the sound one too");
}

#[test]
fn two_hundred_nodes_are_shown_with_what_needs_attention() {
    let (mut browser, verdict) = opens(&Mesh::of(200), "two-hundred");
    let broken = calls_in(&mut browser, "broken");
    assert!(broken > 3, "{broken}");
    assert!(verdict.starts_with(&format!("TLS is broken on {broken} of ")), "{verdict}");
    for state in ["at-risk", "unknown", "plaintext", "sound"] {
        assert!(calls_in(&mut browser, state) > 0, "{state}");
    }
    let drawn = |browser: &mut Browser| browser.text("document.getElementById('map').getAttribute('aria-label')");
    let first = drawn(&mut browser);
    assert!(!first.contains("200 nodes"), "only what needs attention is drawn at first: {first}");
    browser.click("#whole");
    let whole = drawn(&mut browser);
    assert!(whole.contains("200 nodes"), "{whole}");
    browser.picture(&pictures().join("two-hundred-whole.png"), false);
    browser.click("#certificate-more");
    browser.eval("document.getElementById('certificates').scrollIntoView({behavior: 'instant'}), 0");
    browser.picture(&pictures().join("two-hundred-certificates.png"), false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn two_thousand_nodes_are_all_there() {
    let mesh = Mesh::of(2000);
    let (mut browser, verdict) = opens(&mesh, "two-thousand");
    assert!(verdict.starts_with("TLS is broken on "), "{verdict}");
    browser.click("#whole");
    browser.picture(&pictures().join("two-thousand-whole.png"), false);
    let label = browser.text("document.getElementById('map').getAttribute('aria-label')");
    assert!(label.contains("2,000 nodes"), "{label}");
    // Somebody in the middle of it can be found, and is then drawn with a name.
    let name = mesh.full_name(1234);
    browser.click("#find");
    browser.write(&name);
    browser.key("Enter");
    browser.until("!document.getElementById('panel').hidden");
    assert_eq!(browser.text_of("#panel-title"), name);
    browser.picture(&pictures().join("two-thousand-found.png"), false);
    // Moving about draws every frame anew, and none of it goes wrong.
    let (x, y) = (500.0, 500.0);
    for _ in 0..5 {
        browser.wheel(x, y, -300.0);
        browser.drag((x, y), (x + 150.0, y + 40.0));
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // Tables show some rows, and more when asked.
    let rows = |browser: &mut Browser| browser.eval("document.getElementById('certificate-rows').rows.length").as_u64();
    let few = rows(&mut browser).expect("a number");
    assert!(few < 200, "{few} rows at once");
    browser.click("#certificate-more");
    assert!(rows(&mut browser).expect("a number") > few);
}

#[test]
fn a_sound_mesh_says_so() {
    let (mut browser, verdict) = opens(&Mesh::sound(60), "sound");
    assert_eq!(verdict, "Every call's TLS is sound");
    assert_eq!(browser.text_of(".mend h2"), "Nothing to fix");
    assert!(browser.text_of("#finding-rows").contains("Nothing was found"));
}

#[test]
fn the_layout_is_the_same_for_the_same_mesh_and_no_boxes_overlap() {
    let report = Report::of(&Mesh::of(200));
    let mut places = Vec::new();
    for _ in 0..2 {
        let mut browser = report.open();
        browser.click("#whole");
        // The page keeps its parts to itself: what the map shows is asked of it by pointing.
        let picture = browser.text("document.getElementById('map').toDataURL()");
        places.push(picture);
    }
    assert!(places[0] == places[1], "two drawings of one mesh differ");
}

/// The layout as the page has it, run by itself on a graph of `count` nodes: whether any two boxes overlap.
#[test]
fn boxes_never_overlap_whatever_the_graph() {
    let source = include_str!("../../src/report/html/layout.js");
    let mut browser = Browser::start(800, 600);
    let run = |browser: &mut Browser, graph: &str| -> Value {
        browser.eval(&format!(
            "(() => {{ {source}
               const {{count, edges}} = ({graph})();
               const placed = layout(count, edges, (node) => node % 5);
               const seen = new Map();
               for (let node = 0; node < count; node += 1) {{
                 if (!Number.isFinite(placed.x[node]) || !Number.isFinite(placed.y[node])) return 'no place for ' + node;
                 for (let other = 0; other < node; other += 1) {{
                   if (Math.abs(placed.x[node] - placed.x[other]) < BOX.width && Math.abs(placed.y[node] - placed.y[other]) < BOX.height)
                     return `${{node}} lies on ${{other}}`;
                 }}
                 if (placed.x[node] < 0 || placed.x[node] + BOX.width > placed.width + 1 || placed.y[node] < 0 || placed.y[node] + BOX.height > placed.height + 1)
                   return `${{node}} lies outside`;
               }}
               return Math.round(100 * placed.width / placed.height) / 100; }})()"
        ))
    };
    for (what, graph) in [
        ("one node", "() => ({count: 1, edges: []})"),
        ("lone nodes", "() => ({count: 500, edges: []})"),
        ("a chain", "() => ({count: 2000, edges: Array.from({length: 1999}, (_, n) => [n, n + 1])})"),
        ("a star", "() => ({count: 1500, edges: Array.from({length: 1499}, (_, n) => [0, n + 1])})"),
        ("all call one", "() => ({count: 1500, edges: Array.from({length: 1499}, (_, n) => [n + 1, 0])})"),
        ("a ring", "() => ({count: 60, edges: Array.from({length: 60}, (_, n) => [n, (n + 1) % 60])})"),
        ("itself", "() => ({count: 2, edges: [[0, 0], [0, 1], [1, 0], [0, 1]]})"),
        ("pairs", "() => ({count: 600, edges: Array.from({length: 300}, (_, n) => [2 * n, 2 * n + 1])})"),
        (
            "everyone calls everyone",
            "() => ({count: 40, edges: Array.from({length: 1600}, (_, n) => [Math.floor(n / 40), n % 40])})",
        ),
        (
            "by chance",
            "() => { let seed = 7; const chance = (n) => (seed = (seed * 48271) % 2147483647) % n;
            return {count: 800, edges: Array.from({length: 1500}, () => [chance(800), chance(800)])}; }",
        ),
    ] {
        let ratio = run(&mut browser, graph);
        let ratio = ratio.as_f64().unwrap_or_else(|| panic!("{what}: {ratio}"));
        if !matches!(what, "one node" | "itself") {
            assert!((0.4..8.0).contains(&ratio), "{what}: {ratio} times as wide as tall");
        }
    }
}

#[test]
fn it_prints_in_light_with_the_map_and_the_findings() {
    let report = Report::of(&Mesh::of(60));
    let mut browser = report.open();
    browser.prefer(Scheme::Dark, "print");
    browser.until("document.documentElement.dataset.scheme === 'dark'");
    browser.eval("dispatchEvent(new Event('beforeprint')), 0");
    assert!(painted(&mut browser, "broken") > 200, "the map is drawn before the paper comes, in the colours of paper");
    assert_eq!(browser.text("document.documentElement.dataset.scheme"), "light");
    let hidden = "['.tools', '#theme', '.tabs', '.zoom'].every((it) => getComputedStyle(document.querySelector(it)).display === 'none')";
    assert_eq!(browser.eval(hidden), true);
    let answer =
        browser.call("Page.printToPDF", serde_json::json!({"printBackground": true, "preferCSSPageSize": true}));
    let pdf =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, answer["data"].as_str().expect("a PDF"));
    let pdf = pdf.expect("base64");
    assert!(pdf.starts_with(b"%PDF-"));
    std::fs::write(pictures().join("printed.pdf"), pdf).expect("a file");
    browser.eval("dispatchEvent(new Event('afterprint')), 0");
    assert_eq!(browser.text("document.documentElement.dataset.scheme"), "dark");
}

#[test]
fn hostile_names_stay_text() {
    let mut report = Report::of(&Mesh::of_three());
    let node = serde_json::json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode",
        "metadata": {"namespace": "shop", "name": "</script><img src=x onerror=alert(1)>"},
        "spec": {"podSelector": {"matchLabels": {"app": "<b>"}}, "listeners": [{"portMapping": {"port": 1, "protocol": "http"},
            "tls": {"mode": "STRICT", "certificate": {"file": {"certificateChain": "/<i>x</i>", "privateKey": "/k"}}}}]}});
    report.add("hostile.json", &node.to_string());
    let mut browser = report.open();
    assert_eq!(browser.eval("document.querySelectorAll('img, b > i').length"), 0);
    assert!(browser.text_of("#finding-rows").contains("</script><img src=x onerror=alert(1)>"));
    is_quiet(&mut browser, &report.url());
}

#[test]
fn a_page_is_made_of_any_manifests_and_says_what_was_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("broken.yaml"), "a: [").expect("a file");
    std::fs::write(folder.path().join("empty.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
        .expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .args(["check", ".", "-o", "html"])
        .current_dir(folder.path())
        .output()
        .expect("meshvet runs");
    assert_eq!(output.status.code(), Some(2), "a file could not be read");
    let page = folder.path().join("page.html");
    std::fs::write(&page, output.stdout).expect("a file");
    let mut browser = Browser::start(1200, 800);
    browser.open(&format!("file://{}", page.display()));
    assert_eq!(browser.text_of("#verdict"), "There is no mesh to show");
    let unread = browser.text_of("#unread");
    assert!(unread.contains("broken.yaml:1:"), "{unread}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
