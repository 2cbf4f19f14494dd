//! `[[account]]`: who may log in over AXI.

use std::path::Path;

use axi::account::Proof;
use axi::open::Permission;
use machine::secret::Secret;

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
    assert_eq!((exporter.name.as_str(), &exporter.password), ("exporter", &Proof::Clear(Secret::new("p"))));
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

/// A hash of the password `password`, by the reference implementation.
const HASH: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

#[test]
fn a_hash_may_stand_in_the_place_of_any_password_of_the_axi_server() {
    let table =
        format!("[[account]]\nname = \"a\"\npassword_hash = \"{HASH}\"\npermissions = \"AllCnfRead\"\n");
    let read = accounts(&table).expect("good");
    assert_eq!(read[0].password, Proof::Hashed(Secret::new(HASH)));
    assert!(!format!("{read:?}").contains("argon2id"), "a hash is not printed");
    let axi = format!("[axi]\nuser = \"omm\"\npassword_hash = \"{HASH}\"\nroot_password_hash = \"{HASH}\"\n");
    let (site, _, faults) = read_site("site.toml", &format!("{GOOD}\n{axi}"), Path::new("here"));
    assert!(faults.is_empty(), "{faults:?}");
    let axi = site.and_then(|site| site.axi).expect("an [axi]");
    let hashed = Proof::Hashed(Secret::new(HASH));
    assert_eq!((axi.password, axi.root_password), (hashed.clone(), Some(hashed)));
}

#[test]
fn two_ways_to_say_one_password_and_what_is_no_hash_are_told_without_showing_it() {
    let said = |keys: &str| {
        let text = format!("{GOOD}\n[[account]]\nname = \"a\"\n{keys}\npermissions = \"AllCnfRead\"\n");
        let (_, _, faults) = read_site("site.toml", &text, Path::new("here"));
        faults.iter().map(|fault| format!("{fault}\n")).collect::<String>()
    };
    let both = said(&format!("password = \"hunter2\"\npassword_hash = \"{HASH}\""));
    assert!(
        both.starts_with(
            "site.toml:21:17: `password` and `password_hash` of [[account]] are two ways to say one thing"
        ),
        "{both}"
    );
    let with = |from: &str, to: &str| said(&format!("password_hash = \"{}\"", HASH.replacen(from, to, 1)));
    for (told, why) in [
        (with("$argon2id$", "$2b$12$"), "it does not begin with $argon2id$v=19$"),
        (with("m=256", "m=4000000000"), "its costs cannot be borne: at most m=262144, t=16"),
        (with("t=2", "t=99"), "its costs cannot be borne"),
        (with("c29tZXNhbHQ", "c2FsdA"), "its salt is not one of 8 bytes or more"),
        (with("i/4", ""), "what it was hashed to is not 32 bytes"),
    ] {
        assert!(
            told.starts_with("site.toml:20:17: `password_hash` of [[account]] cannot be used: "),
            "{told}"
        );
        assert!(told.contains(why) && told.contains("`homing hash`"), "{told}");
    }
    let all = [both, with("i/4", ""), said("password_hash = 7")].concat();
    assert!(!all.contains("hunter2") && !all.contains("c29tZXNhbHQ"), "a secret shows: {all}");
    let none = said("");
    assert!(
        none.contains("`password` is missing in [[account]]") && none.contains("or `password_hash`"),
        "{none}"
    );
}
