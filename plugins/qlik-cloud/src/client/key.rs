//! What may be known of an API key without asking the tenant: it is a JWT, and says when it ends.

use crate::settings::Settings;
use jackfield_plugin::{Context, Failure, Secret, Stage};

/// The public facts of an API key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key {
    /// It has the form of an API key.
    pub(crate) is_jwt: bool,
    /// When it ends, in seconds since 1970.
    expires: Option<i64>,
    /// How long that is from now, in seconds.
    left: Option<i64>,
}

impl Key {
    /// The day on which it ends.
    pub(crate) fn until(&self) -> Option<String> {
        self.expires.map(day)
    }

    /// What makes a refusal odd, or explains it: the words that follow "the API key".
    pub(crate) fn when_refused(&self) -> String {
        match self.until() {
            Some(day) => format!(", although it is valid until {day}"),
            None if !self.is_jwt => ", which does not look like one of Qlik Cloud".to_owned(),
            None => String::new(),
        }
    }

    /// What a person ought to know of it.
    pub(crate) fn remark(&self) -> Option<String> {
        if !self.is_jwt {
            return Some("the key does not look like a Qlik API key".to_owned());
        }
        let until = self.until()?;
        let days = self.left? / 86_400;
        Some(match days {
            0 => format!("the key ends on {until}, in less than a day"),
            1 => format!("the key ends on {until}, in about a day"),
            2..=3 => format!("the key ends on {until}, in about {days} days"),
            _ => format!("the key is valid until {until}"),
        })
    }
}

/// Looks at a key; one that has ended is refused here, because the tenant would not say so.
pub(crate) async fn inspect(context: &Context<Settings>, key: &Secret) -> Result<Key, Failure> {
    let Some(jwt) = context.inspect(key).await?.jwt else { return Ok(Key::default()) };
    let Some(expires) = jwt.expires else { return Ok(Key { is_jwt: true, ..Key::default() }) };
    let left = expires - context.now().await? / 1000;
    if left <= 0 {
        return Err(Failure::credential(format!("the API key ended on {}", day(expires)))
            .at(Stage::Settings)
            .remedy("make a new one in the tenant: avatar, Profile settings, API keys, \"Generate new key\"; at least 3 days of life")
            .field(key.field()));
    }
    Ok(Key { is_jwt: true, expires: Some(expires), left: Some(left) })
}

/// The day of a time in seconds since 1970, as `2026-11-22` (UTC).
fn day(seconds: i64) -> String {
    // Days are counted in eras of 400 years that begin on the first of March, so that the leap day comes last.
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_709_164_800, "2024-02-29"),
            (1_767_225_599, "2025-12-31"),
            (1_795_305_600, "2026-11-22"),
            (4_107_542_400, "2100-03-01"),
            (-86_400, "1969-12-31"),
        ] {
            assert_eq!(day(seconds), expected);
        }
    }

    #[test]
    fn a_remark_says_how_much_life_is_left() {
        let key = |left| Key { is_jwt: true, expires: Some(1_795_305_600), left: Some(left) };
        assert_eq!(key(3_600).remark().unwrap(), "the key ends on 2026-11-22, in less than a day");
        assert_eq!(key(200_000).remark().unwrap(), "the key ends on 2026-11-22, in about 2 days");
        assert_eq!(key(900_000).remark().unwrap(), "the key is valid until 2026-11-22");
        assert_eq!(Key::default().remark().unwrap(), "the key does not look like a Qlik API key");
    }
}
