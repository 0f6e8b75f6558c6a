//! The pictures of the documents, in docs/images: `scripts/pictures` makes them anew, of the repository's own example and of what meshvet
//! prints. Here they are held to what a page of documents can bear.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::Report;
use crate::browser::{Browser, Scheme};
use crate::support::manifests::{list, tls_secret};
use crate::support::mint::{Authority, Issued};

/// The most bytes of a picture.
const MOST: u64 = 150 * 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images")
}

#[test]
fn each_picture_is_small_shown_in_a_document_and_described() {
    let mut texts = vec![std::fs::read_to_string(folder().join("../../README.md")).expect("the README")];
    for page in std::fs::read_dir(folder().join("..")).expect("the documents").map(|it| it.expect("an entry").path()) {
        if page.extension().is_some_and(|it| it == "md") {
            texts.push(std::fs::read_to_string(page).expect("a page"));
        }
    }
    let pictures: Vec<PathBuf> =
        std::fs::read_dir(folder()).expect("docs/images").map(|it| it.expect("an entry").path()).collect();
    assert!(pictures.len() >= 2, "{pictures:?}");
    for picture in pictures {
        let size = std::fs::metadata(&picture).expect("a file").len();
        assert!(size < MOST, "{}: {size} bytes", picture.display());
        let name = picture.file_name().expect("a name").to_string_lossy();
        let link = format!("images/{name})");
        let descriptions = texts.iter().flat_map(|text| {
            let shown =
                text.match_indices(&link).filter_map(|(at, _)| text.get(..at)?.rsplit_once("![")?.1.split_once(']'));
            shown.map(|(description, _)| description)
        });
        let shortest = descriptions.map(str::len).min().unwrap_or_else(|| panic!("no document shows {name}"));
        assert!(shortest > 40, "{name} is described in {shortest} letters");
    }
}

/// The example of Gateways with Secrets as `meshvet try` makes them for it; that of news, which is refused there, expires soon here.
fn example() -> Report {
    let mut report = Report::empty();
    let authority = Authority::new("Example edge root");
    let leaf = |name: &str| authority.leaf(&[&format!("{name}.example.com")]).issue();
    let secret = |name: &str, of_type: &str, issued: &Issued| {
        let mut secret = tls_secret("edge", &format!("{name}-tls"), issued);
        secret["type"] = of_type.into();
        secret
    };
    const TLS: &str = "kubernetes.io/tls";
    let checkout = Issued { key: leaf("checkout").key, ..leaf("checkout") };
    let expired = authority.leaf(&["orders.example.com"]).valid(-91, -1).issue();
    let secrets: [Value; 7] = [
        secret("shop", TLS, &leaf("shop")),
        secret("checkout", TLS, &checkout),
        secret("orders", TLS, &expired),
        secret("search", "Opaque", &leaf("search")),
        secret("api", TLS, &leaf("*")),
        secret("archive", TLS, &leaf("archive")),
        secret("news", TLS, &authority.leaf(&["news.example.com"]).valid(-80, 5).issue()),
    ];
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gateway");
    for entry in std::fs::read_dir(source).expect("the example").map(|it| it.expect("an entry").path()) {
        std::fs::copy(&entry, report.folder().join(entry.file_name().expect("a name"))).expect("a copy");
    }
    report.add("secrets.json", &list(secrets).to_string());
    report
}

#[test]
#[ignore = "writes docs/images: scripts/pictures"]
fn the_map() {
    let report = example();
    let mut browser = Browser::start(1120, 1000);
    browser.prefer(Scheme::Light, "");
    browser.open(&report.url());
    browser.eval("document.getElementById('theme').hidden = true, document.activeElement.blur(), 0");
    browser.picture_of("#mesh", &folder().join("map.png"));
}

/// What `meshvet try` prints of the example until the first denial has been shown, and no letter else.
fn denial() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .args(["try", "--example", "gateway"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("meshvet runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let from = text.find("$ kubectl apply").unwrap_or_else(|| panic!("no command in {text}"));
    let end = text.find("For more: ").and_then(|at| Some(at + text.get(at..)?.find('\n')?));
    text.get(from..end.unwrap_or_else(|| panic!("no denial in {text}"))).expect("a part").to_owned()
}

#[test]
#[ignore = "writes docs/images: scripts/pictures"]
fn a_denial() {
    let mut browser = Browser::start(1000, 700);
    let folder_of_page = tempfile::tempdir().expect("a folder");
    let page = folder_of_page.path().join("denial.html");
    std::fs::write(&page, "<!doctype html><meta charset=utf-8><style>
        body { margin: 0; background: #fff }
        pre { margin: 0; box-sizing: border-box; width: 1000px; padding: 18px 22px; border-radius: 10px; background: #14171b; color: #d5dae1;
          font: 13.5px/1.5 'DejaVu Sans Mono', 'Liberation Mono', monospace; white-space: pre-wrap; overflow-wrap: anywhere }
        b { color: #fff } .no { color: #ff8087 } .label { color: #8fa0b8 } .quiet { color: #8b929d }
        </style><pre id=it></pre>").expect("a page");
    browser.call("Page.navigate", json!({"url": format!("file://{}", page.display())}));
    browser.until("document.readyState === 'complete' && !!document.getElementById('it')");
    // Colours alone are added to what was printed.
    let text = denial();
    let paint = format!(
        r"(() => {{ const it = document.getElementById('it');
           for (const line of {}.split('\n')) {{
             const [, label, rest] = /^( +[a-z ]+:)( .*)$/.exec(line) ?? [];
             const span = (text, name) => Object.assign(document.createElement(name === 'b' ? 'b' : 'span'), {{ textContent: text, className: name }});
             if (label) it.append(span(label, 'label'), rest);
             else it.append(span(line, line.startsWith('$') || /^MV\d/.test(line) ? 'b' : line.startsWith('Error') ? 'no' : line.endsWith(' created') ? 'quiet' : ''));
             it.append('\n');
           }} it.lastChild.remove(); return it.textContent; }})()",
        json!(text)
    );
    assert_eq!(browser.text(&paint), text);
    browser.picture_of("#it", &folder().join("denial.png"));
}
