//! Small facts about HAIDs and their managers. What the original answered is asked in the vectors.

use super::*;
use crate::time::Duration;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

const SECRET: &[u8] = b"sixteen bytes or more";

fn keyring(ids: &[&str]) -> Keyring {
    Keyring::new(ids.iter().map(|id| Key::new(id, SECRET).unwrap()).collect()).unwrap()
}

fn refused(haid: &str) -> HaidError {
    Codec::HARDENED.decode(haid.as_bytes()).expect_err(haid)
}

#[test]
fn strict_refusals_tell_what_was_expected_where() {
    let long = format!("129-1--{}b1", "a".repeat(129));
    let oversized = "1".repeat(513);
    for (haid, error) in [
        ("", HaidError::Blank),
        ("01-1--ab1", HaidError::Length { at: 0 }),
        ("+1-1--ab1", HaidError::Length { at: 0 }),
        ("1-0--a1", HaidError::Length { at: 2 }),
        ("1-", HaidError::Length { at: 2 }),
        (&long, HaidError::Length { at: 0 }),
        ("99999999999999999999999-1--ab1", HaidError::Length { at: 0 }),
        ("1", HaidError::Separator { expected: "-", at: 1 }),
        ("1-1-1--abc1", HaidError::Separator { expected: "--", at: 3 }),
        ("1-1--ab", HaidError::Truncated { expected: 8 }),
        ("2-1--a-b1", HaidError::Alias { at: 5 }),
        ("4-1--a--cb1", HaidError::Alias { at: 5 }),
        ("1-1--a 1", HaidError::Alias { at: 6 }),
        ("1-2--aé1", HaidError::Alias { at: 6 }),
        ("1-1--éb1", HaidError::Alias { at: 5 }),
        ("1-1--ab0", HaidError::Id { at: 7 }),
        ("1-1--ab01", HaidError::Id { at: 7 }),
        ("1-1--ab١", HaidError::Id { at: 7 }),
        ("1-1--ab12345678901234567890", HaidError::Id { at: 7 }),
        ("1-1--ab1--", HaidError::Trailing { at: 8 }),
        ("1-1--ab1~k~00", HaidError::Trailing { at: 8 }),
        (&oversized, HaidError::TooLong { length: 513 }),
    ] {
        assert_eq!(refused(haid), error, "{haid}");
        assert!(error.code().is_some(), "{haid}");
    }
    assert_eq!(Codec::HARDENED.decode(b"1-1--\xffb1"), Err(HaidError::NotUtf8));
    assert_eq!(Codec::PUBLISHED.decode(b"1-1--\xffb1"), Err(HaidError::NotUtf8));
}

#[test]
fn what_cannot_be_decoded_is_not_encoded() {
    let long = "a".repeat(129);
    for (main, backup, id, error) in [
        ("a--b", "c", "1", HaidError::Alias { at: 5 }),
        ("a", "-c", "1", HaidError::Alias { at: 6 }),
        ("", "c", "1", HaidError::Alias { at: 5 }),
        (&long, "c", "1", HaidError::Alias { at: 7 }),
        ("a", "b", "0", HaidError::Id { at: 7 }),
        ("a", "b", "", HaidError::Id { at: 7 }),
    ] {
        assert_eq!(Codec::HARDENED.encode(main, backup, id), Err(error), "{main} {backup} {id}");
    }
    let longest = "a".repeat(128);
    let codec = Codec::tagged(keyring(&["abcdefghijklmnop"]));
    let haid = codec.encode(&longest, &longest, "9223372036854775807").unwrap();
    assert!(haid.len() <= HAID_LENGTH_MAX && codec.decode(haid.as_bytes()).is_ok());
}

#[test]
fn a_tag_is_the_hmac_of_all_before_it() {
    let codec = Codec::tagged(Keyring::new(vec![Key::new("k1", &[0x0b; 20]).unwrap()]).unwrap());
    let haid = codec.encode("cs_1_prod", "cs_2_prod", "1").unwrap();
    // `printf '9-9--cs_1_prodcs_2_prod1~k1' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b…`
    let expected = "0d315f8960fd0dd780be37c77124e6501c4b4041774de1604b4a0aa45600c408";
    assert_eq!(haid, format!("9-9--cs_1_prodcs_2_prod1~k1~{expected}"));
}

#[test]
fn a_tag_convicts_forgers() {
    let codec = Codec::tagged(keyring(&["new", "old"]));
    let former = Codec::tagged(keyring(&["old"]));
    let haid = former.encode("aa", "bb", "12").unwrap();
    let decoded = codec.decode(haid.as_bytes()).unwrap();
    assert_eq!((decoded.main, decoded.backup, decoded.id, decoded.key), ("aa", "bb", "12", Some("old")));
    let mut again = String::new();
    codec.write(&mut again, &decoded).unwrap();
    assert_eq!(again, haid);

    let decode = |haid: &str| codec.decode(haid.as_bytes()).map(|_| ());
    assert_eq!(decode(&haid.replace("aabb", "bbaa")), Err(HaidError::Forged));
    assert_eq!(decode(&haid.replace("bb12", "bb13")), Err(HaidError::Forged));
    assert_eq!(decode(&haid.replace("2-2--aa", "1-3--aa")), Err(HaidError::Forged));
    // Both keys have one secret here, and still one cannot pass for the other.
    assert_eq!(decode(&haid.replace("old", "new")), Err(HaidError::Forged));
    assert_eq!(decode(&haid.replace("old", "odd")), Err(HaidError::UnknownKey));
    assert_eq!(decode("2-2--aabb12"), Err(HaidError::TagMissing));
    assert_eq!(decode(&haid[..haid.len() - 1]), Err(HaidError::TagMalformed { at: 11 }));
    assert_eq!(decode(&format!("{haid}0")), Err(HaidError::TagMalformed { at: 11 }));
    assert_eq!(decode(&haid.replace("~old~", "~~")), Err(HaidError::TagMalformed { at: 11 }));
    assert_eq!(Codec::HARDENED.write(&mut again, &decoded), Err(HaidError::UnknownKey));
}

#[test]
fn a_key_is_checked_and_keeps_its_secret() {
    assert_eq!(Key::new("", SECRET).unwrap_err(), KeyError::Id);
    assert_eq!(Key::new("a~b", SECRET).unwrap_err(), KeyError::Id);
    assert_eq!(Key::new("k", b"short").unwrap_err(), KeyError::SecretTooShort { length: 5 });
    let key = Key::new("k", SECRET).unwrap();
    assert_eq!(format!("{key:?}"), "Key { id: \"k\", .. }");
    assert_eq!(Keyring::new(vec![key.clone(), key]).unwrap_err(), KeyError::Twice);
}

#[test]
fn published_crashes_are_errors_of_their_own() {
    let decode = |haid: &str| Codec::PUBLISHED.decode(haid.as_bytes()).map(|_| ());
    let check = |haid: &str| Codec::PUBLISHED.check(haid.as_bytes());
    assert_eq!(check("2147483647-1--ab1"), Err(HaidError::OutOfBounds));
    assert_eq!(
        (check("2147483647-2147483647-4--ab11"), decode("2147483647-2147483647-4--ab11")),
        (Ok(true), Err(HaidError::OutOfBounds))
    );
    assert_eq!((check("1-2--😀b1"), decode("1-2--😀b1")), (Ok(true), Err(HaidError::SplitCharacter)));
    assert_eq!(HaidError::OutOfBounds.code(), None);
    // A third instance is passed over, even if a length cuts it.
    assert_eq!(decode("1-1-1-1--ab😀1"), Ok(()));
}

#[test]
fn digits_of_37_scripts_count() {
    let digits: Vec<_> = (0..=0xffff).filter_map(char::from_u32).filter(|c| java::digit(*c).is_some()).collect();
    assert_eq!(digits.len(), 370);
    assert!(digits.iter().all(|c| c.is_numeric()));
    assert_eq!((java::digit('９'), java::digit('²'), java::digit('Ⅷ'), java::digit('𝟘')), (Some(9), None, None, None));
    assert_eq!(java::digit('\0'), None);
}

#[test]
fn a_short_text_takes_all_or_nothing() {
    let mut text = HaidText::default();
    Codec::HARDENED.encode_into(&mut text, "cs-1", "cs-2", "7").unwrap();
    assert_eq!(
        (format!("{text}"), format!("{text:?}")),
        ("4-4--cs-1cs-27".to_owned(), "\"4-4--cs-1cs-27\"".to_owned())
    );
    assert_eq!(HaidText::new(text.as_bytes()), Some(text));
    assert_eq!((HaidText::new(&[b'x'; 31]), HaidText::new(&[b'x'; 30]).is_some()), (None, true));
    let full = text;
    assert!(text.write_str("01234567890123456").is_err());
    assert_eq!(text, full);
    let long = "a".repeat(20);
    assert_eq!(Codec::PUBLISHED.encode_into(&mut text, &long, &long, "7"), Err(HaidError::NoRoom));
    assert_eq!(format!("{}", HaidText::new(b"a\xff\n").unwrap()), "a\\xff\\n");
}

fn instance(alias: &str, load: u32, age_s: u64, tenant: Option<u32>) -> Instance<&str> {
    Instance { alias, load, load_age: Duration::from_secs(age_s), tenant: tenant.map(Tenant) }
}

fn chosen<'v>(choice: &dyn BackupChoice<&'v str>, view: &[Instance<&'v str>], chance: u64) -> Option<&'v str> {
    choose_backup(choice, "a", view, chance).map(|instance| instance.alias)
}

#[test]
fn the_backup_is_somebody_else() {
    let view = [instance("c", 0, 0, None), instance("a", 0, 0, None), instance("b", 0, 0, None)];
    let least = LeastLoaded { load_age_max: Duration::from_secs(1) };
    assert_eq!(chosen(&UniformBackup, &view, 0), Some("c"));
    assert_eq!(chosen(&UniformBackup, &view, u64::MAX / 2 + 1), Some("b"));
    assert_eq!(chosen(&UniformBackup, &view, u64::MAX), Some("b"));
    assert_eq!(chosen(&least, &view, u64::MAX), Some("b"), "ties go to the first alias");
    for choice in [&UniformBackup as &dyn BackupChoice<_>, &least, &TenantAware { tenant: Tenant(1), among: least }] {
        assert_eq!(chosen(choice, &view[1..2], 7), None);
        assert_eq!(chosen(choice, &[], 7), None);
    }
}

#[test]
fn a_load_that_is_too_old_is_not_believed() {
    let least = LeastLoaded { load_age_max: Duration::from_secs(1) };
    let view = [instance("b", 9, 0, None), instance("c", 0, 2, None), instance("d", 8, 1, None)];
    assert_eq!(chosen(&least, &view, 0), Some("d"));
    let old = [instance("b", 9, 3, None), instance("c", 0, 2, None)];
    assert_eq!((chosen(&least, &old, 0), chosen(&least, &old, u64::MAX)), (Some("b"), Some("c")));
}

#[test]
fn another_tenants_server_is_the_last_resort() {
    let among = LeastLoaded { load_age_max: Duration::from_secs(1) };
    let aware = TenantAware { tenant: Tenant(1), among };
    let view = [instance("b", 0, 0, Some(2)), instance("c", 7, 0, Some(1)), instance("d", 5, 0, None)];
    assert_eq!((chosen(&among, &view, 0), chosen(&aware, &view, 0)), (Some("b"), Some("d")));
    assert_eq!(chosen(&aware, &view[..1], 0), Some("b"));
}

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
    let tagged = hardened("A", &["A"], Codec::tagged(keyring(&["k"])));
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
