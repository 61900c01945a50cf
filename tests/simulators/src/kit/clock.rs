//! Times: now, RFC 3339 written by hand (the hot path writes seven times per row), and lenient reading.

/// Milliseconds since 1970 as the machine sees them.
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Seconds since 1970 as the machine sees them.
pub(crate) fn now_seconds() -> i64 {
    now_ms() / 1000
}

/// Reads any RFC 3339 time; `None` when it is none.
pub(crate) fn parse_ms(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// Writes `2026-11-21T05:00:11.000Z`.
pub(crate) fn write_ms(out: &mut Vec<u8>, ms: i64) {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000) as u32);
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put(&mut text[0..4], year);
    put(&mut text[5..7], month);
    put(&mut text[8..10], day);
    put(&mut text[11..13], rest / 3_600_000);
    put(&mut text[14..16], rest / 60_000 % 60);
    put(&mut text[17..19], rest / 1000 % 60);
    put(&mut text[20..23], rest % 1000);
    out.extend_from_slice(&text);
}

/// The same as a `String`.
pub(crate) fn text_ms(ms: i64) -> String {
    let mut out = Vec::with_capacity(24);
    write_ms(&mut out, ms);
    String::from_utf8_lossy(&out).into_owned()
}

fn put(field: &mut [u8], mut value: u32) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Year, month and day of a day number (Howard Hinnant's algorithm).
fn civil(days: i64) -> (u32, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_jiff_reads() {
        for ms in [0, 951_782_400_123, 1_700_000_000_000, 1_795_342_031_999] {
            assert_eq!(parse_ms(&text_ms(ms)), Some(ms));
        }
        assert_eq!(text_ms(1_709_208_000_000), "2024-02-29T12:00:00.000Z");
    }
}
