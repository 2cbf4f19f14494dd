//! `[[account]]`: who may log in over AXI.

use std::path::Path;

use axi::open::Permission;

use super::GOOD;
use crate::config::accounts::Account;
use crate::config::read_site;

/// The accounts of the good site with these tables behind it; faults as text.
fn accounts(tables: &str) -> Result<Vec<Account>, Vec<String>> {
    let (site, _, faults) = read_site("site.toml", &format!("{GOOD}\n{tables}"), Path::new("here"));
    match faults.is_empty() {
        true => Ok(site.expect("a site").accounts),
        false => Err(faults.into_iter().map(|fault| fault.what).collect()),
    }
}

fn account(name: &str, permissions: &str) -> String {
    format!("[[account]]\nname = \"{name}\"\npassword = \"p\"\npermissions = \"{permissions}\"\n")
}

#[test]
fn accounts_have_a_name_a_password_and_words_of_the_vendor() {
    let read = accounts(&account("exporter", "AllCnfRead Monitoring")).expect("good");
    let [exporter] = &read[..] else { panic!("{read:?}") };
    assert_eq!((exporter.name.as_str(), exporter.password.reveal()), ("exporter", "p"));
    assert_eq!(exporter.permissions, [Permission::AllCnfRead, Permission::Monitoring]);
    assert!(!format!("{read:?}").contains("\"p\""), "a password is not printed");
}

#[test]
fn two_accounts_of_one_name_and_words_that_nobody_knows_are_told() {
    for taken in ["root", "omm"] {
        assert_eq!(accounts(&account(taken, "AllCnfRead")), Err(vec!["two accounts have one name".into()]));
    }
    let twice = account("a", "AllCnfRead").repeat(2);
    assert_eq!(accounts(&twice), Err(vec!["two accounts have one name".into()]));
    assert!(accounts(&account("a", "ReadAll")).is_err());
    assert!(accounts("[[account]]\nname = \"a\"").is_err());
}
