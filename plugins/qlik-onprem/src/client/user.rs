//! The service account, as the site knows it.

use super::{BUILT_IN, Client, quoted};
use crate::settings::{DIRECTORY, USER};
use jackfield_plugin::{Blame, Failure, Response, Stage, sdk::Row};
use serde::Deserialize;

/// The role that has all rights.
const ROOT_ADMIN: &str = "RootAdmin";

/// A user of the site.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// As a person writes it.
    account: String,
    /// Its name.
    name: String,
    /// Its administrator roles.
    roles: Vec<String>,
    /// What keeps it from being used.
    obstacle: Option<&'static str>,
    /// One of the site's own accounts, which have all rights whatever their roles show.
    built_in: bool,
}

/// The answer to a question for a number. Scalars come wrapped.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Count {
    Wrapped {
        #[serde(alias = "Value")]
        value: u64,
    },
    Bare(u64),
}

impl Count {
    pub(super) fn read(response: &Response) -> Result<u64, Failure> {
        Ok(match response.page::<Count>()? {
            Count::Wrapped { value } | Count::Bare(value) => value,
        })
    }
}

impl Client<'_> {
    /// Looks the service account up.
    ///
    /// # Errors
    /// There is none, or it cannot be used; the failure names the setting to bring into line.
    pub(crate) async fn service_account(&self) -> Result<User, Failure> {
        let (directory, user) = self.context.settings().identity()?;
        let filter = format!("userDirectory eq {} and userId eq {}", quoted(directory), quoted(user));
        let request = self.request("GET", "user/full", &[("filter", &filter)]);
        let response =
            self.accept(self.send_as(request, BUILT_IN).await?, "to look the service account up")?;
        let rows: Vec<Row<'_>> = response.page()?;
        let same = |row: &&Row<'_>, name: &str, value: &str| {
            row.text(name).is_some_and(|text| text.eq_ignore_ascii_case(value))
        };
        let found =
            rows.iter().find(|row| same(row, "userDirectory", directory) && same(row, "userId", user));
        match found {
            Some(row) => self.usable(User::of(row, directory, user)),
            None => Err(self.unknown(directory).await?),
        }
    }

    fn usable(&self, user: User) -> Result<User, Failure> {
        let Some(obstacle) = user.obstacle else { return Ok(user) };
        Err(Failure::new(Blame::Credential, format!("the user \"{}\" {obstacle}", user.account))
            .at(Stage::SignIn)
            .remedy("put that right in the QMC (Users), or bring \"User directory\" and \"Service account user\" into line with another account")
            .field(USER))
    }

    /// Why there is no such user: which of the two settings it is.
    async fn unknown(&self, directory: &str) -> Result<Failure, Failure> {
        let filter = format!("userDirectory eq {}", quoted(directory));
        let request = self.request("GET", "user/count", &[("filter", &filter)]);
        let response =
            self.accept(self.send_as(request, BUILT_IN).await?, "to count the users of a directory")?;
        let account = self.context.settings().account();
        let failure = |message: String| Failure::new(Blame::You, message).at(Stage::SignIn);
        Ok(match Count::read(&response)? {
            0 => failure(format!("the site has no user \"{account}\", and nobody else in that user directory"))
                .remedy("bring \"User directory\" into line with what the QMC shows under Users")
                .field(DIRECTORY),
            others => failure(format!("the site has no user \"{account}\", but {others} others in that user directory"))
                .remedy("bring \"Service account user\" into line with the user ID (not the name) that the QMC shows under Users; a new account appears there after its directory was synchronised, or after it has signed in once")
                .field(USER),
        })
    }
}

impl User {
    fn of(row: &Row<'_>, directory: &str, user: &str) -> User {
        let is = |name: &str| row.raw(name) == Some("true");
        let obstacle = match () {
            () if is("blacklisted") => Some("is blocked on the site"),
            () if is("removedExternally") => Some("was removed from its user directory"),
            () if is("inactive") => Some("is inactive on the site"),
            () => None,
        };
        User {
            account: format!("{directory}\\{user}"),
            name: row.text("name").unwrap_or_default().into_owned(),
            roles: row.texts("roles"),
            obstacle,
            built_in: directory.eq_ignore_ascii_case("INTERNAL")
                && user.to_ascii_lowercase().starts_with("sa_"),
        }
    }

    /// Who it is, for the line of the test.
    pub(crate) fn introduction(&self) -> String {
        match self.name.as_str() {
            "" => format!("\"{}\" is a user of the site", self.account),
            name => format!("\"{}\" is a user of the site ({name})", self.account),
        }
    }

    /// That it has all rights.
    ///
    /// # Errors
    /// It has not.
    pub(crate) fn root_admin(&self) -> Result<String, Failure> {
        if self.roles.iter().any(|role| role.eq_ignore_ascii_case(ROOT_ADMIN)) {
            return Ok(format!("\"{}\" has the role {ROOT_ADMIN}", self.account));
        }
        if self.built_in {
            return Ok(format!(
                "\"{}\" is one of the site's own accounts, which have all rights",
                self.account
            ));
        }
        let roles = match self.roles.join(", ") {
            none if none.is_empty() => "no administrator role".to_owned(),
            roles => format!("only the administrator roles {roles}"),
        };
        let message = format!("the user \"{}\" has {roles}, not {ROOT_ADMIN}", self.account);
        Err(Failure::new(Blame::Credential, message)
            .at(Stage::Permission)
            .remedy("give it the role RootAdmin in the QMC (Users, Edit, Admin roles), or bring \"Service account user\" and \"User directory\" into line with an account that has it")
            .field(USER))
    }
}
