//! Roles: names that users have and rules refer to. Who has one is asked role by role, because few have any.

use super::{Refresh, lists::accept, objects::ROLE};
use crate::client::quoted;
use jackfield_plugin::{
    Failure, Object,
    sdk::{End, Row, Stop},
};
use std::collections::BTreeMap;

/// The roles that every site has (Qlik help, "Default security rules").
const BUILT_IN: [&str; 6] =
    ["RootAdmin", "AuditAdmin", "ContentAdmin", "DeploymentAdmin", "SecurityAdmin", "HubAdmin"];

impl Refresh<'_> {
    /// Reads the roles and ends them.
    pub(super) async fn roles(&self) -> Result<End, Failure> {
        let outcome = self.read_roles().await;
        self.context.end(ROLE, outcome).await
    }

    async fn read_roles(&self) -> Result<u64, Stop> {
        // Names differ in letter case only where somebody mistyped one: the first spelling counts.
        let mut names: BTreeMap<String, String> =
            BUILT_IN.iter().map(|name| (name.to_ascii_lowercase(), (*name).to_owned())).collect();
        let response = self.client.whole("systemrule/security/referenceduserroles", &[]).await?;
        // A release that does not offer this list has at least the roles that every site has.
        if response.status() != 404 {
            accept(self.client, ROLE.plural, &response)?;
            for name in response.page::<Vec<String>>()? {
                names.entry(name.to_ascii_lowercase()).or_insert(name);
            }
        }
        for name in names.values() {
            let filter = format!("roles eq {}", quoted(name));
            let response = self.client.whole("user", &[("filter", &filter)]).await?;
            accept(self.client, ROLE.plural, &response)?;
            let users: Vec<Row<'_>> = response.page()?;
            let role = Object::new(name.as_str(), name.as_str());
            let role = users.iter().fold(role, |role, user| role.link("member", "user", user.text("id")));
            self.context.catalog().put(ROLE.id, vec![role], response.exchange()).await?;
        }
        Ok(names.len() as u64)
    }
}
