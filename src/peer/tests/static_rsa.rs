//! Over TLS with static RSA: who needs it is served, and nobody who can do better comes down to it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::pin::Pin;

use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_openssl::SslStream;

use super::secure::{file, site};
use super::*;
use crate::peer::static_rsa::RsaBadge;
use crate::sockets::tls::certificates;

/// Speaks TLS with whoever listens there, with these suites of TLS 1.2 and no others; the suite that was agreed on.
async fn call(at: SocketAddr, suites: &str) -> Result<(SslStream<TcpStream>, String), String> {
    let mut context = SslContext::builder(SslMethod::tls_client()).expect("a context");
    context.set_verify(SslVerifyMode::NONE);
    context.set_cipher_list(suites).expect("suites");
    let tcp = TcpStream::connect(at).await.expect("a connection");
    let mut stream = SslStream::new(Ssl::new(&context.build()).expect("a session"), tcp).expect("a session");
    Pin::new(&mut stream).connect().await.map_err(|why| why.to_string())?;
    let suite = stream.ssl().current_cipher().map(|suite| suite.name().to_owned());
    Ok((stream, suite.expect("a suite")))
}

#[test]
fn a_client_that_knows_nothing_else_is_served_record_by_record() {
    System::new().block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (badge, _) = RsaBadge::of(&site(folder.path())).expect("a badge");
        let greeting = Greeting::StaticRsa(badge);
        for suites in ["AES256-GCM-SHA384", "AES128-GCM-SHA256", "ALL"] {
            let (there, mut at_there) = ear();
            let at = listen(any(), greeting.clone(), there.recipient()).await.expect("a listener");
            let (mut stream, suite) = call(at, suites).await.expect("TLS");
            assert!(suites == "ALL" && suite == "AES256-GCM-SHA384" || suite == suites, "{suites}: {suite}");
            let (_, back) = line(&mut at_there).await;
            stream.write_all(b"ping").await.expect("written");
            assert!(matches!(at_there.recv().await, Some(Heard::Bytes(0, bytes)) if bytes == "ping"));
            back.do_send(ToPeer::Bytes(Bytes::from_static(b"pong\0")));
            back.do_send(ToPeer::Bytes(Bytes::from_static(b"news\0")));
            // A client family reads one record and strips one NUL (axi 4.3).
            for message in [b"pong\0", b"news\0"] {
                let mut heard = [0; 64];
                let len = stream.read(&mut heard).await.expect("read");
                assert_eq!(&heard[..len], message, "{suites}");
            }
        }
        let (there, _heard) = ear();
        let at = listen(any(), greeting, there.recipient()).await.expect("a listener");
        for broken in ["ECDHE", "AES256-SHA256", "AES128-SHA"] {
            assert!(call(at, broken).await.is_err(), "{broken} is spoken");
        }
    });
}

#[test]
fn a_certificate_of_its_own_is_made_once_beside_the_other_and_a_site_s_own_is_shown_if_it_is_rsa() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut site = site(folder.path());
    let (_, first) = RsaBadge::of(&site).expect("a badge");
    assert_eq!(first, site.data_dir.join("axi-rsa.pem"));
    let made = certificates(&first).expect("a certificate");
    let (_, again) = RsaBadge::of(&site).expect("the same");
    assert_eq!(certificates(&again).expect("a certificate"), made);
    let mode = fs::metadata(site.data_dir.join("axi-rsa.key")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // With a certificate of another kind the site shows its own here as well.
    let axi = site.axi.as_mut().expect("a listener");
    axi.certificate = Some((file("good.pem"), file("good.key")));
    assert_eq!(RsaBadge::of(&site).expect("a badge").1, first);
    let own = (folder.path().join("own.pem"), folder.path().join("own.key"));
    fs::copy(&first, &own.0).expect("a copy");
    fs::copy(site.data_dir.join("axi-rsa.key"), &own.1).expect("a copy");
    site.axi.as_mut().expect("a listener").certificate = Some(own.clone());
    assert_eq!(RsaBadge::of(&site).expect("a badge").1, own.0);
    // A key that belongs to another certificate is told by its file.
    let why = RsaBadge::read(&own.0, &file("good.key")).err().map(|unfit| unfit.to_string());
    assert!(why.is_some_and(|why| why.contains("good.key") || why.contains("own.pem")));
}
