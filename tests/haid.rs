//! HAIDs: what the original Linkis code answered, case by case, and what must hold of any bytes.
//!
//! Goal: the published codec and manager are the original, and the hardened codec accepts one text for each meaning. Method:
//! each vector is asked; where the original crashed or returned what is no Unicode, an error of our own is expected by
//! name. Random bytes are judged by the laws that the fuzz target uses as well, and planted codecs are convicted.

use crate::haid_laws::{Codecs, judge};
use crate::vectors;
use failproof_core::Duration;
use failproof_core::routing::{
    AliasTable, Argument, Codec, ContextManager, HaContextId, HaidError, Key, Keyring, ManagerError, PublishedManager,
    Returned, Server, UniformBackup, after_call, before_call, java,
};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors<C> {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "note")]
    _note: Option<String>,
    vectors: Vec<C>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodecCase {
    op: String,
    input: Option<String>,
    input_utf16hex: Option<String>,
    id: Option<String>,
    main: Option<String>,
    backups: Option<Vec<Option<String>>>,
    result: Option<Value>,
    error: Option<Thrown>,
    round_trip: Option<RoundTrip>,
}

/// An exception of the original.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thrown {
    #[serde(rename = "type")]
    class: String,
    code: Option<u32>,
    #[serde(rename = "message")]
    _message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundTrip {
    check: bool,
    decoded: Option<Parts>,
    error: Option<Thrown>,
    faithful: bool,
}

#[derive(Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Parts {
    main: String,
    backup: String,
    id: String,
    main_utf16hex: Option<String>,
    backup_utf16hex: Option<String>,
    id_utf16hex: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManagerCase {
    op: String,
    note: Option<String>,
    #[serde(default)]
    input: Value,
    result: Option<Value>,
    error: Option<Thrown>,
    input_mutated: Option<bool>,
    strict: Option<bool>,
    #[serde(rename = "self")]
    host: Option<String>,
    method: Option<String>,
    args: Option<Vec<Value>>,
    seen_by_target: Option<String>,
    seen_by_target_ctx: Option<Value>,
}

#[test]
fn conformance_of_the_published_codec_with_the_original() {
    let cases = vectors::read::<Vectors<CodecCase>>("haid_codec.json").vectors;
    println!("conformance: {} cases of the codec", cases.len());
    assert!(vectors::complete(cases.len(), 266));
    for case in cases {
        play(&case).unwrap_or_else(|differs| {
            panic!("{} {:?} {:?} {:?}: {differs}", case.op, case.input, case.main, case.id);
        });
    }
}

/// A wrong answer in a vector is seen.
#[test]
fn an_altered_vector_is_convicted() {
    for altered in [
        r#"{"op": "check", "input": "1-1--ab1", "result": false}"#,
        r#"{"op": "decode", "input": "1-1--ab1", "result": {"main": "a", "backup": "b", "id": "2"}}"#,
        r#"{"op": "decode", "input": "1-1--ab1", "error": {"type": "CSErrorException", "code": 70108, "message": ""}}"#,
        r#"{"op": "decode", "input": "x", "error": {"type": "CSErrorException", "code": 70102, "message": ""}}"#,
        r#"{"op": "check", "input": "x", "error": {"type": "StringIndexOutOfBoundsException", "message": ""}}"#,
        r#"{"op": "encode", "main": "a", "backups": ["b"], "id": "1", "result": "1-1--ab2"}"#,
        r#"{"op": "parseInt", "input": "+1", "result": 2}"#,
        r#"{"op": "isNumeric", "input": "", "result": true}"#,
    ] {
        assert!(play(&serde_json::from_str(altered).unwrap()).is_err(), "{altered}");
    }
}

/// Plays one case of the codec.
fn play(case: &CodecCase) -> Result<(), String> {
    // The original treats a null as it treats an empty text.
    let input = match &case.input_utf16hex {
        Some(hex) => bytes_of_utf16(hex),
        None => case.input.clone().unwrap_or_default().into_bytes(),
    };
    let text = || core::str::from_utf8(&input).map_err(|error| error.to_string());
    let expected = case.result.clone();
    match case.op.as_str() {
        "check" => compare(Codec::PUBLISHED.check(&input).map(Value::from), expected, case.error.as_ref()),
        "decode" => match Codec::PUBLISHED.decode(&input) {
            Ok(haid) => {
                let parts: Parts = serde_json::from_value(expected.ok_or("decoded, but was refused")?)
                    .map_err(|error| error.to_string())?;
                same(&parts, haid.main, haid.backup, haid.id)
            }
            Err(HaidError::SplitCharacter | HaidError::NotUtf8) => {
                let parts: Parts = serde_json::from_value(expected.ok_or("refused differently")?)
                    .map_err(|error| error.to_string())?;
                let halves = [&parts.main_utf16hex, &parts.backup_utf16hex, &parts.id_utf16hex];
                let broken =
                    halves.iter().filter_map(|hex| hex.as_ref()).any(|hex| String::from_utf16(&units(hex)).is_err());
                if broken { Ok(()) } else { Err("refused, but all parts are Unicode".to_owned()) }
            }
            Err(error) => compare(Err(error), expected, case.error.as_ref()),
        },
        "isNumeric" => compare(Ok(java::is_numeric(text()?).into()), expected, None),
        "parseInt" => match (java::parse_int(text()?), &case.error) {
            (None, Some(thrown)) if thrown.class == "NumberFormatException" => Ok(()),
            (value, None) if value.map(Value::from) == expected => Ok(()),
            (value, _) => Err(format!("{value:?}")),
        },
        "encode" => play_encode(case),
        unknown => panic!("nobody knows the operation {unknown}"),
    }
}

fn play_encode(case: &CodecCase) -> Result<(), String> {
    let (main, id) = (case.main.as_deref().unwrap_or_default(), case.id.as_deref().unwrap_or_default());
    let backups: Vec<_> = case.backups.iter().flatten().map(Option::as_deref).collect();
    let mut haid = String::new();
    let encoded = Codec::encode_published(&mut haid, main, &backups, id);
    compare(encoded.map(|()| haid.clone().into()), case.result.clone(), case.error.as_ref())?;
    let Some(expected) = &case.round_trip else { return Ok(()) };
    let decoded = Codec::PUBLISHED.decode(haid.as_bytes());
    if Codec::PUBLISHED.check(haid.as_bytes()) != Ok(expected.check) {
        return Err(format!("{haid} does not check as expected"));
    }
    let faithful = decoded.is_ok_and(|read| (read.main, &[Some(read.backup)][..], read.id) == (main, &backups, id));
    if faithful != expected.faithful {
        return Err(format!("{haid}: faithful is {faithful}"));
    }
    match (&expected.decoded, decoded) {
        (Some(parts), Ok(haid)) => same(parts, haid.main, haid.backup, haid.id),
        (_, decoded) => compare(decoded.map(|_| Value::Null), None, expected.error.as_ref()),
    }
}

fn same(expected: &Parts, main: &str, backup: &str, id: &str) -> Result<(), String> {
    let text =
        |text: &str, hex: &Option<String>| hex.as_ref().map_or_else(|| text.encode_utf16().collect(), |hex| units(hex));
    let wanted = [
        text(&expected.main, &expected.main_utf16hex),
        text(&expected.backup, &expected.backup_utf16hex),
        text(&expected.id, &expected.id_utf16hex),
    ];
    let found = [main, backup, id].map(|part| part.encode_utf16().collect::<Vec<_>>());
    if wanted == found { Ok(()) } else { Err(format!("{main:?} {backup:?} {id:?}")) }
}

/// Compares an answer with a result or an exception. Exceptions that nobody expected have an error of their own.
fn compare(answer: Result<Value, HaidError>, result: Option<Value>, thrown: Option<&Thrown>) -> Result<(), String> {
    let agree = match (&answer, thrown) {
        (Ok(answer), None) => result.as_ref() == Some(answer),
        (Err(error), Some(thrown)) => match thrown.class.as_str() {
            "CSErrorException" => error.code().map(|code| code.number()) == thrown.code && thrown.code.is_some(),
            "StringIndexOutOfBoundsException" => *error == HaidError::OutOfBounds,
            "NullPointerException" => *error == HaidError::NullBackup,
            unknown => panic!("nobody knows the exception {unknown}"),
        },
        _ => false,
    };
    if agree { Ok(()) } else { Err(format!("{answer:?}, expected {result:?}")) }
}

fn units(hex: &str) -> Vec<u16> {
    assert!(hex.is_ascii() && hex.len().is_multiple_of(4), "{hex}");
    (0..hex.len()).step_by(4).map(|at| u16::from_str_radix(&hex[at..at + 4], 16).expect("hex")).collect()
}

/// UTF-8, if it is Unicode; else bytes that are none, as half a character would come.
fn bytes_of_utf16(hex: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for unit in char::decode_utf16(units(hex)) {
        match unit {
            Ok(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            Err(_) => bytes.push(0xff),
        }
    }
    bytes
}

#[test]
fn conformance_of_the_published_manager_with_the_original() {
    let cases = vectors::read::<Vectors<ManagerCase>>("haid_manager.json").vectors;
    println!("conformance: {} cases of the manager", cases.len());
    assert!(vectors::complete(cases.len(), 28));
    for case in cases {
        let name = format!("{} {:?}", case.op, case.note);
        match case.op.as_str() {
            "convertProxyHAID" => play_convert(&case, &name),
            "isHAIDValid" => play_valid(&case, &name),
            "intercept" => play_intercept(&case, &name),
            unknown => panic!("nobody knows the operation {unknown}"),
        }
    }
}

/// A server that knows all aliases, while it and one other are alive.
fn manager(host: &str, strict_check: bool) -> PublishedManager<UniformBackup> {
    let rows = ["A", "B"].map(|instance| (format!("al_{instance}"), instance.to_owned()));
    let aliases = AliasTable { rows: rows.into(), live: ["A", "B"].map(server).into(), ..AliasTable::default() };
    PublishedManager { instance: host.to_owned(), aliases, strict_check, choice: UniformBackup }
}

fn server(instance: &str) -> Server {
    Server { instance: instance.to_owned(), load: 0, load_age: Duration::ZERO, tenant: None }
}

fn context_id(value: &Value) -> HaContextId {
    let field = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    HaContextId { main: field("main"), backup: field("backup"), id: field("id") }
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: &Result<T, ManagerError>, thrown: &Thrown, name: &str) {
    let code = answer.as_ref().err().and_then(|error| error.code()).map(|code| code.number());
    assert_eq!(code, thrown.code, "{name}: {answer:?}");
}

fn play_convert(case: &ManagerCase, name: &str) {
    // The case never changes its input; here, it cannot be changed.
    assert_ne!(case.input_mutated, Some(true), "{name}");
    let input = (!case.input.is_null()).then(|| context_id(&case.input));
    let answer = manager("A", false).convert(input.as_ref(), 0);
    match &case.error {
        Some(thrown) => assert_refused(&answer, thrown, name),
        None => assert_eq!(answer, Ok(context_id(case.result.as_ref().expect("a result"))), "{name}"),
    }
}

/// The note tells who is dead, and what of its alias is left.
fn play_valid(case: &ManagerCase, name: &str) {
    let strict = case.strict.expect("strict");
    let mut manager = manager(case.host.as_deref().expect("self"), strict);
    let note = case.note.as_deref().unwrap_or_default();
    let dead = [("main dead", "A"), ("backup dead", "B")].iter().find(|(words, _)| note.contains(words));
    if let Some((_, dead)) = dead {
        let alias = format!("al_{dead}");
        manager.aliases.live.retain(|server| server.instance != *dead);
        if !note.contains("row remains") {
            manager.aliases.rows.remove(&alias);
        }
        if note.contains("warm") {
            manager.aliases.cached.insert(alias, (*dead).to_owned());
        }
    } else {
        assert!(!strict || note.contains("main ALIVE"), "nobody knows the scene of {name}");
    }
    let haid = case.input.as_str().expect("a HAID");
    let answer = manager.parse(haid).map(|haid| Value::from(haid.is_some()));
    assert_eq!(answer.ok(), case.result, "{name}, on {:?}", case.host);
}

/// The target of the call gives back its context id, or makes one of the text that it sees.
fn play_intercept(case: &ManagerCase, name: &str) {
    let manager = manager("A", false);
    let method = case.method.as_deref().expect("a method");
    let argument = |value: &Value| match value {
        Value::String(text) => Argument::Text(text.clone()),
        Value::Object(_) => Argument::ContextId(context_id(value)),
        _ => Argument::Other,
    };
    let arguments: Vec<_> = case.args.as_ref().expect("arguments").iter().map(argument).collect();
    let seen = before_call(&manager, method, &arguments, 0);
    if let Some(thrown) = &case.error {
        return assert_refused(&seen, thrown, name);
    }
    let seen = seen.unwrap_or_else(|error| panic!("{name}: {error}"));
    let texts: Vec<_> = seen
        .iter()
        .filter_map(|argument| match argument {
            Argument::Text(text) => Some(text.as_str()),
            Argument::ContextId(_) | Argument::Other => None,
        })
        .collect();
    if let Some(expected) = &case.seen_by_target {
        assert_eq!(texts.join(","), *expected, "{name}");
    }
    if let Some(expected) = &case.seen_by_target_ctx {
        assert_eq!(seen[0], Argument::ContextId(context_id(expected)), "{name}");
    }
    let made = |id: &str| HaContextId {
        main: Some("al_A".to_owned()),
        backup: Some("al_B".to_owned()),
        id: Some(id.to_owned()),
    };
    let returned = match (method, &seen[0]) {
        ("createContextID", Argument::ContextId(id)) => Returned::ContextId(id.clone()),
        ("getContextID", Argument::Text(text)) => Returned::ContextId(made(text)),
        ("listContextID", _) => Returned::List(["5", "x"].map(made).into()),
        ("plainMethod", _) => Returned::Other,
        unknown => panic!("nobody knows the target {unknown:?}"),
    };
    let expected = match case.result.as_ref().expect("a result") {
        Value::Array(ids) => Returned::List(ids.iter().map(context_id).collect()),
        id @ Value::Object(_) => Returned::ContextId(context_id(id)),
        _ => Returned::Other,
    };
    assert_eq!(after_call(&manager, returned), Ok(expected), "{name}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        rng_seed: RngSeed::Fixed(70_108),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_keep_the_laws(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        judge(&Codecs::default(), &bytes).map_err(TestCaseError::fail)?;
    }

    /// Bytes that look like a HAID: random ones seldom do.
    #[test]
    fn what_looks_like_a_haid_keeps_the_laws(
        haid in "[+0]{0,1}[0-3]{1,2}-[0-3]{1,2}(-[0-9])?--[a-c0-9é😀١]{0,8}[-0-9١]{0,4}(~(new|old|k)~[0-9a-f]{64})?"
    ) {
        judge(&Codecs::default(), haid.as_bytes()).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn the_laws_convict_planted_codecs() {
    let convicted = |codecs: &Codecs, haid: &str, law: &str| {
        let verdict = judge(codecs, haid.as_bytes());
        assert!(verdict.as_ref().is_err_and(|found| found.starts_with(law)), "{law}: {verdict:?}");
        assert_eq!(judge(&Codecs::default(), haid.as_bytes()), Ok(()));
    };
    let lenient = Codecs { hardened: Codec::PUBLISHED, ..Codecs::default() };
    for haid in ["01-1--ab1", "+1-1--ab1", "1-1--ab1--", "1-1-1--abc1"] {
        convicted(&lenient, haid, "what is accepted is canonical");
    }
    for haid in ["1-1--éb1", "1-1--ab١"] {
        convicted(&lenient, haid, "what is accepted is short ASCII");
    }
    let strict = Codecs { published: Codec::HARDENED, ..Codecs::default() };
    convicted(&strict, "1-1--ab1--", "published check is the original's");
    let untagged = Codecs { tagged: Codec::HARDENED, ..Codecs::default() };
    convicted(&untagged, "1-1--ab1", "what is accepted with keys bears a tag");
    let keys = Keyring::new(vec![Key::new("new", &[7; 32]).unwrap()]).unwrap();
    let swapped = Codecs { hardened: Codec::tagged(keys), ..Codecs::default() };
    let tagged = swapped.hardened.encode("a", "b", "1").unwrap();
    convicted(&swapped, &tagged, "what is hardened means the same when published");
}

#[test]
fn decoding_allocates_nothing() {
    let Codecs { published, hardened, tagged } = Codecs::default();
    let haid = hardened.encode("cs_1_prod", "cs_2_prod", "1").unwrap();
    let with_tag = tagged.encode("cs_1_prod", "cs_2_prod", "1").unwrap();
    let counted = |codec: &Codec, haid: &str| {
        // What is built once for a process is not counted.
        codec.decode(haid.as_bytes()).unwrap();
        allocation_counter::measure(|| assert!(codec.decode(haid.as_bytes()).is_ok())).count_total
    };
    assert_eq!(counted(&published, &haid), 0);
    assert_eq!(counted(&published, "1-2--主b١1"), 0);
    assert_eq!(counted(&hardened, &haid), 0);
    assert_eq!(counted(&tagged, &with_tag), 0);
    // The counter can convict: a text of its own has to be allocated.
    let encoded = allocation_counter::measure(|| drop(hardened.encode("a", "b", "1"))).count_total;
    assert!(encoded > 0);
}
