//! What reading certificates costs when they arrive, and what comparing a name costs on every request.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a benchmark that can't go on stops")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use meshvet::pki::{Certificate, FileFacts, certificate_matches_host, dns_name_matches};
use rcgen::{CertificateParams, KeyPair};

struct Minted {
    der: Vec<u8>,
    pem: String,
    key: String,
}

fn mint(name: &str) -> Minted {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Minted { der: certificate.der().to_vec(), pem: certificate.pem(), key: key.serialize_pem() }
}

fn read(criterion: &mut Criterion) {
    let (leaf, root) = (mint("*.apps.local"), mint("root.apps.local"));
    criterion.bench_function("parse a certificate", |bench| {
        bench.iter(|| Certificate::parse_der(black_box(&leaf.der)));
    });
    let chain = leaf.pem.clone() + &root.pem;
    criterion.bench_function("read a chain of two from PEM", |bench| {
        bench.iter(|| FileFacts::parse(black_box(chain.as_bytes())));
    });
    criterion.bench_function("read a P-256 key", |bench| {
        bench.iter(|| FileFacts::parse(black_box(leaf.key.as_bytes())));
    });
    let rsa = include_bytes!("../tests/fixtures/pki/rsa2048.key");
    criterion.bench_function("read an RSA 2048 key", |bench| {
        bench.iter(|| FileFacts::parse(black_box(rsa)));
    });
    let bundle = root.pem.repeat(150);
    criterion.bench_function("read a bundle of 150", |bench| {
        bench.iter(|| FileFacts::parse(black_box(bundle.as_bytes())));
    });
    let noise = vec![b'x'; 1 << 20];
    criterion.bench_function("read a mebibyte that is no PEM", |bench| {
        bench.iter(|| FileFacts::parse(black_box(&noise)));
    });
}

fn names(criterion: &mut Criterion) {
    criterion.bench_function("match a wildcard", |bench| {
        bench.iter(|| dns_name_matches(black_box("*.apps.local"), black_box("blue.apps.local")));
    });
    let certificate = Certificate::parse_der(&mint("*.apps.local").der).unwrap();
    criterion.bench_function("match a certificate's names", |bench| {
        bench.iter(|| certificate_matches_host(black_box(&certificate), black_box("blue.apps.local")));
    });
}

criterion_group!(benches, read, names);
criterion_main!(benches);
