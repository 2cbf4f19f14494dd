//! A phone played by baresip: it registers by itself, keeps its registration fresh, and leaves when asked to quit.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::kamailio::DOMAIN;
use crate::{address, presence, process::Process};

/// A running baresip with one account; it is killed when dropped.
pub(crate) struct Baresip {
    process: Process,
    _home: TempDir,
}

impl Baresip {
    /// Starts one that registers `user` at `server`. No sound, no window, no keyboard.
    pub(crate) fn start(user: &str, password: &str, server: SocketAddr) -> Baresip {
        Baresip::start_over("udp", user, password, server)
    }

    /// [`Baresip::start`] over `udp`, `tcp` or `tls`. It believes any certificate.
    pub(crate) fn start_over(transport: &str, user: &str, password: &str, server: SocketAddr) -> Baresip {
        let home = TempDir::with_prefix("baresip-").unwrap_or_else(|e| panic!("a temporary directory: {e}"));
        let own = address::sip();
        let config = format!(
            "sip_listen {own}\nnet_interface {}\nmodule_path {MODULES}\nmodule g711.so\nmodule_tmp account.so\n\
             module_app menu.so\n",
            own.ip()
        );
        let account = format!(
            "<sip:{user}@{DOMAIN}>;outbound=\"sip:{server};transport={transport}\";auth_user={user};auth_pass={password};regint=60\n"
        );
        for (name, text) in [("config", &config), ("accounts", &account), ("contacts", &String::new())] {
            fs::write(home.path().join(name), text).unwrap_or_else(|e| panic!("baresip's {name}: {e}"));
        }
        let mut command = Command::new(presence::find("baresip").unwrap_or_else(|| "baresip".into()));
        command.args(["-4", "-f"]).arg(home.path());
        let process = Process::start(&mut command, &home.path().join("log"));
        Baresip { process, _home: home }
    }

    /// Ends it as its user would: it removes its registration first.
    pub(crate) fn quit(mut self) {
        self.process.quit(Duration::from_secs(5));
    }
}

/// Where Debian has baresip's modules.
const MODULES: &str = "/usr/lib/baresip/modules";
