//! The control socket: one JSON line in, one JSON line out, on a Unix socket that only its owner may use.
//!
//! A request is `{"ask":"status"}`; an answer is the object asked for, or `{"error":"why"}`.

use std::cell::Cell;
use std::fmt;
use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// Longest request, in bytes; ours: a file with 10,000 users and their handsets takes about 5 MB.
const REQUEST_MAX: u64 = 16 * 1024 * 1024;
/// Longest answer, in bytes; ours: the claims of 10,000 users take about 5 MB.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;
/// Longest time for a question, from its first byte to the answer's last; ours.
pub const QUESTION: Duration = Duration::from_secs(5);
/// Longest time for work on the whole directory, such as a restore, which is on the disk when it is answered; ours: a
/// hundred times what 10,000 users take on a laptop.
pub const WORK: Duration = Duration::from_secs(300);
/// Askers served at a time; ours.
const ASKERS_MAX: u32 = 16;
/// Wait after an error of the listener; ours.
const BREATH: Duration = Duration::from_secs(1);

/// Why nothing could be asked.
#[derive(Debug)]
pub enum Unasked {
    /// There is no service behind the socket.
    Nobody(PathBuf, io::Error),
    /// The service did not answer in time, or not in JSON.
    Silent(String),
    /// The service refused, and says why.
    Refused(String),
}

impl fmt::Display for Unasked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unasked::Nobody(path, error) => write!(f, "no service answers on {}: {error}", path.display()),
            Unasked::Silent(why) => write!(f, "the service gives no answer: {why}"),
            Unasked::Refused(why) => write!(f, "the service refuses: {why}"),
        }
    }
}

impl std::error::Error for Unasked {}

/// The socket's file; it is removed when this is dropped.
pub struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Listens on `path` and answers every request with what `answer` makes of it.
///
/// # Errors
/// The socket cannot be made, or another service listens on it.
pub async fn listen<F, A>(path: &Path, answer: F) -> io::Result<Socket>
where
    F: Fn(Value) -> A + 'static,
    A: Future<Output = Value> + 'static,
{
    if UnixStream::connect(path).await.is_ok() {
        let why = format!("another service listens on {}", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, why));
    }
    // What a killed service left behind. Nothing but a socket is ever removed.
    if fs::symlink_metadata(path).is_ok_and(|left| left.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    let (answer, askers) = (Rc::new(answer), Rc::new(Cell::new(0)));
    tokio::task::spawn_local(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) if askers.get() < ASKERS_MAX => {
                    let (answer, askers) = (answer.clone(), askers.clone());
                    askers.set(askers.get() + 1);
                    tokio::task::spawn_local(async move {
                        let served = serve(stream, &*answer).await;
                        if served.is_err() {
                            tracing::debug!("a request on the control socket was not served");
                        }
                        askers.set(askers.get().saturating_sub(1));
                    });
                }
                // One asker too many is hung up on.
                Ok((stream, _)) => drop(stream),
                Err(error) => {
                    tracing::warn!(%error, "the control socket could not accept");
                    let _ = timeout(BREATH, std::future::pending::<()>()).await;
                }
            }
        }
    });
    Ok(Socket(path.to_path_buf()))
}

async fn serve<A: Future<Output = Value>>(
    mut stream: UnixStream,
    answer: &dyn Fn(Value) -> A,
) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut line = Vec::new();
    timeout(QUESTION, BufReader::new(read.take(REQUEST_MAX)).read_until(b'\n', &mut line)).await??;
    let late = || json!({"error": format!("not done within {}", humantime::format_duration(WORK))});
    let reply = match serde_json::from_slice(&line) {
        _ if line.len() as u64 == REQUEST_MAX && line.last() != Some(&b'\n') => {
            json!({"error": "the request is too long"})
        }
        Ok(request) => timeout(WORK, answer(request)).await.unwrap_or_else(|_| late()),
        Err(error) => json!({"error": format!("the request is no JSON: {error}")}),
    };
    timeout(QUESTION, write.write_all(format!("{reply}\n").as_bytes())).await??;
    write.shutdown().await
}

/// Asks the service behind `path`, and waits so long for the answer: [`QUESTION`] or [`WORK`].
///
/// # Errors
/// Nobody is there, nobody answers in time, or the service refuses.
pub async fn ask(path: &Path, request: &Value, patience: Duration) -> Result<Value, Unasked> {
    let stream = UnixStream::connect(path).await.map_err(|error| Unasked::Nobody(path.into(), error))?;
    let silent = |why: String| Unasked::Silent(why);
    let line =
        timeout(patience, talk(stream, request)).await.map_err(|_| silent(format!("within {patience:?}")))?;
    let line = line.map_err(|error| silent(error.to_string()))?;
    let answer: Value = serde_json::from_slice(&line).map_err(|error| silent(format!("no JSON: {error}")))?;
    match answer.get("error").and_then(Value::as_str) {
        Some(why) => Err(Unasked::Refused(why.into())),
        None => Ok(answer),
    }
}

async fn talk(mut stream: UnixStream, request: &Value) -> io::Result<Vec<u8>> {
    let (read, mut write) = stream.split();
    write.write_all(format!("{request}\n").as_bytes()).await?;
    let mut line = Vec::new();
    BufReader::new(read.take(ANSWER_MAX)).read_until(b'\n', &mut line).await?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo(request: Value) -> Value {
        match request.get("ask").and_then(Value::as_str) {
            Some("status") => json!({"site": "berlin"}),
            _ => json!({"error": "unknown request"}),
        }
    }

    #[test]
    fn a_request_is_answered_and_nonsense_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("control.sock");
        crate::local::block_on(async {
            let socket = listen(&path, echo).await.expect("a socket");
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
            let answer = ask(&path, &json!({"ask": "status"}), QUESTION).await.expect("an answer");
            assert_eq!(answer, json!({"site": "berlin"}));
            let refused = ask(&path, &json!({"ask": "tea"}), QUESTION).await.expect_err("a refusal");
            assert_eq!(refused.to_string(), "the service refuses: unknown request");
            for (sent, said) in [
                (
                    "tea\n".to_string(),
                    "{\"error\":\"the request is no JSON: expected ident at line 1 column 2\"}\n",
                ),
                ("x".repeat(REQUEST_MAX as usize), "{\"error\":\"the request is too long\"}\n"),
            ] {
                let mut raw = UnixStream::connect(&path).await.expect("a connection");
                raw.write_all(sent.as_bytes()).await.expect("sent");
                let mut reply = String::new();
                let _ = raw.read_to_string(&mut reply).await;
                assert_eq!(reply, said);
            }
            let second = listen(&path, echo).await.err().expect("it is taken");
            assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
            drop(socket);
            assert!(matches!(ask(&path, &json!({}), QUESTION).await, Err(Unasked::Nobody(..))));
        });
    }

    #[test]
    fn what_a_killed_service_left_is_replaced_but_no_other_file_is_touched() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("control.sock");
        crate::local::block_on(async {
            drop(UnixListener::bind(&path).expect("a socket"));
            let socket = listen(&path, echo).await.expect("a socket");
            drop(socket);
            fs::write(&path, "precious").expect("a file");
            assert!(listen(&path, echo).await.is_err());
            assert_eq!(fs::read_to_string(&path).expect("the file"), "precious");
        });
    }
}
