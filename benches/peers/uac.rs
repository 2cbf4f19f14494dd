//! Kamailio's module `uac`: the peer that does the same job.

use std::fmt::Write as _;
use std::net::SocketAddr;

use tempfile::TempDir;

use crate::address;
use crate::crowd::FIRST;
use crate::pbx::{DOMAIN, kamailio};
use crate::process::Process;

/// A Kamailio that registers users elsewhere.
pub(crate) struct Uac {
    pub(crate) process: Process,
    _home: TempDir,
}

/// What `uac` reads at its start: one row for each registration.
pub(crate) struct Table(TempDir);

impl Table {
    /// The rows of `users` users who register at `pbx`.
    pub(crate) fn of(users: u64, pbx: SocketAddr) -> (Table, SocketAddr) {
        let (home, at) = (TempDir::with_prefix("uac-").expect("a temporary directory"), address::sip());
        let mut rows = String::from(
            "id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string) \
             r_domain(string) realm(string) auth_username(string) auth_password(string) auth_ha1(string,null) \
             auth_proxy(string) expires(int) flags(int) reg_delay(int) contact_addr(string) socket(string)\n",
        );
        // A colon parts the fields.
        let (proxy, own) = (format!("sip:{pbx}").replace(':', "\\:"), at.to_string().replace(':', "\\:"));
        for user in FIRST..FIRST + users {
            let _ = writeln!(
                rows,
                "{user}:u{user}:{user}:uac.test:{user}:{DOMAIN}:{DOMAIN}:{user}:secret-{user}::{proxy}:3600:0:0:{own}:udp\\:{own}"
            );
        }
        std::fs::write(home.path().join("uacreg"), rows).expect("the rows");
        std::fs::write(
            home.path().join("version"),
            "table_name(string) table_version(int)\nuacreg:5\nversion:1\n",
        )
        .expect("the version");
        (Table(home), at)
    }

    /// Starts it; it begins by itself.
    pub(crate) fn start(&self, at: SocketAddr) -> Uac {
        let home = TempDir::with_prefix("uac-").expect("a temporary directory");
        let defines = [format!("DB=\"text://{}\"", self.0.path().display()), format!("CONTACT=\"{at}\"")];
        let process = kamailio(at, include_str!("uac.cfg"), &home, &defines);
        Uac { process, _home: home }
    }
}
