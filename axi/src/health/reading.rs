//! What became of the files of external users, as far as the health of their server shows it.

use std::collections::BTreeSet;

use omm::directory::Directory;
use omm::directory::login::Variant;
use omm::epr::File;
use omm::ids::Number;

use super::Files;

/// How many names of files are kept that were not to be had: one is a warning, so the rest may be forgotten. Ours.
const FAILED_MAX: usize = 1_000;

/// What was read, file by file.
#[derive(Debug, Default)]
pub struct Reading {
    /// Whether the server answered at all since the start.
    read: bool,
    common_failed: bool,
    /// Of external users, by the names of their files.
    failed: BTreeSet<Number>,
}

impl Reading {
    /// A file was to be had, or not. What is read of users who are not external says nothing of the server: phones that
    /// nobody knows ask for files, too.
    pub fn note(&mut self, file: &File, failed: bool, directory: &Directory, by: Variant) {
        let File::Of(name) = file else {
            self.common_failed = failed;
            return;
        };
        // Nobody's file is read before the common one is.
        self.common_failed = false;
        if !failed {
            self.read = true;
            self.failed.remove(name);
        } else if !is_external(directory, name, by) {
            self.failed.remove(name);
        } else if self.failed.len() < FAILED_MAX {
            self.failed.insert(name.clone());
        }
    }

    /// How they were to be had when they were read last.
    pub fn files(&self, directory: &Directory, by: Variant) -> Files {
        let user_failed = self.failed.iter().any(|name| is_external(directory, name, by));
        Files { read: self.read, common_failed: self.common_failed, user_failed }
    }
}

fn is_external(directory: &Directory, name: &Number, by: Variant) -> bool {
    directory.called(name, by).is_some_and(|user| user.admin.external)
}

#[cfg(test)]
mod tests {
    use machine::secret::Secret;
    use omm::directory::edit::NewUser;
    use omm::platform::Platform;

    use super::*;

    fn file(number: &str) -> File {
        File::Of(Number::new(number).unwrap())
    }

    #[test]
    fn only_files_of_external_users_say_something_of_the_server_and_each_until_it_is_read() {
        let mut directory = Directory::new(Platform::Pc);
        for (number, external) in [("300", true), ("301", true), ("101", false)] {
            let mut user = NewUser::new(Number::new(number).unwrap(), Secret::new("geheim"));
            user.fields.external = Some(external);
            directory.plant_user(user).unwrap();
        }
        let (mut reading, by) = (Reading::default(), Variant::Number);
        let mut note = |file: &File, failed| {
            reading.note(file, failed, &directory, by);
            let Files { read, common_failed, user_failed } = reading.files(&directory, by);
            (read, common_failed, user_failed)
        };
        assert_eq!(note(&File::Common, true), (false, true, false));
        assert_eq!(note(&file("101"), true), (false, false, false), "not external");
        assert_eq!(note(&file("999"), true), (false, false, false), "nobody");
        assert_eq!(note(&file("300"), true), (false, false, true));
        assert_eq!(note(&file("301"), false), (true, false, true), "300 was not to be had");
        assert_eq!(note(&file("300"), false), (true, false, false));
    }
}
