//! Small facts about HAIDs. What the original answered is asked in the vectors.

use super::*;
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
