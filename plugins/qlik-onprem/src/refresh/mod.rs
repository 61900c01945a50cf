//! The refresh: every list that the service account may read, each to its end.
//!
//! Apps and users, of which there may be very many, are read in full once and after that only as far as they changed; see
//! `changes`. A list that is refused keeps its last good objects and says why. A list that breaks (the network, a failing
//! service, a page that cannot be read) ends the whole refresh, and the catalog stays as it was.

mod changes;
mod lists;
mod objects;
mod roles;

use crate::{client::Client, settings::Settings};
use jackfield_plugin::{
    Context, Failure,
    contract::hooks::RefreshReport,
    futures::future::{try_join, try_join_all},
    sdk::{DescriptionBuilder, End, lists::report},
};
use objects::{Form, KINDS, Kind, ROLE, USER};

/// Adds the kinds of object to the description.
pub(crate) fn objects(description: DescriptionBuilder) -> DescriptionBuilder {
    KINDS.iter().fold(description, |description, kind| {
        let description = description.objects([kind.noun]);
        // Roles are what users have: they stand behind them.
        if kind.noun == USER.noun { description.objects([ROLE]) } else { description }
    })
}

/// Brings the catalog up to date.
pub(crate) async fn run(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
    let client = Client::new(context).await?;
    // First whatever is wrong with the way there or the certificate: told once, and plainly.
    client.about().await?;
    // What an account may not see is missing without a word, and would look removed.
    client.service_account().await?.root_admin()?;
    let refresh = Refresh { context, client: &client };
    let lists = try_join_all(KINDS.iter().map(|kind| refresh.kind(kind)));
    let (mut ends, roles) = try_join(lists, refresh.roles()).await?;
    ends.push(roles);
    report(&ends, "give the service account the role RootAdmin in the QMC (Users, Edit, Admin roles)")
}

struct Refresh<'a> {
    context: &'a Context<Settings>,
    client: &'a Client<'a>,
}

impl Refresh<'_> {
    /// Reads one kind and ends it.
    async fn kind(&self, kind: &'static Kind) -> Result<End, Failure> {
        if !kind.changes.is_empty() {
            return self.changing(kind).await;
        }
        let outcome = match kind.form {
            Form::Table => self.table(kind).await.map(|read| read.count),
            Form::Whole => self.whole(kind).await,
        };
        self.context.end(kind.noun, outcome).await
    }
}
