//! Durations and clock rates as people write them on a command line: `500us`, `1.5s`, `0.001`, `1000ppm`.

use failproof_core::Duration;

/// The units, by name, in microseconds.
const UNITS: [(&str, u64); 7] = [
    ("us", 1),
    ("µs", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("min", 60_000_000),
    ("h", 3_600_000_000),
];

/// Reads a number with its unit: `500us`, `50ms`, `1.5s`, `10m`, `1h`; a bare `0` needs none.
///
/// # Errors
/// What the text is not, and what was expected, in words for a terminal.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; expected for example 500us, 50ms, 1.5s, 10m, 1h");
    let trimmed = text.trim();
    if trimmed == "0" {
        return Ok(Duration::ZERO);
    }
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = trimmed.split_at(digits);
    let unit = unit.trim_start();
    let (_, unit_us) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let (whole_us, fraction_us) = scaled(whole, *unit_us, 1)
        .zip(decimals(fraction).and_then(|by| scaled(fraction, *unit_us, by)))
        .ok_or_else(|| match number.chars().filter(char::is_ascii_digit).count() {
            0 => wrong(),
            _ => format!("`{text}` is no whole number of microseconds, or too many; expected for example 500us, 1.5s"),
        })?;
    if number.matches('.').count() > 1 || !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    whole_us
        .checked_add(fraction_us)
        .map(Duration::from_micros)
        .ok_or_else(|| format!("`{text}` is too long; expected less than half a million years"))
}

/// Reads how far a clock's rate may be off: a share (`0.001`), per cent (`0.1%`) or parts per million (`1000ppm`).
/// The result is in parts per million, rounded up, and below a million.
///
/// # Errors
/// What the text is not, and what was expected.
pub fn parse_drift(text: &str) -> Result<u32, String> {
    let trimmed = text.trim();
    let (number, factor) = match (trimmed.strip_suffix("ppm"), trimmed.strip_suffix('%')) {
        (Some(number), _) => (number, 1.0),
        (None, Some(number)) => (number, 1e4),
        (None, None) => (trimmed, 1e6),
    };
    let ppm = number.trim().parse::<f64>().ok().map(|value| value * factor);
    match ppm {
        // One part in a million million is what a decimal fraction loses on its way through binary.
        Some(ppm) if (0.0..1e6).contains(&ppm) => Ok((ppm - 1e-6).ceil().max(0.0) as u32),
        _ => Err(format!(
            "`{text}` is no clock drift; expected at least 0 and below 1, for example 0.001, 0.1% or 1000ppm"
        )),
    }
}

/// `digits · unit / by`, if that is a whole number that fits.
fn scaled(digits: &str, unit_us: u64, by: u64) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    let product = digits.parse::<u64>().ok()?.checked_mul(unit_us)?;
    product.is_multiple_of(by).then_some(product / by)
}

/// Ten to the number of `fraction`'s digits.
fn decimals(fraction: &str) -> Option<u64> {
    10u64.checked_pow(u32::try_from(fraction.len()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, us) in [
            ("500us", 500),
            ("7µs", 7),
            ("50ms", 50_000),
            ("1.5s", 1_500_000),
            ("1.500000s", 1_500_000),
            (".5 s", 500_000),
            ("10m", 600_000_000),
            ("1min", 60_000_000),
            ("1h", 3_600_000_000),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_micros(us)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for text in ["5 parsecs", "", "s", ".s", "5", "1.2.3s", "-1s", "1e3s", "0.5us", "99999999999999h"] {
            let error = parse_duration(text).expect_err(text);
            assert!(error.starts_with(&format!("`{text}` is")) && error.contains("expected"), "{error}");
        }
        assert_eq!(
            parse_duration("5 parsecs"),
            Err("`5 parsecs` is no duration; expected for example 500us, 50ms, 1.5s, 10m, 1h".to_owned())
        );
    }

    #[test]
    fn a_drift_is_a_share_per_cent_or_ppm() {
        for (text, ppm) in
            [("0.001", 1_000), ("1000ppm", 1_000), ("0.1%", 1_000), ("0", 0), ("0.0000015", 2), ("0.05", 50_000)]
        {
            assert_eq!(parse_drift(text), Ok(ppm), "{text}");
        }
        for text in ["1", "-0.1", "much", "NaN", "1000000ppm"] {
            assert!(parse_drift(text).is_err(), "{text}");
        }
    }
}
