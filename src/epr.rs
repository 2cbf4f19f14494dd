//! The provisioning server of external users: reads its files over HTTP, HTTPS or from a folder (M-2.2.7.1).
//!
//! One request a connection, so that nothing is kept open for a server that is asked once an hour. Only a server that says
//! 404 or 410 itself says that a file is not there; whatever else happens is a failure, a redirection too: whoever
//! leads astray must not decide who is a user.

use std::fmt::Display;
use std::fs::File;
use std::future::poll_fn;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use ::actors::doors::{Fetch, Fetched};
use actix::{Actor, Context, Handler, ResponseFuture};
use axi::provision::external::FILE_MAX;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use machine::secret::Secret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::config::epr::{Epr, Source};
use crate::peer::tls::Greeter;
use crate::peer::{Stream, connect};
use crate::service::birth::AGENT;
use crate::sockets::tls::Unfit;

/// The longest that one file may take. Ours: less than its reader waits for (`omm::epr::SILENCE`).
const PATIENCE: Duration = Duration::from_secs(20);

/// The door to the provisioning server.
#[derive(Clone)]
pub struct Provisioner {
    source: Source,
    /// The `Authorization` line.
    account: Option<Secret>,
    greeter: Option<Greeter>,
}

impl Provisioner {
    /// A door to where the configuration says.
    ///
    /// # Errors
    /// The file with the authorities cannot be used.
    pub fn new(epr: &Epr) -> Result<Provisioner, Unfit> {
        let belief = match &epr.source {
            Source::Folder(_) => None,
            Source::Server { tls, .. } => tls.as_ref(),
        };
        let account = epr.account.as_ref().map(|(user, password)| {
            Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.reveal()))))
        });
        let greeter = belief.map(Greeter::new).transpose()?;
        Ok(Provisioner { source: epr.source.clone(), account, greeter })
    }

    /// What became of reading a file.
    pub async fn fetch(self, file: String) -> Fetched {
        match &self.source {
            Source::Folder(folder) => {
                let folder = folder.clone();
                let read = spawn_blocking(move || from_folder(&folder, &file)).await;
                read.unwrap_or_else(|_| Fetched::Failed("the reading was given up".into()))
            }
            Source::Server { address, host, path, .. } => {
                let target = format!("{path}{}", escaped(&file));
                match timeout(PATIENCE, self.ask(address, host, &target)).await {
                    Ok(Ok(fetched)) => fetched,
                    Ok(Err(why)) => Fetched::Failed(why),
                    Err(_) => Fetched::Failed(format!("{host} did not answer within {PATIENCE:?}")),
                }
            }
        }
    }

    async fn ask(&self, address: &str, host: &str, target: &str) -> Result<Fetched, String> {
        let stream = connect(address, self.greeter.clone()).await.map_err(|why| format!("{host}: {why}"))?;
        match stream {
            Stream::Plain(stream) => self.speak(stream, host, target).await,
            Stream::Secret(stream) => self.speak(stream, host, target).await,
        }
    }

    async fn speak<S>(&self, stream: S, host: &str, target: &str) -> Result<Fetched, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let told = |why: &dyn Display| format!("{host}: {why}");
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|why| told(&why))?;
        // It ends when the answer is read, or with this request when that is given up.
        let connection = actix::spawn(connection);
        let mut request =
            Request::get(target).header(HOST, host).header(USER_AGENT, AGENT).header(CONNECTION, "close");
        if let Some(account) = &self.account {
            request = request.header(AUTHORIZATION, account.reveal());
        }
        let request = request.body(String::new()).map_err(|why| told(&why))?;
        let answer = sender.send_request(request).await.map_err(|why| told(&why));
        let fetched = match answer {
            Ok(answer) => heard(answer, host).await,
            Err(why) => Err(why),
        };
        connection.abort();
        fetched
    }
}

async fn heard(answer: Response<Incoming>, host: &str) -> Result<Fetched, String> {
    match answer.status() {
        StatusCode::OK => Ok(text(whole(answer.into_body()).await.map_err(|why| format!("{host}: {why}"))?)),
        StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Fetched::Missing),
        status if status.is_redirection() => {
            Err(format!("{host} answered {status}; write in [epr] url where the files are now"))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(format!("{host} answered {}; look at `user` and `password` of [epr]", answer.status()))
        }
        status => Err(format!("{host} answered {status}")),
    }
}

/// All bytes of an answer, as many as a file may have.
async fn whole(mut body: Incoming) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.map_err(|why| why.to_string())?.into_data() else { continue };
        if bytes.len() + data.len() > FILE_MAX {
            return Err(format!("the file has more than {FILE_MAX} bytes"));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Fetched {
    match String::from_utf8(bytes) {
        Ok(text) => Fetched::Text(Secret::new(text)),
        Err(_) => Fetched::Failed("the file is no UTF-8".into()),
    }
}

/// A folder that is not there, say because a share is not mounted, says nothing about its files.
fn from_folder(folder: &Path, file: &str) -> Fetched {
    let told = |why: &dyn Display| Fetched::Failed(format!("{}: {why}", folder.display()));
    match folder.metadata() {
        Ok(about) if !about.is_dir() => return told(&"this is no folder"),
        Err(why) => return told(&why),
        Ok(_) => {}
    }
    // No number has a slash in it, or it would name another folder.
    if file.contains('/') {
        return told(&"a file outside of it is not read");
    }
    let mut bytes = Vec::new();
    match File::open(folder.join(file))
        .and_then(|file| file.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes))
    {
        Ok(_) if bytes.len() > FILE_MAX => told(&format!("{file} has more than {FILE_MAX} bytes")),
        Ok(_) => text(bytes),
        Err(why) if why.kind() == ErrorKind::NotFound => Fetched::Missing,
        Err(why) => told(&why),
    }
}

/// As a path has it (RFC 3986 2.1, 2.3).
fn escaped(file: &str) -> String {
    let mut path = String::new();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(char::from(byte))
            }
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

impl Actor for Provisioner {
    type Context = Context<Self>;
}

impl Handler<Fetch> for Provisioner {
    type Result = ResponseFuture<Fetched>;

    fn handle(&mut self, Fetch { file }: Fetch, _: &mut Context<Self>) -> Self::Result {
        Box::pin(self.clone().fetch(file))
    }
}

#[cfg(test)]
mod tests;
