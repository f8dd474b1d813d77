//! Java's idea of digits, blanks and integers, on which the published HAID rests.
//!
//! Java looks at UTF-16 code units, so a digit above U+FFFF is none here. The tables are those of Unicode 13, which is what
//! JDK 17 has.

/// The zeros of all scripts below U+10000; nine more digits follow each of them.
const ZEROS: [char; 37] = [
    '\u{0030}', '\u{0660}', '\u{06f0}', '\u{07c0}', '\u{0966}', '\u{09e6}', '\u{0a66}', '\u{0ae6}', '\u{0b66}',
    '\u{0be6}', '\u{0c66}', '\u{0ce6}', '\u{0d66}', '\u{0de6}', '\u{0e50}', '\u{0ed0}', '\u{0f20}', '\u{1040}',
    '\u{1090}', '\u{17e0}', '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}', '\u{1b50}', '\u{1bb0}',
    '\u{1c40}', '\u{1c50}', '\u{a620}', '\u{a8d0}', '\u{a900}', '\u{a9d0}', '\u{a9f0}', '\u{aa50}', '\u{abf0}',
    '\u{ff10}',
];

/// The value of a decimal digit of any script, `Character.digit(c, 10)` of the original.
#[must_use]
pub fn digit(c: char) -> Option<u8> {
    let before = ZEROS.partition_point(|zero| *zero <= c);
    let zero = *ZEROS.get(before.checked_sub(1)?)?;
    u8::try_from(u32::from(c) - u32::from(zero)).ok().filter(|value| *value < 10)
}

/// Whether there is a text, and it consists of digits: `StringUtils.isNumeric` of the original.
#[must_use]
pub fn is_numeric(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| digit(c).is_some())
}

/// Whether there is nothing but blanks: `StringUtils.isBlank` of the original. Spaces that do not break are no blanks.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        matches!(
            c,
            '\t'..='\r'
                | '\u{1c}'..=' '
                | '\u{1680}'
                | '\u{2000}'..='\u{2006}'
                | '\u{2008}'..='\u{200a}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{205f}'
                | '\u{3000}'
        )
    })
}

/// A number with an optional sign, `Integer.parseInt` of the original; `None` where that throws.
#[must_use]
pub fn parse_int(text: &str) -> Option<i32> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_i32, |value, c| {
        let digit = i32::from(digit(c)?);
        let tens = value.checked_mul(10)?;
        if negative { tens.checked_sub(digit) } else { tens.checked_add(digit) }
    })
}

/// The length of a text in UTF-16 code units, `String.length` of the original.
#[must_use]
pub fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}
