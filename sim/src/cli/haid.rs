//! `failproof haid`: HAIDs are encoded, decoded or checked, one JSON line at a time.
//!
//! Each line of standard input gets one line of output, in order, and at once. What is no question gets an error and the
//! next line its turn; a HAID that is refused is an answer.

use super::{Console, Exit};
use failproof_core::routing::{Codec, Haid, HaidError, HaidGrammar, Key, Keyring};
use serde_json::{Map, Value, json};
use std::io;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Questions, one JSON object a line:
  encode  {\"main\": \"cs_1\", \"backup\": \"cs_2\", \"id\": \"12\"}; published rules also take \"backups\": [...]
  decode  {\"haid\": \"4-4--cs_1cs_212\"}
  check   {\"haid\": \"4-4--cs_1cs_212\"}
Answers, one JSON object a line, each with the number of its line:
  {\"line\": 1, \"haid\": ...}, {\"line\": 1, \"main\": ..., \"backup\": ..., \"id\": ...}, {\"line\": 1, \"valid\": ...}
  {\"line\": 1, \"refused\": why, \"code\": 70108} if the codec refuses; code is null where the original has none
  {\"line\": 1, \"error\": why} if the line is no question; the exit code is 2 then, else 0

Example: echo '{\"haid\": \"4-4--cs_1cs_212\"}' | failproof haid decode")]
pub(super) struct HaidCommand {
    /// What to do with each line
    operation: Operation,
    /// Whose grammar: what the original accepts, or one text for each meaning
    #[arg(long, default_value = "hardened")]
    rules: Grammar,
    /// Changes nothing: answers are JSON objects anyway
    #[arg(long = "json")]
    _json: bool,
    /// Tags HAIDs, and asks for a tag, with this secret; the first key tags, further ones are accepted too
    #[arg(long = "key", value_name = "ID:HEX", value_parser = key)]
    keys: Vec<Key>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Operation {
    /// Owners and id to a HAID
    Encode,
    /// A HAID to owners and id
    Decode,
    /// Whether a text is a HAID
    Check,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Grammar {
    /// What the original does
    Published,
    /// Strict
    Hardened,
}

pub(super) fn haid(args: &HaidCommand, console: &mut Console<'_>) -> Exit {
    let codec = match (args.rules, Keyring::new(args.keys.clone())) {
        (Grammar::Published, _) if !args.keys.is_empty() => {
            return console.complain("--key: published HAIDs bear no tag; expected --rules hardened");
        }
        (Grammar::Published, _) => Codec::PUBLISHED,
        (Grammar::Hardened, Ok(keys)) => Codec::tagged(keys),
        (Grammar::Hardened, Err(error)) => return console.complain(&format!("--key: {error}")),
    };
    let mut exit = Exit::Held;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        match console.input.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return console.complain(&format!("cannot read standard input: {error}")),
        }
        let mut answer = answer(args.operation, &codec, &line).unwrap_or_else(|problem| {
            exit = Exit::Usage;
            json!({ "error": problem })
        });
        answer["line"] = number.into();
        match writeln!(console.out, "{answer}").and_then(|()| console.out.flush()) {
            Ok(()) => {}
            // A reader that had enough is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => return console.complain(&format!("cannot write to standard output: {error}")),
        }
    }
    exit
}

/// The answer to one line, or why it is no question.
fn answer(operation: Operation, codec: &Codec, line: &[u8]) -> Result<Value, String> {
    let question: Map<String, Value> = serde_json::from_slice(line.trim_ascii_end()).map_err(|error| {
        // The line is told beside it: what the parser calls its first line is this one.
        let text = error.to_string();
        let what = text.split_once(" at line ").map_or(&*text, |(what, _)| what);
        format!("expected a JSON object: {what}, at column {}", error.column())
    })?;
    let answered = match operation {
        Operation::Encode => encode(codec, &question)?.map(|haid| json!({ "haid": haid })),
        Operation::Decode => codec.decode(text(&question, "haid")?.as_bytes()).map(|haid| decoded(&haid)),
        Operation::Check => codec.check(text(&question, "haid")?.as_bytes()).map(|valid| json!({ "valid": valid })),
    };
    Ok(answered.unwrap_or_else(
        |error: HaidError| json!({ "refused": error.to_string(), "code": error.code().map(|code| code.number()) }),
    ))
}

fn encode(codec: &Codec, question: &Map<String, Value>) -> Result<Result<String, HaidError>, String> {
    let (main, id) = (text(question, "main")?, text(question, "id")?);
    let backups = match (codec.grammar(), question.get("backups")) {
        (HaidGrammar::Lenient, Some(backups)) => backups_of(backups)?,
        (HaidGrammar::Lenient, None) | (HaidGrammar::Strict, _) => vec![Some(text(question, "backup")?)],
    };
    Ok(match (codec.grammar(), &backups[..]) {
        (HaidGrammar::Strict, [Some(backup)]) => codec.encode(main, backup, id),
        _ => {
            let mut haid = String::new();
            Codec::encode_published(&mut haid, main, &backups, id).map(|()| haid)
        }
    })
}

fn decoded(haid: &Haid<'_>) -> Value {
    let mut parts = json!({ "main": haid.main, "backup": haid.backup, "id": haid.id });
    if let Some(key) = haid.key {
        parts["key"] = key.into();
    }
    parts
}

/// A field that holds a text. A null is blank, as it is for the original.
fn text<'a>(question: &'a Map<String, Value>, field: &str) -> Result<&'a str, String> {
    match question.get(field) {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Null) => Ok(""),
        Some(_) => Err(format!("`{field}` is no text; expected a string")),
        None => Err(format!("no field `{field}`; expected a string")),
    }
}

fn backups_of(backups: &Value) -> Result<Vec<Option<&str>>, String> {
    match backups {
        Value::Null => Ok(Vec::new()),
        Value::Array(backups) if backups.iter().all(|backup| backup.is_string() || backup.is_null()) => {
            Ok(backups.iter().map(Value::as_str).collect())
        }
        _ => Err("`backups` is no list of texts; expected an array of strings".to_owned()),
    }
}

/// A key from the command line. The secret is not repeated in a complaint.
fn key(text: &str) -> Result<Key, String> {
    let (id, hex) = text.split_once(':').ok_or("expected ID:HEX")?;
    let digits = hex.chars().map(|c| c.to_digit(16)).collect::<Option<Vec<_>>>();
    let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or("expected an even number of digits 0-9a-f")?;
    let secret: Vec<u8> =
        digits.chunks_exact(2).filter_map(|pair| u8::try_from((pair[0] << 4) | pair[1]).ok()).collect();
    Key::new(id, &secret).map_err(|error| error.to_string())
}
