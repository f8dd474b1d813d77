//! Numbers as people read them.

/// A count with its thousands apart: `1,204`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span of microseconds in the unit that suits it: `350 us`, `3.2 ms`, `4.979 s`, `10.0 min`, `166.7 h`.
#[must_use]
pub fn span(us: u64) -> String {
    let exact = us as f64;
    match us {
        0..1_000 => format!("{us} us"),
        // What is left of a second would be rounded to 1000.0 ms.
        1_000..999_950 => format!("{:.1} ms", exact / 1e3),
        999_950..120_000_000 => format!("{:.3} s", exact / 1e6),
        120_000_000..7_200_000_000 => format!("{:.1} min", exact / 6e7),
        _ => format!("{:.1} h", exact / 3.6e9),
    }
}

/// A point in time, in seconds as plans and traces count them: `412.000381 s`.
#[must_use]
pub fn moment(us: u64) -> String {
    format!("{}.{:06} s", us / 1_000_000, us % 1_000_000)
}

/// A share of a whole: `1.23 %`, or a dash if there is no whole.
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

/// `1 run`, `2 runs`.
#[must_use]
pub fn plural(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A word for a POSIX shell, quoted if it must be.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([350, 3_200, 4_979_000, 600_000_000].map(span), ["350 us", "3.2 ms", "4.979 s", "10.0 min"]);
        assert_eq!(moment(412_000_381), "412.000381 s");
        assert_eq!([percent(Some(0.0123)), percent(None)], ["1.23 %", "-"]);
        assert_eq!([shell_word("out/A-1.json"), shell_word("my out/it's")], ["out/A-1.json", r"'my out/it'\''s'"]);
    }
}
