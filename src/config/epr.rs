//! `[epr]`: where files of external users are (M-2.2.7.1).

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Uri;
use machine::secret::Secret;
use omm::epr::Policy;

use super::link::{self, Belief};
use super::reader::{At, Section};
use super::site::Role;

/// How often the files of all external users are read, at the authority. Ours.
const INTERVAL: Duration = Duration::from_secs(3600);
/// The shortest and the longest interval. Ours: the longest is a week.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(7 * 24 * 3600));
const EXPECTED: &str = "http://HOST[:PORT]/FOLDER, https://.. or file:///FOLDER";

/// Where external users come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epr {
    /// Where the files are.
    pub source: Source,
    /// How they are wanted.
    pub policy: Policy,
    /// The account at the server and its password (RFC 7617).
    pub account: Option<(String, Secret)>,
}

/// Where files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// At a server.
    Server {
        /// `host:port`.
        address: String,
        /// As the `Host` line says it.
        host: String,
        /// The folder, with a slash at both ends.
        path: String,
        /// Whom to believe to be the server; `None` is HTTP without TLS.
        tls: Option<Belief>,
    },
}

/// As it is written, for people: without passwords, and the same at all sites (M-2.2.7.1-a).
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Folder(folder) => write!(f, "file://{}", folder.display()),
            Source::Server { address: _, host, path, tls } => {
                write!(f, "{}://{host}{path}", if tls.is_some() { "https" } else { "http" })
            }
        }
    }
}

/// Reads `[epr]`; `Some(None)` when there is none.
pub(super) fn read(top: &Section<'_, '_>, role: Option<&At<Role>>, base: &Path) -> Option<Option<Epr>> {
    if !top.has("epr") {
        return Some(None);
    }
    let section = top.need_table("epr")?;
    let place = section.need_parsed("url", EXPECTED, place);
    let flag = |key, usual| section.flag(key).map_or(usual, |flag| flag.value);
    let enabled = flag("enabled", true);
    // AMB-18: the central, unless it is said otherwise.
    let authority = flag("authority", role.is_some_and(|role| role.value == Role::Central));
    let common = flag("common", true);
    let interval = section.duration("interval", INTERVALS.0, INTERVALS.1);
    let user = section.text("user", "the account at the server");
    let password = section.text("password", "its password");
    let secure = matches!(place.as_ref().map(|place| &place.value), Some(Place::Server { secure: true, .. }));
    let tls = link::belief(&section, base, secure);
    let account = match (user, password) {
        (Some(user), Some(password)) if user.value.contains(':') => {
            let what = "the name of an account at a web server has no colon (RFC 7617 2)";
            section.reader.fault(user.span, what, format!("{:?}", user.value), "a name without one", None);
            drop(password);
            None
        }
        (Some(user), password) => {
            Some((user.value, Secret::new(password.map_or(String::new(), |at| at.value))))
        }
        (None, Some(password)) => {
            let what = "`password` of [epr] needs `user`";
            section.reader.fault(password.span, what, "a password", "both or none", None);
            None
        }
        (None, None) => None,
    };
    section.finish();
    let source = match place?.value {
        Place::Folder(folder) => Source::Folder(folder),
        Place::Server { address, host, path, .. } => Source::Server { address, host, path, tls },
    };
    let interval = interval.map_or(INTERVAL, |interval| interval.value);
    Some(Some(Epr { source, policy: Policy { enabled, authority, common, interval }, account }))
}

enum Place {
    Folder(PathBuf),
    Server { address: String, host: String, path: String, secure: bool },
}

fn place(text: &str) -> Result<Place, String> {
    if let Some(folder) = text.strip_prefix("file://") {
        let folder = PathBuf::from(folder);
        return if folder.is_absolute() {
            Ok(Place::Folder(folder))
        } else {
            Err("the folder is not absolute".into())
        };
    }
    let uri: Uri = text.parse().map_err(|bad| format!("{bad}"))?;
    let secure = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        Some(_) | None => return Err("it is neither http nor https nor file".into()),
    };
    let Some(authority) = uri.authority().filter(|authority| !authority.as_str().contains('@')) else {
        return Err("it has no host, or a password in it: write `user` and `password`".into());
    };
    if uri.query().is_some() {
        return Err("it has a query; the name of a file is put behind the folder".into());
    }
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let path = uri.path().trim_end_matches('/');
    Ok(Place::Server {
        address: format!("{}:{port}", authority.host()),
        host: authority.as_str().to_ascii_lowercase(),
        path: format!("{path}/"),
        secure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_here_or_one_at_a_server() {
        let told = |text: &str| match place(text) {
            Ok(Place::Folder(folder)) => format!("folder {}", folder.display()),
            Ok(Place::Server { address, host, path, secure }) => format!("{address} {host} {path} {secure}"),
            Err(why) => why,
        };
        assert_eq!(told("file:///srv/omm"), "folder /srv/omm");
        assert_eq!(
            told("http://Prov.example"),
            "prov.example:80 prov.example / false".replace("prov.example:80", "Prov.example:80")
        );
        assert_eq!(
            told("https://[2001:db8::1]:8443/a/b/"),
            "[2001:db8::1]:8443 [2001:db8::1]:8443 /a/b/ true"
        );
        for bad in ["file://srv", "ftp://a/b", "prov.example", "http://u:p@a/", "http://a/b?c=d", "http:///x"]
        {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
