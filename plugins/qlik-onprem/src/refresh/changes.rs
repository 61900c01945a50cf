//! Reading only what changed.
//!
//! Changed rows are found by their dates, a little before the latest that was seen; rows that went away are named by the site's
//! list of changes (`/qrs/notification/changes`). Neither is believed blindly: what was there, less what went, plus what came, must be
//! the number that the site counts now. If it is not, or anything is refused, the list is read in full. All dates are the site's own,
//! so no two clocks are compared.

use super::{
    Refresh,
    lists::{Read, accept},
    objects::Kind,
};
use crate::client::Client;
use jackfield_plugin::{
    Failure,
    contract::run::Level,
    sdk::{End, Row, Stop},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How far before the latest change is asked again, in seconds: what was being written then may have become visible later.
const OVERLAP: i64 = 600;

const ADDED: &str = "1";
const DELETED: &str = "3";

/// What the last refresh left of a kind.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// Who read it: another may see other rows.
    account: String,
    /// The latest change that it saw.
    latest: String,
    /// The latest deletion that it saw.
    deleted: String,
    /// How many there were.
    count: u64,
}

/// What the site's list of changes says of a kind.
#[derive(Debug, Default)]
struct Deletions {
    /// The ids of what is gone.
    ids: BTreeSet<String>,
    /// How many of them the last refresh still saw.
    missed: u64,
    /// The latest deletion.
    latest: String,
}

impl Refresh<'_> {
    /// Reads a kind, in full or as far as it changed, and ends it.
    pub(super) async fn changing(&self, kind: &'static Kind) -> Result<End, Failure> {
        let key = format!("changes.{}", kind.noun.id);
        let account = self.context.settings().account();
        let mark = self.context.state::<Mark>(&key).await.unwrap_or_default();
        if let Some(mark) = mark.filter(|mark| mark.account == account && !mark.latest.is_empty())
            && let Some((mark, gone)) = self.since(kind, &mark).await?
        {
            self.context.catalog().delta(kind.noun.id, gone).await?;
            self.context.set_state(&key, &mark).await?;
            return Ok(End { kind: kind.noun, how: Ok(mark.count) });
        }
        let outcome = self.table(kind).await;
        if let Ok(read) = &outcome {
            let deletions = match read.latest.as_str() {
                "" => Deletions::default(),
                latest => self.deletions(kind, latest, "").await?.unwrap_or_default(),
            };
            let mark =
                Mark { account, latest: read.latest.clone(), deleted: deletions.latest, count: read.count };
            self.context.set_state(&key, &mark).await?;
        }
        self.context.end(kind.noun, outcome.map(|read| read.count)).await
    }

    /// Reads what changed since a mark. `None` if that does not come out even; nothing was put then.
    async fn since(&self, kind: &'static Kind, mark: &Mark) -> Result<Option<(Mark, Vec<String>)>, Failure> {
        let Some(from) = earlier(&mark.latest, OVERLAP) else { return Ok(None) };
        let Some(deletions) = self.deletions(kind, &from, &mark.deleted).await? else { return Ok(None) };
        let (Some(new), Some(now)) = (self.made_after(kind, &mark.latest).await?, self.total(kind).await?)
        else {
            return Ok(None);
        };
        if now + deletions.missed != mark.count + new {
            let line = format!(
                "{}: read in full, because the changes do not add up ({} before, {new} new, {} gone, {now} now)",
                kind.noun.plural, mark.count, deletions.missed
            );
            self.context.log(Level::Info, line).await?;
            return Ok(None);
        }
        let read = match self.changed(kind, &from).await {
            Ok(read) => read,
            Err(Stop::Fail(failure)) => return Err(failure.context(kind.noun.plural)),
            Err(Stop::Keep(_)) => return Ok(None),
        };
        let line = format!(
            "{}: read as far as changed since {from}: {} rows, {} gone, {now} in all",
            kind.noun.plural, read.count, deletions.missed
        );
        self.context.log(Level::Info, line).await?;
        let latest = if read.latest > mark.latest { read.latest } else { mark.latest.clone() };
        let deleted = if deletions.latest > mark.deleted { deletions.latest } else { mark.deleted.clone() };
        let mark = Mark { account: mark.account.clone(), latest, deleted, count: now };
        Ok(Some((mark, deletions.ids.into_iter().collect())))
    }

    /// How many objects were made after a date; `None` if the site does not say.
    async fn made_after(&self, kind: &Kind, date: &str) -> Result<Option<u64>, Failure> {
        let filter = format!("createdDate gt '{date}'");
        let response = self.client.count(kind.path, &filter).await?;
        response.is_success().then(|| Client::counted(&response)).transpose()
    }

    async fn changed(&self, kind: &'static Kind, from: &str) -> Result<Read, Stop> {
        let conditions: Vec<_> = kind.changes.iter().map(|date| format!("{date} ge '{from}'")).collect();
        self.pages(kind, conditions.join(" or "), None).await
    }

    /// Reads which objects of a kind went away since a date; `None` if the site does not tell. `known` is the latest deletion that
    /// was seen before.
    async fn deletions(&self, kind: &Kind, since: &str, known: &str) -> Result<Option<Deletions>, Failure> {
        let query = [("since", since), ("types", kind.change_type)];
        let response = self.client.whole("notification/changes", &query).await?;
        if accept(self.client, kind.noun.plural, &response).is_err() {
            return Ok(None);
        }
        let changes: Vec<Row<'_>> = response.page()?;
        let mut deletions = Deletions::default();
        let of = |kind_of: &'static str| {
            let changes =
                changes.iter().filter(move |change| change.text("changeType").as_deref() == Some(kind_of));
            let ours = changes.filter(|change| {
                change.text("type").is_none_or(|name| name.eq_ignore_ascii_case(kind.change_type))
            });
            ours.filter_map(move |change| {
                Some((change.text("id")?.into_owned(), change.text("changeDate")?.into_owned()))
            })
        };
        // What came and went between two refreshes was never counted.
        let passing: BTreeSet<String> =
            of(ADDED).filter(|(_, at)| at.as_str() > since).map(|(id, _)| id).collect();
        for (id, at) in of(DELETED) {
            if at.as_str() > known && !passing.contains(&id) {
                deletions.missed += 1;
            }
            if at > deletions.latest {
                deletions.latest = at;
            }
            deletions.ids.insert(id);
        }
        Ok(Some(deletions))
    }
}

/// A date of the site so many seconds earlier, `YYYY-MM-DDTHH:MM:SS.fffZ`; `None` if it is none.
fn earlier(date: &str, seconds: i64) -> Option<String> {
    let number = |from: usize, to: usize| date.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let at = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)? - seconds;
    let (days, at) = (days(year, month, day) + at.div_euclid(86_400), at.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    Some(format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000Z", at / 3600, at / 60 % 60, at % 60))
}

/// Days since 1970 of a date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970; the inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) =
        (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    (year + days.div_euclid(146_097) * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_back_over_every_border() {
        for (date, expected) in [
            ("2024-05-01T10:00:00.000Z", "2024-05-01T09:50:00.000Z"),
            ("2024-03-01T00:05:00.123Z", "2024-02-29T23:55:00.000Z"),
            ("2025-03-01T00:05:00.123Z", "2025-02-28T23:55:00.000Z"),
            ("2026-01-01T00:00:00Z", "2025-12-31T23:50:00.000Z"),
        ] {
            assert_eq!(earlier(date, OVERLAP).as_deref(), Some(expected));
        }
        assert_eq!(earlier("soon", OVERLAP), None);
    }
}
