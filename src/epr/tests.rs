//! The door against servers that answer in every way.

use omm::epr::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn wanted(source: Source) -> Epr {
    let policy =
        Policy { enabled: true, authority: true, common: false, interval: Duration::from_secs(3600) };
    Epr { source, policy, account: Some(("omm".into(), Secret::new("geheim"))) }
}

/// Asks a server that gives this answer; what it was asked, and what became of it.
async fn exchange(answer: Vec<u8>) -> (String, Fetched) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let address = listener.local_addr().expect("an address").to_string();
    let served = actix::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut chunk = [0; 512];
            let length = stream.read(&mut chunk).await.expect("a request");
            asked.extend_from_slice(&chunk[..length]);
        }
        let _ = stream.write_all(&answer).await;
        String::from_utf8(asked).expect("text")
    });
    let source = Source::Server { host: address.clone(), address, path: "/omm/".into(), tls: None };
    let fetched = Provisioner::new(&wanted(source)).expect("a door").fetch("*1.cfg".into()).await;
    (served.await.expect("a server"), fetched)
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[actix::test]
async fn a_file_is_asked_for_by_its_name_with_the_account() {
    let (asked, fetched) = exchange(answer("200 OK", "UD_Name=A\n")).await;
    assert_eq!(fetched, Fetched::Text(Secret::new("UD_Name=A\n")));
    assert!(asked.starts_with("GET /omm/%2A1.cfg HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("Basic b21tOmdlaGVpbQ=="), "{asked}");
}

#[actix::test]
async fn only_not_found_and_gone_say_that_a_file_is_not_there() {
    for status in ["404 Not Found", "410 Gone"] {
        assert_eq!(exchange(answer(status, "")).await.1, Fetched::Missing, "{status}");
    }
    for status in ["500 Oops", "503 Later", "401 Who", "403 No", "302 Found", "204 Nothing", "400 Bad"] {
        let (_, fetched) = exchange(answer(status, "UD_Name=A")).await;
        assert!(
            matches!(&fetched, Fetched::Failed(why) if why.contains(&status[..3])),
            "{status}: {fetched:?}"
        );
    }
    for broken in [
        b"".to_vec(),
        b"HTTP/1.1 404 Not Fou".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nUD_".to_vec(),
    ] {
        let (_, fetched) = exchange(broken).await;
        assert!(matches!(fetched, Fetched::Failed(_)), "{fetched:?}");
    }
    let (_, fetched) = exchange(answer("200 OK", &"x".repeat(FILE_MAX + 1))).await;
    assert!(matches!(&fetched, Fetched::Failed(why) if why.contains("more than")), "{fetched:?}");
}

#[actix::test]
async fn a_server_that_is_not_there_is_a_failure() {
    let address = "127.0.0.1:9".to_owned();
    let source = Source::Server { host: address.clone(), address, path: "/".into(), tls: None };
    let fetched = Provisioner::new(&wanted(source)).expect("a door").fetch("1.cfg".into()).await;
    assert!(matches!(fetched, Fetched::Failed(_)), "{fetched:?}");
}

#[actix::test]
async fn a_folder_says_what_is_not_in_it_and_one_that_is_not_there_says_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("1.cfg"), "UD_Name=A\n").expect("a file");
    let fetch = |folder: std::path::PathBuf, file: &str| {
        Provisioner::new(&wanted(Source::Folder(folder))).expect("a door").fetch(file.to_owned())
    };
    let here = folder.path().to_path_buf();
    assert_eq!(fetch(here.clone(), "1.cfg").await, Fetched::Text(Secret::new("UD_Name=A\n")));
    assert_eq!(fetch(here.clone(), "2.cfg").await, Fetched::Missing);
    assert!(matches!(fetch(here.clone(), "../1.cfg").await, Fetched::Failed(_)));
    assert!(matches!(fetch(here.join("share"), "1.cfg").await, Fetched::Failed(_)));
}
