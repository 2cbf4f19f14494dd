//! Under which name a user logs in at a phone: the number or, where a site wants that, the additional id (axi 4.4
//! `PPLoginVariant`, M-2.2.3-b).
//!
//! By id, whoever has an id that nobody else has logs in by it alone. Everybody else goes on by the number, unless that is
//! the id of somebody. An id that two users have is nobody's: one of them would be let in as the other. Ours: the vendor
//! does not say what becomes of users without an id.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::directory::Directory;
use crate::directory::user::User;
use crate::ids::Number;

/// What a login names (axi 4.4 `login`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// The number.
    #[default]
    Number,
    /// The additional id.
    Id,
}

impl Variant {
    /// As AXI spells it.
    pub fn word(self) -> &'static str {
        match self {
            Variant::Number => "NUMBER",
            Variant::Id => "ID",
        }
    }
}

impl User {
    /// The additional id, if it can stand in an address; any other text is for people only.
    pub fn id_for_login(&self) -> Option<Number> {
        self.admin.add_id.as_deref().and_then(|id| Number::new(id).ok())
    }
}

impl Directory {
    /// Who logs in under this name.
    pub fn called(&self, name: &Number, by: Variant) -> Option<&Arc<User>> {
        match by {
            Variant::Number => self.user(name),
            Variant::Id => match self.shown.ids.get(name) {
                Some(all) if all.len() > 1 => None,
                Some(all) => all.first().and_then(|uid| self.user_at(*uid)),
                None => self.user(name).filter(|user| self.own_id(user).is_none()),
            },
        }
    }

    /// Under which name this user logs in; `None` when under none.
    pub fn login_name(&self, user: &User, by: Variant) -> Option<Number> {
        let id = match by {
            Variant::Number => None,
            Variant::Id => self.own_id(user),
        };
        let name = id.unwrap_or_else(|| user.number.clone());
        self.called(&name, by).is_some_and(|called| called.uid == user.uid).then_some(name)
    }

    /// Every name that may be somebody else's, or nobody's, since this user has changed.
    pub fn names_touched<'u>(
        &self,
        versions: impl IntoIterator<Item = &'u Arc<User>>,
        by: Variant,
    ) -> BTreeSet<Number> {
        let mut names = BTreeSet::new();
        for user in versions {
            names.insert(user.number.clone());
            let Some(id) = user.id_for_login().filter(|_| by == Variant::Id) else { continue };
            // Whoever shares the id, or does so no more, falls back to the number or leaves it.
            let others = self.shown.ids.get(&id).into_iter().flatten().filter_map(|uid| self.user_at(*uid));
            names.extend(others.map(|other| other.number.clone()));
            names.insert(id);
        }
        names
    }

    /// The id that this user has and nobody else.
    fn own_id(&self, user: &User) -> Option<Number> {
        let id = user.id_for_login()?;
        let alone = self.shown.ids.get(&id).is_some_and(|all| all.len() == 1 && all.contains(&user.uid));
        alone.then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use machine::secret::Secret;

    use super::*;
    use crate::directory::edit::{Edit, NewUser, UserChange};
    use crate::platform::Platform;
    use crate::stamp::{OmmId, Stamp};

    struct Desk(Directory, u64);

    fn number(text: &str) -> Number {
        Number::new(text).expect("a number")
    }

    impl Desk {
        /// Users with these numbers and ids.
        fn with(users: &[(&str, &str)]) -> Desk {
            let mut desk = Desk(Directory::new(Platform::Pc), 0);
            for (user, id) in users {
                let mut new = NewUser::new(number(user), Secret::new("x"));
                new.fields.add_id = Some((*id).to_owned()).filter(|id| !id.is_empty());
                desk.edit(Edit::CreateUser(Box::new(new)));
            }
            desk
        }

        fn edit(&mut self, edit: Edit) {
            self.1 += 1;
            let stamp = Stamp { ms: self.1, ctr: 0, omm: OmmId::new(1) };
            self.0.edit(stamp, edit).expect("an edit");
        }

        /// Gives a user another id, or takes it; the names that are somebody's else's since, and whose.
        fn set(&mut self, user: &str, id: &str) -> Vec<String> {
            let before = self.0.user(&number(user)).cloned().expect("a user");
            let change = UserChange { add_id: Some(id.to_owned()), ..UserChange::default() };
            self.edit(Edit::SetUser { uid: before.uid, change: Box::new(change) });
            let now = self.0.user(&number(user)).cloned();
            let names = self.0.names_touched([&before].into_iter().chain(&now), Variant::Id);
            names.iter().map(|name| format!("{name}: {}", self.who(name.as_str()))).collect()
        }

        fn who(&self, name: &str) -> &str {
            self.0.called(&number(name), Variant::Id).map_or("-", |user| user.number.as_str())
        }
    }

    #[test]
    fn by_number_the_id_says_nothing() {
        let desk = Desk::with(&[("101", "7701"), ("102", "101")]);
        let by = Variant::Number;
        assert_eq!(desk.0.called(&number("101"), by).map(|user| user.number.as_str()), Some("101"));
        assert!(desk.0.called(&number("7701"), by).is_none());
        let anna = desk.0.user(&number("101")).expect("anna");
        assert_eq!(desk.0.login_name(anna, by), Some(number("101")));
        assert_eq!(desk.0.names_touched([anna], by), [number("101")].into());
    }

    #[test]
    fn by_id_who_has_one_is_called_so_and_the_others_by_number() {
        let desk = Desk::with(&[("101", "7701"), ("102", ""), ("103", "head nurse")]);
        assert_eq!(["7701", "101", "102", "103"].map(|name| desk.who(name)), ["101", "-", "102", "103"]);
        for (user, name) in [("101", "7701"), ("102", "102"), ("103", "103")] {
            let user = desk.0.user(&number(user)).expect("a user");
            assert_eq!(desk.0.login_name(user, Variant::Id), Some(number(name)));
        }
    }

    #[test]
    fn an_id_that_is_somebody_s_number_is_the_id_and_one_of_two_users_is_nobody_s() {
        let desk = Desk::with(&[("101", "102"), ("102", ""), ("103", "77"), ("104", "77")]);
        assert_eq!(["102", "101"].map(|name| desk.who(name)), ["101", "-"]);
        let nameless = desk.0.user(&number("102")).expect("a user");
        assert_eq!(desk.0.login_name(nameless, Variant::Id), None);
        assert_eq!(["77", "103", "104"].map(|name| desk.who(name)), ["-", "103", "104"]);
    }

    #[test]
    fn a_changed_id_touches_the_names_of_all_who_had_or_have_it() {
        let mut desk = Desk::with(&[("101", "77"), ("102", "")]);
        assert_eq!(desk.set("102", "77"), ["101: 101", "102: 102", "77: -"]);
        assert_eq!(desk.set("102", "78"), ["101: -", "102: -", "77: 101", "78: 102"]);
        assert_eq!(desk.set("101", ""), ["101: 101", "77: -"]);
    }
}
