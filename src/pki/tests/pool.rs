//! What is shared, and for how long.

use std::sync::Arc;

use super::super::file::Pools;
use super::*;

/// Pools of a test's own. They live as long as the process, as the process's do.
fn pools() -> &'static Pools {
    Box::leak(Box::default())
}

/// The three files of one Secret: a leaf of its own with an intermediate, its key, and a root.
fn secret(pools: &'static Pools, number: usize, intermediate: &Minted, root: &Minted) -> [Arc<FileFacts>; 3] {
    let leaf = mint(&format!("node-{number}"), &["blue.shop.svc"]);
    let chain = format!("{}{}", leaf.pem, intermediate.pem);
    [chain.as_str(), &leaf.key, &root.pem].map(|text| FileFacts::shared_in(pools, text.as_bytes()))
}

#[test]
fn each_file_and_each_certificate_is_parsed_once_and_none_is_kept_in_vain() {
    const SECRETS: usize = 20;
    let (pools, intermediates, root) =
        (pools(), ["one", "two", "three"].map(|name| mint(name, &[])), mint("root", &[]));
    let mut secrets: Vec<_> =
        (0..SECRETS).map(|number| secret(pools, number, &intermediates[number % 3], &root)).collect();
    // Twenty chains and keys, and one root; twenty leaves, three intermediates and the root.
    assert_eq!(pools.files.parsed(), 2 * SECRETS as u64 + 1);
    assert_eq!(pools.certificates.parsed(), SECRETS as u64 + 4);
    assert_eq!((pools.files.len(), pools.certificates.len()), (2 * SECRETS + 1, SECRETS + 4));
    let intermediate = |secret: &[Arc<FileFacts>; 3]| Arc::clone(&secret[0].chain.as_ref().unwrap().certificates[1]);
    assert!(Arc::ptr_eq(&intermediate(&secrets[0]), &intermediate(&secrets[3])));
    assert!(Arc::ptr_eq(&secrets[0][2], &secrets[1][2]));
    secrets.truncate(1);
    assert_eq!((pools.files.len(), pools.certificates.len()), (3, 3));
    secrets.clear();
    assert_eq!((pools.files.len(), pools.certificates.len()), (0, 0));
}

#[test]
fn what_is_shared_is_what_is_parsed() {
    let (pools, leaf) = (pools(), mint("blue", &["blue.shop.svc"]));
    let twice = format!("{0}{0}", leaf.pem);
    let damaged = leaf.pem.replace("MII", "AII");
    for text in [leaf.pem.as_str(), &leaf.key, &twice, &damaged, "", "no PEM"] {
        let (shared, parsed) = (FileFacts::shared_in(pools, text.as_bytes()), FileFacts::parse(text.as_bytes()));
        assert_eq!(*shared, parsed);
    }
}

#[test]
fn a_copy_does_not_end_what_is_shared() {
    let (pools, leaf) = (pools(), mint("blue", &[]));
    let file = FileFacts::shared_in(pools, leaf.pem.as_bytes());
    drop(FileFacts::clone(&file));
    assert_eq!(pools.files.len(), 1);
    assert!(Arc::ptr_eq(&file, &FileFacts::shared_in(pools, leaf.pem.as_bytes())));
}

#[test]
fn threads_share_what_they_parse_at_once() {
    let (pools, leaf) = (pools(), mint("blue", &[]));
    for _ in 0..50 {
        let files = std::thread::scope(|scope| {
            let parse = || FileFacts::shared_in(pools, leaf.pem.as_bytes());
            [(); 4].map(|()| scope.spawn(parse)).map(|thread| thread.join().unwrap())
        });
        assert!(files.iter().all(|file| Arc::ptr_eq(file, &files[0])));
        drop(files);
        assert_eq!((pools.files.len(), pools.certificates.len()), (0, 0));
    }
}

#[test]
fn facts_are_small() {
    // A cluster has tens of thousands of each.
    for (what, size, most) in [
        ("a file", size_of::<FileFacts>(), 512),
        ("a certificate", size_of::<Certificate>(), 640),
        ("a name", size_of::<San>(), 32),
    ] {
        assert!(size <= most, "{what} has {size} bytes, and {most} are meant");
    }
}
