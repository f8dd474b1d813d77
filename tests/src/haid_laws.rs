//! What holds of HAID codecs for any bytes whatever. The test binary and the fuzz target call the same function.
//!
//! The published codec is compared with the original's Java, written down once more over UTF-16 code units. Each law is
//! a judge: it is handed the codecs, so that a wrong one can be convicted.

use failproof_core::routing::{Codec, HAID_LENGTH_MAX, HaidError, Key, Keyring};

/// The codecs that are judged.
pub(crate) struct Codecs {
    pub(crate) published: Codec,
    pub(crate) hardened: Codec,
    pub(crate) tagged: Codec,
}

impl Default for Codecs {
    fn default() -> Self {
        let keys = ["new", "old"].map(|id| Key::new(id, id.repeat(8).as_bytes()).expect("a key"));
        Self {
            published: Codec::PUBLISHED,
            hardened: Codec::HARDENED,
            tagged: Codec::tagged(Keyring::new(keys.into()).expect("a keyring")),
        }
    }
}

/// Panics, or tells which law these bytes break.
///
/// The bytes are taken as a HAID, as letters of the grammar (random bytes seldom look like a HAID), and as the fields of one.
pub(crate) fn judge(codecs: &Codecs, bytes: &[u8]) -> Result<(), String> {
    let letters: String = bytes.iter().map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()]).collect();
    for haid in [bytes, letters.as_bytes()] {
        published_is_the_original(codecs, haid)?;
        accepted_is_canonical(&codecs.hardened, haid)?;
        accepted_is_canonical(&codecs.tagged, haid)?;
        hardened_means_what_published_means(codecs, haid)?;
        only_keys_make_tags(codecs, haid, bytes.len())?;
    }
    // Most fields become acceptable ones, so that accepting is judged too.
    let pieces: Vec<_> = bytes.splitn(3, |byte| byte % 16 == 0).map(alias).collect();
    if let [main, backup, id] = &pieces[..] {
        let id = id.bytes().fold(1_u64, |id, byte| id.wrapping_mul(31).wrapping_add(u64::from(byte)) >> 1 | 1);
        round_trips(codecs, main, backup, &id.to_string())?;
    }
    Ok(())
}

const LETTERS: [char; 32] = [
    '0', '0', '1', '1', '1', '1', '1', '2', '2', '2', '3', '4', '7', '9', '-', '-', '-', '-', '-', '-', '+', '~', ' ',
    'a', 'b', 'k', 'é', '١', '１', '😀', '\u{a0}', '\u{3000}',
];

fn alias(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(b"abcdefghijklmnopqrstuvw0123456789.:-"[usize::from(*byte) % 36])).collect()
}

fn law(holds: bool, name: &str, haid: &[u8]) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{name}: {}", haid.escape_ascii())) }
}

fn published_is_the_original(codecs: &Codecs, haid: &[u8]) -> Result<(), String> {
    let (check, decode) = (codecs.published.check(haid), codecs.published.decode(haid));
    let Ok(text) = core::str::from_utf8(haid) else {
        let refused = check == Err(HaidError::NotUtf8) && decode == Err(HaidError::NotUtf8);
        return law(refused, "what is no UTF-8 is refused", haid);
    };
    law(check.ok() == original::check(text), "published check is the original's", haid)?;
    let same = match (&decode, original::decode(text)) {
        (Ok(ours), original::Decoded::Parts(theirs)) => {
            [ours.main, ours.backup, ours.id].map(|part| part.encode_utf16().collect::<Vec<_>>()) == theirs
        }
        (Err(HaidError::SplitCharacter), original::Decoded::Parts(theirs)) => {
            theirs.iter().any(|part| String::from_utf16(part).is_err())
        }
        (Err(HaidError::OutOfBounds | HaidError::SplitCharacter), original::Decoded::Throws) => true,
        (Err(ours), original::Decoded::Refused(code)) => ours.code().map(|code| code.number()) == Some(code),
        _ => false,
    };
    law(same, "published decode is the original's", haid)
}

/// R7: `encode(decode(s)) = s`.
fn accepted_is_canonical(codec: &Codec, haid: &[u8]) -> Result<(), String> {
    let Ok(decoded) = codec.decode(haid) else {
        return law(codec.check(haid) == Ok(false), "what is not decoded does not check", haid);
    };
    let mut again = String::new();
    let written = codec.write(&mut again, &decoded);
    law(written.is_ok() && again.as_bytes() == haid, "what is accepted is canonical", haid)?;
    law(haid.is_ascii() && haid.len() <= HAID_LENGTH_MAX, "what is accepted is short ASCII", haid)?;
    law(codec.check(haid) == Ok(true), "what is decoded checks", haid)
}

fn hardened_means_what_published_means(codecs: &Codecs, haid: &[u8]) -> Result<(), String> {
    let same = codecs.hardened.decode(haid).is_ok_and(|decoded| codecs.published.decode(haid) != Ok(decoded));
    law(!same, "what is hardened means the same when published", haid)
}

/// R6: nothing passes without the tag of a key, and no change of a tagged HAID does. `place` says what is changed.
fn only_keys_make_tags(codecs: &Codecs, haid: &[u8], place: usize) -> Result<(), String> {
    let tagged = codecs.tagged.decode(haid);
    law(!tagged.is_ok_and(|decoded| decoded.key.is_none()), "what is accepted with keys bears a tag", haid)?;
    let Ok(plain) = codecs.hardened.decode(haid) else { return Ok(()) };
    let made = codecs.tagged.encode(plain.main, plain.backup, plain.id).map_err(|error| error.to_string())?;
    convict_changes(codecs, made.as_bytes(), place)
}

fn convict_changes(codecs: &Codecs, made: &[u8], place: usize) -> Result<(), String> {
    law(codecs.tagged.decode(made).is_ok(), "what is tagged here is accepted here", made)?;
    let mut changed = made.to_vec();
    let at = place % made.len();
    changed[at] ^= 1 << (place % 7);
    law(codecs.tagged.decode(&changed).is_err(), "no changed byte passes", &changed)?;
    law(codecs.tagged.decode(&made[..at]).is_err(), "nothing truncated passes", &made[..at])?;
    law(codecs.hardened.decode(made).is_err(), "no tag passes unchecked", made)
}

fn round_trips(codecs: &Codecs, main: &str, backup: &str, id: &str) -> Result<(), String> {
    for codec in [&codecs.hardened, &codecs.tagged] {
        let Ok(haid) = codec.encode(main, backup, id) else { continue };
        let decoded = codec.decode(haid.as_bytes()).map(|haid| (haid.main, haid.backup, haid.id));
        law(decoded == Ok((main, backup, id)), "what is encoded decodes to the same", haid.as_bytes())?;
        only_keys_make_tags(codecs, haid.as_bytes(), haid.len() + main.len())?;
    }
    Ok(())
}

/// The original, line by line, over UTF-16 code units. `None` and `Throws` are exceptions that nobody expected.
mod original {
    type Text = [u16];

    const DASH: u16 = b'-' as u16;

    pub(super) enum Decoded {
        Parts([Vec<u16>; 3]),
        Refused(u32),
        Throws,
    }

    pub(super) fn check(haid: &str) -> Option<bool> {
        let haid: Vec<u16> = haid.encode_utf16().collect();
        if blank(&haid) {
            return Some(false);
        }
        let parts = split(&haid, 2);
        let [lengths, body] = &parts[..] else { return Some(false) };
        let lengths = split(lengths, 1);
        let Some(lengths) = lengths.iter().map(|length| parse_int(length)).collect::<Option<Vec<_>>>() else {
            return Some(false);
        };
        let sum = lengths.iter().fold(0_i32, |sum, length| sum.wrapping_add(*length));
        if lengths.len() < 2 || i64::from(sum) >= body.len() as i64 {
            return Some(false);
        }
        let id = body.get(usize::try_from(sum).ok()?..)?;
        Some(!id.is_empty() && id.iter().all(|unit| digit(*unit).is_some()))
    }

    pub(super) fn decode(haid: &str) -> Decoded {
        let units: Vec<u16> = haid.encode_utf16().collect();
        if blank(&units) {
            return Decoded::Refused(70_102);
        }
        match check(haid) {
            None => return Decoded::Throws,
            Some(false) => return Decoded::Refused(70_108),
            Some(true) => {}
        }
        let parts = split(&units, 2);
        let mut instances = Vec::new();
        let mut index = 0_i32;
        for length in split(parts[0], 1) {
            let end = index.wrapping_add(parse_int(length).expect("checked"));
            let Some(instance) = usize::try_from(index)
                .ok()
                .zip(usize::try_from(end).ok())
                .and_then(|(index, end)| parts[1].get(index..end))
            else {
                return Decoded::Throws;
            };
            instances.push(instance.to_vec());
            index = end;
        }
        let id = parts[1][usize::try_from(index).expect("checked")..].to_vec();
        Decoded::Parts([instances[0].clone(), instances[1].clone(), id])
    }

    /// `String.split` by so many dashes: empty parts at the end are dropped.
    fn split(text: &Text, dashes: usize) -> Vec<&Text> {
        let (mut parts, mut begin, mut at) = (Vec::new(), 0, 0);
        while at + dashes <= text.len() {
            if text[at..at + dashes].iter().all(|unit| *unit == DASH) {
                parts.push(&text[begin..at]);
                at += dashes;
                begin = at;
            } else {
                at += 1;
            }
        }
        parts.push(&text[begin..]);
        while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        parts
    }

    fn parse_int(text: &Text) -> Option<i32> {
        let (sign, digits) = match text.first()? {
            0x2d => (-1, &text[1..]),
            0x2b => (1, &text[1..]),
            _ => (1, text),
        };
        let none = if digits.is_empty() { None } else { Some(0_i128) };
        let value = digits
            .iter()
            .try_fold(none?, |value, unit| Some((value * 10 + i128::from(digit(*unit)?)).min(i128::from(u64::MAX))))?;
        i32::try_from(sign * value).ok()
    }

    /// The digits among the letters of these laws, and what Unicode calls a digit elsewhere in the first planes.
    fn digit(unit: u16) -> Option<u8> {
        failproof_core::routing::java::digit(char::from_u32(unit.into())?)
    }

    fn blank(text: &Text) -> bool {
        char::decode_utf16(text.iter().copied())
            .all(|c| c.is_ok_and(|c| failproof_core::routing::java::is_blank(c.encode_utf8(&mut [0; 4]))))
    }
}
