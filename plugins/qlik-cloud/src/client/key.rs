//! API keys: what may be known of one without asking the tenant (it is a JWT, and may say when it ends), and what the tenant
//! knows of it.

use super::{Refusal, fields, get, person::segment};
use crate::settings::Settings;
use jackfield_plugin::{Blame, Context, Failure, Secret, Stage, sdk::Row};

/// Where the tenant tells of a key, by its id.
pub(super) const KEYS_PATH: &str = "/api/v1/api-keys";
/// Where the tenant tells how long keys may live, by the tenant's id.
pub(super) const LIMITS_PATH: &str = "/api/v1/api-keys/configs";
const DAY: i64 = 86_400;
/// The shortest life of a key, in seconds: one is renewed a day before its end, and a person may be away for two.
pub(super) const SHORTEST_LIFE: i64 = 3 * DAY;

/// The public facts of an API key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key {
    /// It has the form of an API key.
    pub(crate) is_jwt: bool,
    /// Its id in the tenant.
    pub(super) id: Option<String>,
    /// Whose it is.
    pub(super) subject: Option<String>,
    /// When it ends, in seconds since 1970.
    pub(super) expires: Option<i64>,
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
    let known = Key { is_jwt: true, id: jwt.id, subject: jwt.subject, ..Key::default() };
    let Some(expires) = jwt.expires else { return Ok(known) };
    let left = expires - context.now().await? / 1000;
    if left <= 0 {
        return Err(Failure::credential(format!("the API key ended on {}", day(expires)))
            .at(Stage::Settings)
            .remedy("make a new one in the tenant: avatar, Profile settings, API keys, \"Generate new key\"; at least 3 days of life")
            .field(key.field()));
    }
    Ok(Key { expires: Some(expires), left: Some(left), ..known })
}

/// The tenant refused a key, with a status that does not say why.
pub(super) fn refused(refusal: &Refusal, key: &Secret, known: Option<&Key>) -> Failure {
    let known = known.map(Key::when_refused).unwrap_or_default();
    refusal
        .failure(
            Blame::Credential,
            Stage::SignIn,
            format!("the tenant refused the API key{known} ({})", refusal.summary()),
        )
        .remedy("the tenant does not say why: the key was revoked or deleted, or was made in another tenant, or its user has lost the permission \"Manage API keys\" or was disabled; make a new key under Profile settings, API keys")
        .field(key.field())
}

/// Refuses a key that was made for less than three days, as far as the tenant tells of it.
pub(super) async fn long_enough(
    context: &Context<Settings>,
    key: &Secret,
    known: &Key,
) -> Result<(), Failure> {
    let Some(id) = known.id.as_deref().filter(|id| segment(id)) else { return Ok(()) };
    let response = context.http().send(&get(format!("{KEYS_PATH}/{id}")).bearer(key)).await?;
    let record = fields(&response);
    let Some(life) = life(&record).filter(|life| response.is_success() && *life < SHORTEST_LIFE) else {
        return Ok(());
    };
    let most = match record.text("tenantId").filter(|id| segment(id)) {
        Some(tenant) => {
            let limits = get(format!("{LIMITS_PATH}/{tenant}")).bearer(key);
            let response = context.http().send(&limits).await?;
            fields(&response).text("max_api_key_expiry").and_then(|most| seconds_of_duration(&most))
        }
        None => None,
    };
    let again =
        "make a new key that lives 3 days or more: avatar, Profile settings, API keys, \"Generate new key\"";
    let remedy = match most.filter(|most| *most < SHORTEST_LIFE) {
        Some(most) => format!(
            "this tenant lets no key live longer than {}: have an administrator raise that (Administration activity center, Settings, API keys), and then {again}",
            hours_or_days(most)
        ),
        None => again.to_owned(),
    };
    let message = format!(
        "the API key was made for {} only; with less than 3 days there is no time to renew it",
        hours_or_days(life)
    );
    Err(Failure::credential(message).at(Stage::Settings).remedy(remedy).field(key.field()))
}

/// For how many seconds a key was made, as its record says; to the minute, because the two times are not taken at once.
pub(super) fn life(record: &Row<'_>) -> Option<i64> {
    let created = seconds_of_time(&record.text("created")?)?;
    let ends = seconds_of_time(&record.text("expiry")?)?;
    Some((ends - created + 30) / 60 * 60)
}

/// A time as Qlik Cloud writes it (RFC 3339, UTC), in seconds since 1970.
pub(super) fn seconds_of_time(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let number = |part: &str| part.parse::<i64>().ok();
    let mut date = date.split('-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.split([':', '.']).map(number);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    // As in `day`: years begin on the first of March.
    let year = year - i64::from(month <= 2);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468;
    Some(days * DAY + hour * 3_600 + minute * 60 + second)
}

/// An ISO 8601 duration of weeks, days, hours, minutes and seconds, in seconds.
pub(super) fn seconds_of_duration(text: &str) -> Option<i64> {
    let mut total = 0;
    let mut digits = String::new();
    for letter in text.strip_prefix('P')?.chars() {
        let unit = match letter {
            '0'..='9' => {
                digits.push(letter);
                continue;
            }
            'T' => continue,
            'W' => 7 * DAY,
            'D' => DAY,
            'H' => 3_600,
            // Months have no length of their own, and no limit is written in them.
            'M' if text.contains('T') => 60,
            'S' => 1,
            _ => return None,
        };
        total += std::mem::take(&mut digits).parse::<i64>().ok()? * unit;
    }
    Some(total)
}

/// A life as the tenant wants it written, in whole hours.
pub(super) fn duration(seconds: i64) -> String {
    match seconds % DAY {
        0 => format!("P{}D", seconds / DAY),
        _ => format!("PT{}H", seconds / 3_600),
    }
}

/// The tenant lets no key live long enough.
pub(super) fn too_short(key: &Secret, most: i64) -> Failure {
    let message = format!(
        "this tenant lets no key live longer than {}; with less than 3 days there is no time to renew one",
        hours_or_days(most)
    );
    Failure::credential(message)
        .at(Stage::Permission)
        .remedy("have an administrator raise that (Administration activity center, Settings, API keys); until then the key in use stays")
        .field(key.field())
}

fn hours_or_days(seconds: i64) -> String {
    match (seconds / 3_600, seconds / DAY) {
        (0, _) => "less than an hour".to_owned(),
        (1, _) => "1 hour".to_owned(),
        (hours, _) if hours < 48 || seconds % DAY != 0 => format!("{hours} hours"),
        (_, days) => format!("{days} days"),
    }
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
        let key = |left| Key {
            is_jwt: true,
            id: None,
            subject: None,
            expires: Some(1_795_305_600),
            left: Some(left),
        };
        assert_eq!(key(3_600).remark().unwrap(), "the key ends on 2026-11-22, in less than a day");
        assert_eq!(key(200_000).remark().unwrap(), "the key ends on 2026-11-22, in about 2 days");
        assert_eq!(key(900_000).remark().unwrap(), "the key is valid until 2026-11-22");
        assert_eq!(Key::default().remark().unwrap(), "the key does not look like a Qlik API key");
    }

    #[test]
    fn times_and_durations_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T00:00:00.000Z", Some(951_782_400)),
            ("2026-11-22T11:08:54.342260287Z", Some(1_795_345_734)),
            ("2026-11-22", None),
            ("2026-11-22T11:08:54+01:00", None),
        ] {
            assert_eq!(seconds_of_time(text), expected, "{text}");
        }
        for (text, expected) in [
            ("PT24H", Some(DAY)),
            ("P365D", Some(365 * DAY)),
            ("P1DT12H", Some(36 * 3_600)),
            ("P2W", Some(14 * DAY)),
            ("PT90M", Some(5_400)),
            ("P1M", None),
            ("soon", None),
        ] {
            assert_eq!(seconds_of_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn a_life_is_that_of_the_record() {
        let of = |created: &str, expiry: &str| {
            let record = format!("{{\"created\":\"{created}\",\"expiry\":\"{expiry}\"}}");
            life(&serde_json::from_str(&record).unwrap())
        };
        assert_eq!(of("2026-01-01T00:00:00.900Z", "2026-01-03T23:59:59.100Z"), Some(SHORTEST_LIFE));
        assert_eq!(of("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), Some(DAY));
        assert_eq!(of("2026-01-01T00:00:00Z", ""), None);
        assert_eq!(
            [3_599, 3_600, 86_400, 2 * DAY].map(hours_or_days),
            ["less than an hour", "1 hour", "24 hours", "2 days"]
        );
    }
}
