//! How files are written.

use crate::case::{Case, Differs, WEB, https, route};
use crate::secrets::{self, Pair};
use crate::support::mint::{Key, openssl};

fn of(name: &str, pair: &Pair) -> Case {
    let route = route("HTTPRoute", &["a.example.com"]);
    Case::of(name, &[https("web", "*.example.com")]).with(route).pair(pair).ask("a.example.com")
}

const LABEL: &str = "labels aren't looked at, which Go insists on, and Envoy doesn't";
const SKIPS: &str = "Go skips a block that it can't read, and another may stand behind it";

pub(crate) fn cases() -> Vec<Case> {
    [blocks(), lines(), keys()].into_iter().flatten().collect()
}

fn with(change: impl FnOnce(Pair) -> Pair) -> Pair {
    change(secrets::sound())
}

/// What blocks a chain has.
fn blocks() -> Vec<Case> {
    let labelled = |label: &'static str| with(|it| Pair { chain: it.certificate.replace("CERTIFICATE", label), ..it });
    let behind = |label: &'static str| {
        with(|it| Pair { chain: it.certificate.clone() + &it.authority.replace("CERTIFICATE", label), ..it })
    };
    let ended = secrets::dated(-30, -1).certificate;
    vec![
        of("authority-first", &with(|it| Pair { chain: it.authority.clone() + &it.certificate, ..it })),
        of("authority-behind", &with(|it| Pair { chain: it.certificate.clone() + &it.authority, ..it })),
        of("leaf-alone", &with(|it| Pair { chain: it.certificate.clone(), ..it })),
        of("leaf-twice", &with(|it| Pair { chain: it.certificate.clone() + &it.certificate, ..it })),
        of(
            "another-leaf-behind",
            &with(|it| Pair { chain: it.certificate.clone() + &secrets::named("b.example.com").certificate, ..it }),
        ),
        of(
            "another-leaf-first",
            &with(|it| Pair { chain: secrets::named("b.example.com").certificate + &it.certificate, ..it }),
        ),
        of("nonsense", &with(|it| Pair { chain: "nonsense".to_owned(), ..it })),
        of("der", &with(|it| Pair { chain: "0\u{82}\u{3}".to_owned(), ..it })),
        of("no-certificate", &with(|it| Pair { chain: String::new(), ..it })),
        of("key-in-place-of-certificate", &with(|it| Pair { chain: it.key.clone(), ..it })),
        of("key-in-the-chain", &with(|it| Pair { chain: it.certificate.clone() + &it.key, ..it })),
        of("request-in-place-of-certificate", &labelled("CERTIFICATE REQUEST")),
        of("labelled-x509", &labelled("X509 CERTIFICATE")).differs(WEB, Differs::Silent, LABEL),
        of("labelled-trusted", &labelled("TRUSTED CERTIFICATE")).differs(WEB, Differs::Silent, LABEL),
        of("labelled-x509-behind", &behind("X509 CERTIFICATE")),
        of("labelled-trusted-behind", &behind("TRUSTED CERTIFICATE")),
        of("ended-behind-the-leaf", &with(|it| Pair { chain: it.certificate.clone() + &ended, ..it })),
        of("corrupt", &with(|it| Pair { chain: secrets::corrupt(&it.certificate), ..it })).softer(SKIPS),
        of(
            "corrupt-behind-the-leaf",
            &with(|it| Pair { chain: it.certificate.clone() + &secrets::corrupt(&it.authority), ..it }),
        ),
        of(
            "corrupt-before-the-leaf",
            &with(|it| Pair { chain: secrets::corrupt(&it.authority) + &it.certificate, ..it }),
        ),
        of("cut-short", &with(|it| Pair { chain: it.certificate[..it.certificate.len() / 2].to_owned(), ..it }))
            .softer(SKIPS),
        of("cut-short-behind-the-leaf", &with(|it| Pair { chain: it.certificate.clone() + &it.authority[..90], ..it })),
    ]
}

/// How the lines of a chain are written.
fn lines() -> Vec<Case> {
    let written = |change: fn(&str) -> String| with(|it| Pair { chain: change(&it.certificate), ..it });
    vec![
        of("one-line", &written(|pem| pem.replace('\n', ""))),
        of("escaped-line-ends", &written(|pem| pem.replace('\n', "\\n"))),
        of("carriage-returns-alone", &written(|pem| pem.replace('\n', "\r"))),
        of("carriage-returns", &written(|pem| pem.replace('\n', "\r\n"))),
        of("indented", &written(|pem| format!("  {}", pem.replace('\n', "\n  ")))),
        of("text-before", &written(|pem| format!("subject: web\n{pem}"))),
        of("text-behind", &written(|pem| format!("{pem}issuer: web\n"))),
        of("byte-order-mark", &written(|pem| format!("\u{feff}{pem}"))),
        of("no-final-line-end", &written(|pem| pem.trim_end().to_owned())),
        of("blank-lines-between", &with(|it| Pair { chain: format!("{}\n\n{}", it.certificate, it.authority), ..it })),
        of("nothing-between", &with(|it| Pair { chain: it.certificate.trim_end().to_owned() + &it.authority, ..it }))
            .softer(SKIPS),
        of("trailing-spaces", &written(|pem| pem.replace('\n', " \n"))),
        of(
            "unwrapped-base64",
            &written(|pem| {
                let lines: Vec<&str> = pem.lines().collect();
                format!("{}\n{}\n{}\n", lines[0], lines[1..lines.len() - 1].concat(), lines[lines.len() - 1])
            }),
        ),
    ]
}

fn keys() -> Vec<Case> {
    let rsa = secrets::keyed(Key::Rsa(2048));
    let parameters = openssl(&["genpkey", "-genparam", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "");
    let sec1 = secrets::traditional(secrets::sound());
    vec![
        of("no-key", &with(|it| Pair { key: String::new(), ..it })),
        of("certificate-in-place-of-key", &with(|it| Pair { key: it.certificate.clone(), ..it })),
        of("certificate-before-the-key", &with(|it| Pair { key: it.certificate.clone() + &it.key, ..it })),
        of("encrypted-key", &secrets::encrypted()),
        of("public-key", &secrets::public()),
        of("corrupt-key", &with(|it| Pair { key: secrets::corrupt(&it.key), ..it })).softer(SKIPS),
        of("pkcs1-key", &secrets::traditional(rsa)),
        of("sec1-key", &sec1),
        of("parameters-before-the-key", &Pair { key: parameters + &sec1.key, ..sec1.clone() }),
        of("key-twice", &with(|it| Pair { key: it.key.repeat(2), ..it })),
        of("another-key-behind", &with(|it| Pair { key: it.key.clone() + &secrets::named("b.example.com").key, ..it })),
        of("another-key-first", &with(|it| Pair { key: secrets::named("b.example.com").key + &it.key, ..it })),
        of("sec1-key-labelled-pkcs8", &Pair { key: sec1.key.replace("EC PRIVATE KEY", "PRIVATE KEY"), ..sec1 })
            .softer("what is labelled as one and is another, some read"),
        of("pkcs8-key-labelled-sec1", &with(|it| Pair { key: it.key.replace("PRIVATE KEY", "EC PRIVATE KEY"), ..it }))
            .differs(WEB, Differs::Silent, LABEL),
        of("indented-key", &with(|it| Pair { key: format!("  {}", it.key.replace('\n', "\n  ")), ..it })),
        of("key-of-carriage-returns", &with(|it| Pair { key: it.key.replace('\n', "\r\n"), ..it })),
        of("byte-order-mark-before-the-key", &with(|it| Pair { key: format!("\u{feff}{}", it.key), ..it })),
    ]
}
