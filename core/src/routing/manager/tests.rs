//! Small facts about context managers. What the original answered is asked in the vectors.

use super::*;
use crate::routing::{ErrorCode, Key, Keyring, UniformBackup};
use crate::time::Duration;
use alloc::borrow::ToOwned;
use alloc::vec;
use alloc::vec::Vec;

#[test]
fn a_backup_serves_only_while_main_is_invalid() {
    let haid = Codec::HARDENED.decode(b"1-1--ab1").unwrap();
    assert_eq!(check_host(&haid, "a", true), Ok(Role::Main));
    assert_eq!(check_host(&haid, "b", false), Ok(Role::Backup));
    assert_eq!(check_host(&haid, "b", true), Err(NotServed::MainIsValid));
    assert_eq!(check_host(&haid, "c", false), Err(NotServed::NotNamed));
}

fn table(live: &[&str]) -> AliasTable {
    let server =
        |instance: &&str| Server { instance: (*instance).to_owned(), load: 0, load_age: Duration::ZERO, tenant: None };
    let rows = ["a", "b", "c"].map(|alias| (alias.to_owned(), alias.to_uppercase()));
    AliasTable { rows: rows.into(), live: live.iter().map(server).collect(), ..AliasTable::default() }
}

fn context_id(main: Option<&str>, backup: Option<&str>, id: Option<&str>) -> HaContextId {
    HaContextId { main: main.map(Into::into), backup: backup.map(Into::into), id: id.map(Into::into) }
}

fn hardened(host: &str, live: &[&str], codec: Codec) -> HardenedManager<UniformBackup> {
    HardenedManager { instance: host.to_owned(), aliases: table(live), codec, choice: UniformBackup }
}

#[test]
fn the_hardened_manager_believes_no_callers_owners() {
    let manager = hardened("A", &["A", "B"], Codec::HARDENED);
    let convert = |main, backup, id| manager.convert(Some(&context_id(main, backup, id)), 0);
    let plain = Ok(context_id(Some("a"), Some("b"), Some("7")));
    assert_eq!(convert(None, None, Some("1-1--ab7")), plain);
    assert_eq!(convert(Some("a"), Some("b"), Some("1-1--ab7")), plain);
    assert_eq!(convert(Some("b"), Some("a"), Some("1-1--ab7")), Err(ManagerError::Relabelled));
    assert_eq!(convert(None, Some("c"), Some("1-1--ab7")), Err(ManagerError::Relabelled));
    assert_eq!(convert(None, None, Some("1-1--ab07")), Err(ManagerError::InvalidId));
    assert_eq!(convert(None, None, Some("7")), Err(ManagerError::Incomplete));
    assert_eq!(convert(Some("a"), Some("b"), Some("7")), Ok(context_id(Some("a"), Some("b"), Some("1-1--ab7"))));
    assert_eq!(convert(None, None, None), Ok(context_id(Some("a"), Some("b"), None)));
    assert_eq!(manager.convert(None, 0), Err(ManagerError::NullId));
}

#[test]
fn the_hardened_manager_checks_host_and_tag() {
    let parse = |manager: &HardenedManager<UniformBackup>, haid: &str| manager.parse(haid).unwrap().is_some();
    assert!(parse(&hardened("A", &["A", "B"], Codec::HARDENED), "1-1--ab7"));
    assert!(!parse(&hardened("B", &["A", "B"], Codec::HARDENED), "1-1--ab7"), "main is valid");
    assert!(parse(&hardened("B", &["B"], Codec::HARDENED), "1-1--ab7"));
    assert!(!parse(&hardened("C", &["C"], Codec::HARDENED), "1-1--ab7"), "not named");
    let tagged = hardened(
        "A",
        &["A"],
        Codec::tagged(Keyring::new(vec![Key::new("k", b"sixteen bytes or more").unwrap()]).unwrap()),
    );
    assert!(!parse(&tagged, "1-1--ab7"), "no tag");
    let haid = tagged.to_haid(&context_id(Some("a"), Some("b"), Some("7"))).unwrap();
    assert!(parse(&tagged, &haid));
}

#[test]
fn a_server_alone_is_its_own_backup_and_one_without_alias_generates_nothing() {
    let alone = hardened("A", &["A"], Codec::HARDENED);
    assert_eq!(alone.generate(0), Ok(context_id(Some("a"), Some("a"), None)));
    let unknown = hardened("X", &["X"], Codec::HARDENED);
    assert_eq!(unknown.generate(0), Err(ManagerError::NoMain));
    assert_eq!(ManagerError::NoMain.code(), Some(ErrorCode::InvalidInstance));
}

#[test]
fn a_refused_call_leaves_its_arguments_alone() {
    let manager = hardened("A", &["A", "B"], Codec::HARDENED);
    let good = Argument::ContextId(context_id(None, None, Some("1-1--ab7")));
    let bad = Argument::ContextId(context_id(None, None, Some("")));
    let arguments = [good, bad, Argument::Other];
    let before: Vec<_> = arguments.to_vec();
    assert_eq!(before_call(&manager, "createContextID", &arguments, 0), Err(ManagerError::InvalidId));
    assert_eq!(arguments.to_vec(), before);
}
