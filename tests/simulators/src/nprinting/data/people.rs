//! Rows of people: users, groups and roles, and who is in what.

use uuid::Uuid;

use crate::nprinting::data::row::Row;
use crate::nprinting::data::{Catalog, Kind};

const LOCALES: [&str; 8] = ["en", "de", "es", "fr", "it", "pt", "zh", "ja"];

impl Catalog {
    /// Email of a generated user.
    pub(crate) fn email(&self, index: u64) -> String {
        format!("user{index:07}@example.com")
    }

    /// Domain account of a generated user; one in seven has none and cannot sign in by Windows.
    pub(crate) fn account(&self, index: u64) -> String {
        if index % 7 == 6 { String::new() } else { format!(r"EXAMPLE\user{index:07}") }
    }

    /// The generated user with this email.
    pub(crate) fn by_email(&self, email: &str) -> Option<u64> {
        let index = email.to_ascii_lowercase().strip_prefix("user")?.get(..7)?.parse().ok()?;
        (self.exists(Kind::User, index) && self.email(index).eq_ignore_ascii_case(email)).then_some(index)
    }

    /// The generated user with this domain account.
    pub(crate) fn by_account(&self, account: &str) -> Option<u64> {
        let index = account.rsplit_once('\\')?.1.get(4..)?.parse().ok()?;
        (self.exists(Kind::User, index) && self.account(index).eq_ignore_ascii_case(account)).then_some(index)
    }

    pub(super) fn user(&self, index: u64, row: &mut Row<'_>) {
        let kind = Kind::User;
        row.text("email", &self.email(index));
        row.text("description", &self.note(kind, index));
        self.times(kind, index, row);
        row.flag("enabled", self.enabled(kind, index));
        row.text("userName", &self.name(kind, index));
        row.text("domainAccount", &self.account(index));
        row.text("timezone", "Europe/Stockholm");
        row.text("locale", LOCALES[(self.noise(kind, index, 6) % 8) as usize]);
        row.text("folder", "");
        row.text("subFolder", "");
        if row.shape().omit_optional {
            return;
        }
        for empty in
            ["alternateEmail1", "alternateEmail2", "alternateEmail3", "nickname", "company", "office"]
        {
            row.text(empty, "");
        }
        row.text("title", if index.is_multiple_of(2) { "Dr" } else { "" });
        row.text("jobTitle", "Analyst");
        row.text("department", "Finance");
    }

    pub(super) fn group(&self, index: u64, row: &mut Row<'_>) {
        self.head(Kind::Group, index, row);
        row.flag("enabled", self.enabled(Kind::Group, index));
        self.times(Kind::Group, index, row);
    }

    pub(super) fn role(&self, index: u64, row: &mut Row<'_>) {
        let name = self.name(Kind::Role, index);
        row.text("name", &name);
        row.text("description", &format!("{name}. {}", self.note(Kind::Role, index)));
        row.flag("enabled", self.enabled(Kind::Role, index));
        row.flag("hasAllActions", index == 0);
        row.flag("hasAllApps", index < 2);
        row.flag("isSystemRole", index < 3);
    }

    /// Roles of a generated user: 0 is the administrator, 1 the limited one, 2 a developer; the rest read, if anything.
    pub(crate) fn roles_of(&self, user: u64) -> Vec<Uuid> {
        let role = |index: u64| self.id(Kind::Role, index);
        match user {
            0 => vec![role(0)],
            1 => vec![role(3)],
            2 => vec![role(1)],
            _ if user.is_multiple_of(2) => vec![role(2)],
            _ => vec![role(2), role(3 + user % (self.seeded(Kind::Role) - 3))],
        }
    }

    /// Groups of a generated user: one or two.
    pub(crate) fn groups_of(&self, user: u64) -> Vec<Uuid> {
        (0..self.extent(Kind::Group))
            .filter(|group| self.exists(Kind::Group, *group) && self.in_group(user, *group))
            .map(|group| self.id(Kind::Group, group))
            .collect()
    }

    /// Is a generated user in a group?
    pub(crate) fn in_group(&self, user: u64, group: u64) -> bool {
        let groups = self.seeded(Kind::Group).max(1);
        user % groups == group || (user.is_multiple_of(3) && (user / 3) % groups == group)
    }

    /// Filters of a generated user: none or one.
    pub(crate) fn filters_of(&self, user: u64) -> Vec<Uuid> {
        let filters = self.seeded(Kind::Filter);
        let own =
            (filters > 0 && user.is_multiple_of(4)).then(|| self.noise(Kind::User, user, 8) % filters.max(1));
        own.filter(|filter| self.exists(Kind::Filter, *filter))
            .map(|filter| self.id(Kind::Filter, filter))
            .into_iter()
            .collect()
    }
}
