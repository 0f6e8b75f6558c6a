//! Any bytes, read as every kind of certificate and key file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meshvet::pki::{Certificate, FileFacts};

fuzz_target!(|bytes: &[u8]| {
    let facts = FileFacts::parse(bytes);
    for error in [facts.chain.as_ref().err(), facts.bundle.as_ref().err()].into_iter().flatten() {
        let _ = (error.to_string(), error.envoy_log("/certs/tls.crt"), error.fix());
    }
    if let Err(error) = &facts.key {
        let _ = (error.to_string(), error.envoy_log("/certs/tls.key"), error.fix());
    }
    if let Ok(chain) = &facts.chain {
        let leaf = chain.leaf();
        let _ = (leaf.names_text(), leaf.key_support(), leaf.nameless_log(), leaf.lifetime());
        assert_eq!(Certificate::parse_der(&leaf.der).as_ref(), Ok(leaf));
        if let Ok(key) = &facts.key {
            let _ = key.fit(leaf);
        }
    }
    let _ = Certificate::parse_der(bytes);
});
