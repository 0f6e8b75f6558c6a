//! Files in all the forms in which people have them.

use crate::pairing::{Pairing, SOUND, file};

type Change = fn(&[u8]) -> Vec<u8>;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Changes that any file can undergo.
const CHANGES: [(&str, Change); 22] = [
    ("is empty", |_| Vec::new()),
    ("is blank", |_| b" \n\n".to_vec()),
    ("is garbage", |_| b"not a certificate\n".to_vec()),
    ("ends in CRLF", |file| text(file).replace('\n', "\r\n").into_bytes()),
    ("ends in CR alone", |file| text(file).replace('\n', "\r").into_bytes()),
    ("lacks its last newline", |file| file.trim_ascii_end().to_vec()),
    ("begins with a byte-order mark", |file| [b"\xef\xbb\xbf", file].concat()),
    ("is UTF-16", |file| text(file).encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ("has comments around", |file| [b"# Subject: CN=blue\n", file, b"\n# the end\n"].concat()),
    ("is indented", |file| text(file).lines().flat_map(|line| format!("  {line}\n").into_bytes()).collect()),
    ("has a first line indented", |file| [b" ", file].concat()),
    ("has spaces behind its lines", |file| text(file).replace('\n', "  \n").into_bytes()),
    ("is a single line", |file| text(file).replace('\n', " ").into_bytes()),
    ("has backslashes for newlines", |file| text(file).replace('\n', "\\n").into_bytes()),
    ("lacks a newline between blocks", |file| text(file).replace("-----\n-----", "----------").into_bytes()),
    ("has blank lines between blocks", |file| text(file).replace("-----\n-----", "-----\n\n\n-----").into_bytes()),
    ("is cut off", |file| file[..file.len() - 60].to_vec()),
    ("has a corrupt letter", |file| {
        let mut out = file.to_vec();
        out[100] = b'*';
        out
    }),
    ("has a NUL in front", |file| [b"\0", file].concat()),
    ("is base64 once more", |file| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(file).into_bytes()
    }),
    ("is unwrapped", |file| {
        let lines = text(file).replace("-----\n", "-----!").replace("\n-----", "!-----");
        lines.replace('\n', "").replace('!', "\n").into_bytes()
    }),
    ("is DER", |file| {
        use base64::Engine as _;
        let text = text(file);
        let body: String = text.lines().skip(1).take_while(|line| !line.starts_with('-')).collect();
        base64::engine::general_purpose::STANDARD.decode(body).expect("base64")
    }),
];

pub(super) fn pairings() -> Vec<Pairing> {
    let sound = &*SOUND;
    let mut out = Vec::new();
    let chain = file(&[&sound.leaf, &sound.intermediate]);
    let bundle = file(&[&sound.other, &sound.root]);
    let key = sound.leaf.key.pem.clone().into_bytes();
    for (what, change) in CHANGES {
        out.push(Pairing::sound(format!("files: the chain {what}")).chain_file(change(&chain)));
        out.push(Pairing::sound(format!("files: the key {what}")).key_file(change(&key)));
        out.push(Pairing::sound(format!("files: the bundle {what}")).bundle_file(change(&bundle)));
    }
    let label =
        |bytes: &[u8], label: &str| text(bytes).replace("CERTIFICATE-----", &format!("{label}-----")).into_bytes();
    out.extend([
        Pairing::sound("files: the chain is absent").chain_file(None),
        Pairing::sound("files: the key is absent").key_file(None),
        Pairing::sound("files: the bundle is absent").bundle_file(None),
        Pairing::sound("files: the chain holds the key too").chain_file([chain.clone(), key.clone()].concat()),
        Pairing::sound("files: the chain holds the key first").chain_file([key.clone(), chain.clone()].concat()),
        Pairing::sound("files: the chain is the key").chain_file(key.clone()),
        Pairing::sound("files: the key is the chain").key_file(chain.clone()),
        Pairing::sound("files: the bundle is the key").bundle_file(key.clone()),
        Pairing::sound("files: the bundle holds the key too").bundle_file([bundle.clone(), key].concat()),
        Pairing::sound("files: the chain says X509 CERTIFICATE").chain_file(label(&chain, "X509 CERTIFICATE")),
        Pairing::sound("files: the bundle says X509 CERTIFICATE").bundle_file(label(&bundle, "X509 CERTIFICATE")),
        Pairing::sound("files: the chain says TRUSTED CERTIFICATE").chain_file(label(&chain, "TRUSTED CERTIFICATE")),
        Pairing::sound("files: the bundle says TRUSTED CERTIFICATE").bundle_file(label(&bundle, "TRUSTED CERTIFICATE")),
        Pairing::sound("files: the chain says PUBLIC KEY").chain_file(label(&chain, "PUBLIC KEY")),
        Pairing::sound("files: the bundle and a broken block").bundle_file(
            [bundle.as_slice(), b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"].concat(),
        ),
        Pairing::sound("files: the root behind a byte-order mark")
            .bundle_file([b"\xef\xbb\xbf".to_vec(), file(&[&sound.root, &sound.other])].concat()),
        Pairing::sound("files: the root indented, another not")
            .bundle_file([b" ".to_vec(), file(&[&sound.root, &sound.other])].concat()),
        Pairing::sound("files: the intermediate indented")
            .chain_file([file(&[&sound.leaf]), b" ".to_vec(), file(&[&sound.intermediate])].concat()),
    ]);
    out
}
