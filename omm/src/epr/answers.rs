//! What becomes of an answer: of the provisioning server about a file, of the directory about an edit.

use std::sync::Arc;

use machine::time::Moment;

use super::{Base, Effect, Epr, Fate, File, Outcome, SECOND_READ, Stage, Suspect, tell};
use crate::directory::edit::{Edit, NewUser, UserChange};
use crate::directory::login::Variant;
use crate::directory::refusal::Refusal;
use crate::ids::Number;

impl Epr {
    pub(super) fn common(&mut self, outcome: Outcome, out: &mut Vec<Effect>) {
        if !matches!(self.base, Base::Reading(_)) {
            return;
        }
        let why: Arc<str> = match outcome {
            Outcome::Found(base) => return self.base = Base::Read(base),
            Outcome::Missing => "the server has no such file, so nothing that it says is believed".into(),
            Outcome::Failed(why) => why,
        };
        self.base = Base::Unread;
        self.wishes.clear();
        self.waiting.clear();
        for name in self.strangers.names() {
            self.meet(&name, false, out);
        }
        tell(File::Common, Fate::Failed(why), out);
    }

    pub(super) fn read(&mut self, now: Moment, number: Number, outcome: Outcome, out: &mut Vec<Effect>) {
        // An answer that comes too late is none.
        if !matches!(self.busy.get(&number), Some(Stage::Reading(_))) {
            return;
        }
        self.busy.remove(&number);
        let file = File::Of(number.clone());
        match outcome {
            Outcome::Found(fields) => {
                self.suspects.remove(&number);
                match self.adopt(&number, *fields) {
                    Ok((edit, fate)) => self.write(number, edit, fate, out),
                    Err(why) => {
                        self.meet(&number, true, out);
                        tell(file, Fate::Failed(why.into()), out);
                    }
                }
            }
            Outcome::Missing if self.external(&number).is_none() => {
                self.suspects.remove(&number);
                self.is_missing(now, &number);
                self.meet(&number, true, out);
                tell(file, Fate::Failed("the server has no such file".into()), out);
            }
            Outcome::Missing => {
                self.meet(&number, true, out);
                let since = self.suspects.get(&number).map_or(now, |suspect| suspect.since);
                if self.policy.authority || now.since(since) >= SECOND_READ {
                    self.suspects.remove(&number);
                    self.delete(number, out);
                } else {
                    self.suspects.insert(number, Suspect { since, again: since + SECOND_READ });
                    tell(file, Fate::Suspected, out);
                }
            }
            Outcome::Failed(why) => {
                // It has neither said "no" again nor taken it back.
                if let Some(suspect) = self.suspects.get_mut(&number) {
                    suspect.again = now + SECOND_READ;
                }
                self.meet(&number, false, out);
                tell(file, Fate::Failed(why), out);
            }
        }
    }

    /// What a file makes of the user who logs in under its name; or why nothing.
    fn adopt(&self, name: &Number, fields: UserChange) -> Result<(Edit, Fate), &'static str> {
        let fields = match &self.base {
            Base::Read(base) => fields.over(base),
            Base::Unread | Base::Reading(_) => fields,
        };
        let fields = UserChange { external: Some(true), ..self.named(name, fields)? };
        let directory = self.directory.borrow();
        let by_number = || fields.number.as_ref().and_then(|number| directory.user(number));
        match directory.called(name, self.login).or_else(by_number) {
            Some(user) if !user.admin.external => Err(
                "this user was made by an administrator, and the server cannot take it over; delete it first",
            ),
            Some(user) => Ok((Edit::SetUser { uid: user.uid, change: Box::new(fields) }, Fate::Changed)),
            // Ours: anybody could register as a user without a password.
            None if fields.password.as_ref().is_none_or(|password| password.reveal().is_empty()) => {
                Err("it has no SIP password, and nobody is made without one; write UD_SipPassword")
            }
            None if fields.number.is_none() => Err("it does not say whose it is; write UD_Number"),
            None => {
                let new = NewUser { uid: None, relation: None, fields };
                Ok((Edit::CreateUser(Box::new(new)), Fate::Created))
            }
        }
    }

    /// The fields, with number and id as the file's name wants them.
    fn named(&self, name: &Number, fields: UserChange) -> Result<UserChange, &'static str> {
        match self.login {
            Variant::Number if fields.number.as_ref().is_some_and(|named| named != name) => {
                Err("it names another number than its own; call the file by the number that is in it")
            }
            Variant::Number => Ok(UserChange { number: Some(name.clone()), ..fields }),
            Variant::Id => {
                // One without an id of its own is called by its number.
                let is_number = fields.number.as_ref() == Some(name);
                let add_id = if is_number { fields.add_id } else { Some(name.as_str().to_owned()) };
                Ok(UserChange { add_id, ..fields })
            }
        }
    }

    pub(super) fn delete(&mut self, number: Number, out: &mut Vec<Effect>) {
        if let Some(user) = self.external(&number) {
            self.write(number, Edit::DeleteUser(user.uid), Fate::Deleted, out);
        }
    }

    fn write(&mut self, user: Number, edit: Edit, fate: Fate, out: &mut Vec<Effect>) {
        self.busy.insert(user.clone(), Stage::Writing(fate));
        out.push(Effect::Write { user, edit: Box::new(edit) });
    }

    pub(super) fn written(
        &mut self,
        user: Number,
        result: Option<Result<bool, Refusal>>,
        out: &mut Vec<Effect>,
    ) {
        let Some(Stage::Writing(fate)) = self.busy.get(&user).cloned() else { return };
        self.busy.remove(&user);
        let fate = match result {
            Some(Ok(true)) => fate,
            Some(Ok(false)) => Fate::Unchanged,
            Some(Err(refusal)) => Fate::Failed(refusal.to_string().into()),
            None => Fate::Failed("too many other edits wait for the store".into()),
        };
        self.meet(&user, true, out);
        tell(File::Of(user), fate, out);
    }
}
