//! Edits of the directory: what an administrator at a site types.

use std::time::Duration;

use omm::directory::profile::PROFILES_MAX;
use omm::ids::Number;

use super::Name;
use super::cursor::{Cursor, Read};
use super::names::{Names, Sort};

/// One order of an administrator. In a script users and handsets have their names; in a plan users have their numbers
/// and handsets their IPEIs ([`Order::resolved`]).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the line above each member says what its parts are")]
pub enum Order {
    /// `create user U [with phone] [FIELD VALUE ..]`; `phone`: its handset is created too, and the user is with it.
    CreateUser { user: Name, phone: Option<Name>, fields: Vec<Field> },
    /// `edit user U FIELD VALUE ..`
    SetUser { user: Name, fields: Vec<Field> },
    /// `delete user U`
    DeleteUser { user: Name },
    /// `create device D`
    CreateDevice { device: Name },
    /// `edit device D encrypt on|off`
    SetDevice { device: Name, encrypt: bool },
    /// `delete device D`
    DeleteDevice { device: Name },
    /// `create|edit profile N [name "TEXT"] [data "TEXT"]`
    SetProfile { id: u8, name: Option<String>, data: Option<String> },
    /// `delete profile N`
    DeleteProfile { id: u8 },
    /// `bind user U to D [fixed]`
    Bind { user: Name, device: Name, fixed: bool },
    /// `unbind user U`
    Unbind { user: Name },
}

/// One field of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `name "TEXT"`
    Name(String),
    /// `number N`
    Number(Number),
    /// `vip on|off`
    Vip(bool),
    /// `expires D`
    Expires(Duration),
    /// `id N`
    Id(Number),
}

/// The most users that one `create users` makes: what the largest platform holds (M-2.2.1).
const CREATED_MAX: u32 = 10_000;

const USER: &[Sort] = &[Sort::User];
const PHONE: &[Sort] = &[Sort::User, Sort::Device];
const THINGS: &[(&str, Thing)] =
    &[("user", Thing::User), ("device", Thing::Device), ("profile", Thing::Profile)];

/// What can be edited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thing {
    User,
    Device,
    Profile,
}

/// The number of a profile of handset settings.
pub(super) fn profile(line: &mut Cursor<'_>) -> Read<u8> {
    let id = line.number("the number of the profile")?;
    let known = u8::try_from(id).ok().filter(|id| (1..=PROFILES_MAX).contains(id));
    known.ok_or_else(|| line.complain_back("there is no such profile", format!("1 to {PROFILES_MAX}")))
}

fn set_profile(line: &mut Cursor<'_>) -> Read<Order> {
    let (id, mut name, mut data) = (profile(line)?, None, None);
    while !line.is_done() && line.peek_word() != "at" {
        match line.choose("a part of the profile", &[("name", 0), ("data", 1)])? {
            0 => name = Some(line.quoted("the name in quotes")?.to_string()),
            _ => data = Some(line.quoted("the lines in quotes")?.to_string()),
        }
    }
    Ok(Order::SetProfile { id, name, data })
}

/// Reads what stands behind `create`, but for `users N to M`: see [`crowd`].
pub(super) fn create(line: &mut Cursor<'_>, names: &Names) -> Read<Order> {
    match line.choose("what is created", THINGS)? {
        Thing::User => {}
        Thing::Device => return Ok(Order::CreateDevice { device: line.name(names, PHONE)? }),
        Thing::Profile => return set_profile(line),
    }
    let user = line.name(names, USER)?;
    let phone = if line.take("with") {
        line.require("phone")?;
        Some(user.clone())
    } else {
        None
    };
    Ok(Order::CreateUser { user, phone, fields: fields(line)? })
}

/// Reads `FIRST to LAST`, two users of the crowd.
pub(super) fn crowd(line: &mut Cursor<'_>, names: &Names) -> Read<Vec<Name>> {
    let first = bound(line, names)?;
    line.require("to")?;
    let last = bound(line, names)?;
    if first > last || last - first >= CREATED_MAX {
        let expected = format!("a number from {first} on, for at most {CREATED_MAX} users");
        return Err(line.complain_back("these are no users to create", expected));
    }
    Ok((first..=last).map(|number| Name::from(number.to_string())).collect())
}

fn bound(line: &mut Cursor<'_>, names: &Names) -> Read<u32> {
    let name = line.name(names, USER)?;
    name.parse().map_err(|_| line.complain_back("this is nobody of the crowd", "a number such as `10001`"))
}

/// Reads what stands behind `edit`.
pub(super) fn edit(line: &mut Cursor<'_>, names: &Names) -> Read<Order> {
    let thing = line.choose("what is edited", THINGS)?;
    if thing == Thing::Profile {
        return set_profile(line);
    }
    if thing == Thing::User {
        let (user, fields) = (whoever(line, names)?, fields(line)?);
        if fields.is_empty() {
            return Err(line.complain("nothing is edited", "a field: name, number, vip, expires, id"));
        }
        return Ok(Order::SetUser { user, fields });
    }
    let device = line.name(names, PHONE)?;
    line.require("encrypt")?;
    Ok(Order::SetDevice { device, encrypt: switch(line)? })
}

/// Reads what stands behind `delete`.
pub(super) fn delete(line: &mut Cursor<'_>, names: &Names) -> Read<Order> {
    Ok(match line.choose("what is deleted", THINGS)? {
        Thing::User => Order::DeleteUser { user: whoever(line, names)? },
        Thing::Device => Order::DeleteDevice { device: line.name(names, PHONE)? },
        Thing::Profile => Order::DeleteProfile { id: profile(line)? },
    })
}

/// Reads what stands behind `bind`.
pub(super) fn bind(line: &mut Cursor<'_>, names: &Names) -> Read<Order> {
    line.require("user")?;
    let user = whoever(line, names)?;
    line.require("to")?;
    Ok(Order::Bind { user, device: line.name(names, PHONE)?, fixed: line.take("fixed") })
}

/// Reads what stands behind `unbind`.
pub(super) fn unbind(line: &mut Cursor<'_>, names: &Names) -> Read<Order> {
    line.require("user")?;
    Ok(Order::Unbind { user: whoever(line, names)? })
}

/// Takes a declared user, or any number: whoever has it then.
pub(super) fn whoever(line: &mut Cursor<'_>, names: &Names) -> Read<Name> {
    let word = line.peek_word();
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit()) && Number::new(word).is_ok();
    if is_number {
        line.skip();
        return Ok(Name::from(word));
    }
    line.name(names, USER)
}

fn fields(line: &mut Cursor<'_>) -> Read<Vec<Field>> {
    let mut fields = Vec::new();
    while !line.is_done() && line.peek_word() != "at" {
        let known = [("name", 0), ("number", 1), ("vip", 2), ("expires", 3), ("id", 4)];
        fields.push(match line.choose("a field of the user", &known)? {
            0 => Field::Name(line.quoted("the name in quotes")?.to_string()),
            1 => Field::Number(number(line)?),
            2 => Field::Vip(switch(line)?),
            3 => Field::Expires(line.duration()?),
            _ => Field::Id(number(line)?),
        });
    }
    Ok(fields)
}

fn number(line: &mut Cursor<'_>) -> Read<Number> {
    let number = Number::new(line.word("a telephone number")?);
    number.map_err(|_| line.complain_back("this is no telephone number", "1 to 31 digits"))
}

fn switch(line: &mut Cursor<'_>) -> Read<bool> {
    line.choose("a switch", &[("on", true), ("off", false)])
}

impl Order {
    /// The order with numbers in the place of users and IPEIs in the place of handsets.
    ///
    /// # Errors
    /// The handset that is not there.
    pub fn resolved(
        &self,
        number: impl Fn(&Name) -> Name,
        ipei: impl Fn(&Name) -> Option<Name>,
    ) -> Result<Order, Name> {
        let ipei = |name: &Name| ipei(name).ok_or_else(|| name.clone());
        Ok(match self {
            Order::CreateUser { user, phone, fields } => Order::CreateUser {
                user: number(user),
                phone: phone.as_ref().map(ipei).transpose()?,
                fields: fields.clone(),
            },
            Order::SetUser { user, fields } => Order::SetUser { user: number(user), fields: fields.clone() },
            Order::DeleteUser { user } => Order::DeleteUser { user: number(user) },
            Order::CreateDevice { device } => Order::CreateDevice { device: ipei(device)? },
            Order::SetDevice { device, encrypt } => {
                Order::SetDevice { device: ipei(device)?, encrypt: *encrypt }
            }
            Order::DeleteDevice { device } => Order::DeleteDevice { device: ipei(device)? },
            Order::SetProfile { .. } | Order::DeleteProfile { .. } => self.clone(),
            Order::Bind { user, device, fixed } => {
                Order::Bind { user: number(user), device: ipei(device)?, fixed: *fixed }
            }
            Order::Unbind { user } => Order::Unbind { user: number(user) },
        })
    }
}
