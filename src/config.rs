//! The configuration of a site: TOML in, a validated [`site::Site`] out, or every fault at once.
//!
//! - [`fault`]: how a fault is told: file, line, column, the line, what was read and what was expected.
//! - [`reader`]: reads tables key by key, so that an unknown key is a fault.
//! - [`site`], [`link`], [`epr`], [`users`], [`timers`], [`server`]: what there is to configure, with its limits and their sources.

use std::fs;
use std::path::Path;

use fault::Fault;
use reader::{At, Reader, Section};
use site::{Role, Site};
use users::User;

pub mod accounts;
pub mod epr;
pub mod fault;
pub mod link;
mod reader;
pub mod server;
mod shaping;
mod sip;
pub mod site;
pub mod tier;
pub mod timers;
pub mod users;

#[cfg(test)]
mod tests;

/// Largest file that is read, in bytes; ours: 10,000 users take about 2 MB.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// Reads the site's file, and the users' file when it names one.
///
/// # Errors
/// Every fault that was found, in the order of the lines, those of the site's file first.
pub fn load(path: &Path) -> Result<Site, Vec<Fault>> {
    let text = slurp(path).map_err(|fault| vec![*fault])?;
    let base = path.parent().unwrap_or(Path::new(""));
    let (site, users_file, mut faults) = read_site(&path.display().to_string(), &text, base);
    let mut shared = None;
    if let Some(users_file) = users_file {
        let users_path = base.join(&users_file.value);
        match slurp(&users_path) {
            Ok(text) => {
                let (users, more) = read_users(&users_path.display().to_string(), &text, site.as_ref());
                faults.extend(more);
                shared = Some(users);
            }
            Err(fault) => faults.push(*fault),
        }
    }
    match site {
        Some(mut site) if faults.is_empty() => {
            if let Some(users) = shared {
                site.users = users;
            }
            Ok(site)
        }
        _ => Err(faults),
    }
}

/// Reads a users' file that belongs to no site.
///
/// # Errors
/// Every fault that was found, in the order of the lines.
pub fn load_users(path: &Path) -> Result<Vec<User>, Vec<Fault>> {
    let text = slurp(path).map_err(|fault| vec![*fault])?;
    let (users, faults) = read_users(&path.display().to_string(), &text, None);
    if faults.is_empty() { Ok(users) } else { Err(faults) }
}

fn slurp(path: &Path) -> Result<String, Box<Fault>> {
    let fault = |what: String, hint: Option<&str>| {
        Box::new(Fault {
            file: path.display().to_string(),
            place: None,
            what,
            read: String::new(),
            expected: "a TOML file that can be read".into(),
            hint: hint.map(String::from),
        })
    };
    let unreadable = |error: std::io::Error| {
        let hint = (error.kind() == std::io::ErrorKind::NotFound)
            .then_some("examples/site.toml is one to start from");
        fault(format!("cannot be read: {error}"), hint)
    };
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_MAX {
        return Err(fault(format!("is larger than {FILE_MAX} bytes"), None));
    }
    fs::read_to_string(path).map_err(unreadable)
}

/// The site (when complete), the users' file it names, and what is wrong.
fn read_site(file: &str, text: &str, base: &Path) -> (Option<Site>, Option<At<String>>, Vec<Fault>) {
    let reader = Reader::new(file, text);
    let (mut site, mut users_file) = (None, None);
    if let Some(table) = reader.parse() {
        let top = reader.section("the site's file", table.get_ref(), 0..0);
        site = site::read(&top, base);
        users_file = top.text("users", "the file with the users");
        if let (Some(file), true) = (&users_file, top.has("user")) {
            let what = "users are either in a file of their own or in [[user]] tables, not both";
            reader.fault(file.span.clone(), what, format!("{:?}", file.value), "one of the two", None);
        }
        let users = users_of(&top, site.as_ref());
        top.finish();
        if let Some(site) = &mut site {
            site.users = users;
        }
    }
    (site, users_file, reader.into_faults())
}

fn read_users(file: &str, text: &str, site: Option<&Site>) -> (Vec<User>, Vec<Fault>) {
    let reader = Reader::new(file, text);
    let mut users = Vec::new();
    if let Some(table) = reader.parse() {
        let top = reader.section("the users' file", table.get_ref(), 0..0);
        users = users_of(&top, site);
        top.finish();
    }
    (users, reader.into_faults())
}

fn users_of(section: &Section<'_, '_>, site: Option<&Site>) -> Vec<User> {
    let central = site.filter(|site| site.role == Role::Central).map(|site| site.park);
    users::read(section, site.map(|site| site.platform), central)
}
