//! The serving certificate is renewed while the server runs, as a Secret volume renews it.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Version;
use meshvet::admission::certificate::serving::{CertificateFiles, ServingCertificate};
use meshvet::admission::listener::Limits;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::bed::{AUTHORITY, Bed, SOUND, create, node};
use crate::client::{Live, read, request, soon};
use crate::support::mint::Issued;

/// Fills a volume as the kubelet does: a new folder, and `..data` renamed to point to it.
fn fill(volume: &Path, content: &str, chain: &str, key: &str) {
    std::fs::create_dir(volume.join(content)).expect("a folder");
    std::fs::write(volume.join(content).join("tls.crt"), chain).expect("a file");
    std::fs::write(volume.join(content).join("tls.key"), key).expect("a file");
    let before = std::fs::read_link(volume.join("..data")).ok();
    symlink(content, volume.join("..data_tmp")).expect("a link");
    std::fs::rename(volume.join("..data_tmp"), volume.join("..data")).expect("a swap");
    match before {
        Some(before) => std::fs::remove_dir_all(volume.join(before)).expect("the old folder goes"),
        None => {
            for name in ["tls.crt", "tls.key"] {
                symlink(Path::new("..data").join(name), volume.join(name)).expect("a link");
            }
        }
    }
}

fn leaf(issued: &Issued) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(issued.certificate.as_bytes()).expect("PEM")
}

async fn served(live: &Live) -> CertificateDer<'static> {
    let stream = live.connect(&["http/1.1"]).await;
    let chain = stream.get_ref().1.peer_certificates().expect("a chain");
    chain.first().expect("a leaf").clone().into_owned()
}

#[tokio::test]
async fn a_swapped_volume_is_served_at_once_and_a_broken_one_never() {
    let (first, second) = (AUTHORITY.leaf(&["localhost"]).issue(), AUTHORITY.leaf(&["localhost"]).issue());
    let folder = tempfile::tempdir().expect("a folder");
    let volume = folder.path();
    fill(volume, "..1", &first.chain, &first.key);
    let files = CertificateFiles { chain: volume.join("tls.crt"), key: volume.join("tls.key") };
    let certificate = Arc::new(ServingCertificate::load(&files).expect("a pair"));
    let _renewal = certificate.follow(files);
    let live = Live::start_with(Bed::serving(&SOUND), Limits::default(), certificate, AUTHORITY.pem()).await;
    assert_eq!(served(&live).await, leaf(&first));
    let mut open = live.http1().await;

    // A key of another certificate is never served, whether the watch gets to see it or not.
    fill(volume, "..2", &second.chain, &first.key);
    assert_eq!(served(&live).await, leaf(&first));
    fill(volume, "..3", &second.chain, &second.key);
    let renewed = async {
        while served(&live).await != leaf(&second) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the new certificate", renewed).await;

    // Connections that are open stay so.
    let answer = soon("an answer", open.send_request(request(Version::HTTP_11, &create(node())))).await;
    assert_eq!(read(answer.expect("an answer")).await.1["response"]["allowed"], true);
}
