//! `failproof haid`: questions come in lines, answers go out in lines, whatever a line holds.

use super::{Outcome, failproof_reading};
use failproof::cli::Interrupt;
use failproof::engine::Engine;
use failproof::output::FileSystem;
use serde_json::{Value, json};

const KEY: &str = "k1:000102030405060708090a0b0c0d0e0f";

fn haid(args: &[&str], mut input: &[u8]) -> Outcome {
    let args = [&["haid"], args].concat();
    failproof_reading(&mut input, &args, &Interrupt::new(), &Engine::run, &FileSystem)
}

fn answers(outcome: &Outcome) -> Vec<Value> {
    outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn encoded_lines_decode_to_the_same() {
    let owners = json!({ "main": "cs_1", "backup": "cs_2", "id": "12" });
    for args in [&["--rules", "published"][..], &[], &["--key", KEY]] {
        let encoded = haid(&[&["encode"], args].concat(), owners.to_string().as_bytes());
        let text = answers(&encoded)[0]["haid"].clone();
        let decoded = haid(&[&["decode"], args].concat(), format!("{}\n", json!({ "haid": text })).as_bytes());
        assert_eq!((encoded.code, decoded.code), (0, 0));
        let mut expected = owners.clone();
        expected["line"] = 1.into();
        if args.contains(&KEY) {
            expected["key"] = "k1".into();
        }
        assert_eq!(answers(&decoded), [expected]);
    }
}

#[test]
fn refusals_are_answers() {
    let lines = br#"{"haid": "1-1--ab1"}
{"haid": "+1-1--ab1"}
{"haid": ""}
{"haid": "2147483647-1--ab1"}
"#;
    let published = haid(&["decode", "--rules", "published"], lines);
    assert_eq!((published.code, published.err.as_str()), (0, ""));
    let codes =
        |outcome: &Outcome| answers(outcome).iter().map(|answer| answer.get("code").cloned()).collect::<Vec<_>>();
    assert_eq!(codes(&published), [None, None, Some(70102.into()), Some(Value::Null)]);
    assert_eq!(codes(&haid(&["decode"], lines)), [None, Some(70108.into()), Some(70102.into()), Some(70108.into())]);
    let checked = answers(&haid(&["check"], lines));
    assert_eq!(checked[..2], [json!({ "line": 1, "valid": true }), json!({ "line": 2, "valid": false })]);
    assert_eq!(answers(&haid(&["decode", "--key", KEY], lines))[0]["code"], 70108);
}

#[test]
fn a_line_that_is_no_question_gets_an_error_and_the_next_one_its_turn() {
    let lines = b"{\"haid\": \"1-1--ab1\"}\nnonsense\n\n{\"haid\": \"\xff\"}\n[]\n{\"id\": 1}\n{\"haid\": 7}\n{\"haid\": \"1-1--ab2\"}";
    let outcome = haid(&["decode"], lines);
    assert_eq!((outcome.code, outcome.err.as_str()), (2, ""));
    let answers = answers(&outcome);
    let numbers: Vec<_> = answers.iter().map(|answer| answer["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    assert!(answers[1..7].iter().all(|answer| answer["error"].is_string()), "{}", outcome.out);
    assert_eq!((&answers[0]["id"], &answers[7]["id"]), (&json!("1"), &json!("2")));
    assert_eq!((haid(&["decode"], b"").code, haid(&["decode"], b"").out.as_str()), (0, ""));
}

#[test]
fn published_rules_take_several_backups() {
    let lines = br#"{"main": "a", "backups": ["b", "c"], "id": "1"}
{"main": "a", "backups": [null], "id": "1"}
{"main": "a", "backups": null, "id": "1"}
{"main": "a", "backups": [1], "id": "1"}
"#;
    let outcome = haid(&["encode", "--rules", "published"], lines);
    let answers = answers(&outcome);
    assert_eq!(answers[0]["haid"], "1-1-1--abc1");
    assert_eq!((&answers[1]["code"], &answers[2]["code"]), (&Value::Null, &json!(70107)));
    assert!(answers[3]["error"].is_string() && outcome.code == 2);
    assert!(haid(&["encode"], lines).out.lines().all(|line| line.contains("no field `backup`")));
}

#[test]
fn keys_are_refused_before_anything_is_read() {
    let same = ["--key", KEY, "--key", KEY];
    for (args, words) in [
        (&["--key", KEY, "--rules", "published"][..], "bear no tag"),
        (&["--key", "k1"], "ID:HEX"),
        (&["--key", "k1:0"], "even number"),
        (&["--key", "k1:00"], "at least 16"),
        (&["--key", "k~1:000102030405060708090a0b0c0d0e0f"], "key id"),
        (&same, "same id"),
        (&["--rules", "client_go"], "possible values"),
    ] {
        let outcome = haid(&[&["check"], args].concat(), br#"{"haid": "1-1--ab1"}"#);
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{args:?}");
        assert!(outcome.err.contains(words), "{args:?}: {}", outcome.err);
    }
}

#[test]
fn help_shows_an_example_that_works() {
    let help = haid(&["--help"], b"");
    assert_eq!(help.code, 0);
    let example = help.out.lines().find_map(|line| line.strip_prefix("Example: echo '")).unwrap();
    let (question, command) = example.split_once("' | failproof haid ").unwrap();
    let answered = haid(&[command], question.as_bytes());
    assert_eq!((answered.code, &answers(&answered)[0]["main"]), (0, &json!("cs_1")));
}
