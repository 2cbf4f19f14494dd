//! A peer's process: its output goes to a file, and it dies with its owner.
//!
//! When a test fails, every process tells the end of what it printed.

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::poll;

/// How long a process may take to end when asked.
const RETIRE: Duration = Duration::from_secs(3);
/// How many lines of a log a failed test tells.
const TOLD: usize = 60;

/// A running program and whatever it forked: they share a process group, and signals go to all of them.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; both of its outputs are appended to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Process {
        let open = || OpenOptions::new().create(true).append(true).open(log);
        let (out, err): (File, File) =
            open().and_then(|out| Ok((out, open()?))).unwrap_or_else(|e| panic!("{}: {e}", log.display()));
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
        let child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Process { child, log: log.to_owned() }
    }

    /// The number of its first process and of the group.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in the middle of whatever it does, as a hung machine would.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Ends [`Process::freeze`].
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    /// Asks it to end as an administrator would (SIGTERM), and waits for that.
    pub(crate) fn quit(&mut self, within: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.end(within)
    }

    /// Asks the first of its processes to end, and gives it a moment to collect those it forked; [`Drop`] does the rest.
    pub(crate) fn retire(&mut self) {
        self.thaw();
        if let Some(first) = self.pid() {
            let _ = kill_process(first, Signal::TERM);
        }
        poll::patiently(RETIRE, || !self.lives());
    }

    /// Waits until it ends by itself.
    pub(crate) fn end(&mut self, within: Duration) -> ExitStatus {
        let ended =
            poll::until(within, "the process ends", || self.child.try_wait().ok().flatten(), Option::is_some);
        ended.unwrap_or_default()
    }

    /// Whether it has not ended yet.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.pid() {
            // An error only says that all of them are gone already.
            let _ = kill_process_group(group, signal);
        }
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = fs::read(&self.log).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            let end = lines.len().saturating_sub(TOLD);
            eprintln!("--- {}\n{}", self.log.display(), lines[end..].join("\n"));
        }
    }
}
