//! Whether a HAID is what its parts encode to, read without the codec.

/// Digits without a leading zero, a hyphen, the same, two hyphens, then as many bytes as they say, and digits.
pub(super) fn is_canonical(text: &[u8]) -> bool {
    let Some(end) = text.windows(2).position(|pair| pair == b"--") else { return false };
    let (head, rest) = (&text[..end], &text[end + 2..]);
    let Some(hyphen) = head.iter().position(|byte| *byte == b'-') else { return false };
    let lengths = number(&head[..hyphen]).zip(number(&head[hyphen + 1..]));
    lengths.is_some_and(|(main, backup)| rest.get(main.saturating_add(backup)..).is_some_and(|id| number(id).is_some()))
}

fn number(digits: &[u8]) -> Option<usize> {
    let plain = digits.first().is_some_and(|first| *first != b'0') && digits.iter().all(u8::is_ascii_digit);
    let more = |sum: usize, digit: &u8| sum.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
    plain.then(|| digits.iter().fold(0, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_is_canonical() {
        assert!(is_canonical(b"4-4--cs_0cs_112"));
        for other in [
            "04-4--cs_0cs_112",
            "+4-4--cs_0cs_112",
            "4-4--cs_0cs_1012x",
            "4-4-cs_0cs_112",
            "4-4--cs_0cs_1",
            "4-4--",
            "",
        ] {
            assert!(!is_canonical(other.as_bytes()), "{other}");
        }
    }
}
