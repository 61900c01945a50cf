//! Who the caller is, and what is known of its rights.

use super::Key;
use jackfield_plugin::{Blame, Failure, Response, Stage, sdk::Row};
use serde::de::IgnoredAny;

/// The user whom the credential stands for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// Its id.
    pub(crate) id: String,
    /// The tenant that it belongs to, if that is said.
    pub(super) tenant: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Its roles, its own and those of its groups. `None` if the tenant does not say.
    pub(crate) roles: Option<Vec<String>>,
    /// The permissions that its roles give it, as far as the tenant says.
    pub(crate) permissions: Vec<String>,
    /// The scopes of its token. `None` if the tenant does not say.
    pub(crate) scopes: Option<Vec<String>>,
    /// The API key that it signed in with; `None` for an OAuth client.
    pub(crate) key: Option<Key>,
}

impl Caller {
    /// Reads the caller's own user object.
    pub(super) fn read(response: &Response, scope: Option<&str>, key: Option<Key>) -> Result<Self, Failure> {
        if let Err(failure) = response.json::<IgnoredAny>() {
            return Err(failure
                .context("the tenant did not say who the caller is")
                .remedy("check that the tenant URL leads straight to the tenant"));
        }
        Self::of(&super::fields(response), scope, key).map_err(|failure| failure.status(response.status()))
    }

    fn of(me: &Row<'_>, scope: Option<&str>, key: Option<Key>) -> Result<Self, Failure> {
        let Some(id) = me.text("id") else {
            return Err(Failure::remote("the tenant answered the question who the caller is without a user")
                .remedy("check that the tenant URL leads straight to the tenant"));
        };
        let name = me.text("name").unwrap_or_else(|| id.clone()).into_owned();
        if let Some(status @ ("disabled" | "deleted")) = me.text("status").as_deref() {
            return Err(Failure::new(
                Blame::Credential,
                format!("the user \"{name}\" is {status} in the tenant"),
            )
            .at(Stage::SignIn)
            .remedy("enable the user: Administration activity center, Manage users, All users"));
        }
        let groups = me.rows("assignedGroups");
        let of_groups = groups.iter().flat_map(|group| group.rows("assignedRoles"));
        let mut roles: Vec<String> = Vec::new();
        for role in me.rows("assignedRoles").into_iter().chain(of_groups) {
            let role = role.text("name").map(|name| name.into_owned());
            roles.extend(role.filter(|role| !roles.contains(role)));
        }
        Ok(Caller {
            id: id.into_owned(),
            tenant: me.text("tenantId").map(|tenant| tenant.into_owned()),
            name,
            // A bot user has the rights of a Tenant Admin before anyone gives it a role: no roles is not known roles.
            roles: Some(roles).filter(|roles| !roles.is_empty()),
            permissions: me.texts("assignedScopes"),
            scopes: scope.map(|scope| scope.split_whitespace().map(str::to_owned).collect()),
            key,
        })
    }

    /// What kind of user it is, for a sentence.
    pub(crate) fn noun(&self) -> &'static str {
        if self.key.is_some() { "user" } else { "bot user" }
    }

    /// Who it is and what it may do, for the line of the test.
    pub(crate) fn introduction(&self) -> String {
        let mut text = format!("signed in as the {} \"{}\"", self.noun(), self.name);
        match &self.roles {
            Some(roles) => {
                let roles: Vec<_> = roles.iter().map(|role| spaced(role)).collect();
                text.push_str(&format!(", roles: {}", roles.join(", ")));
            }
            None => text.push_str(", the tenant does not tell its roles"),
        }
        if let Some(scopes) = &self.scopes {
            text.push_str(&format!("; scopes: {}", scopes.join(" ")));
        }
        if let Some(remark) = self.key.as_ref().and_then(Key::remark) {
            text.push_str(&format!("; {remark}"));
        }
        text
    }
}

/// A role's name as the screens of the tenant write it: `TenantAdmin` is "Tenant Admin".
pub(super) fn spaced(role: &str) -> String {
    if role.contains(' ') || role.contains('-') {
        return role.to_owned();
    }
    let mut text = String::with_capacity(role.len() + 4);
    let mut before = ' ';
    for letter in role.chars() {
        if letter.is_ascii_uppercase() && before.is_ascii_lowercase() {
            text.push(' ');
        }
        text.push(letter);
        before = letter;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(me: &str, scope: Option<&str>) -> Result<Caller, Failure> {
        Caller::of(&serde_json::from_str(me).unwrap(), scope, None)
    }

    #[test]
    fn roles_come_from_the_user_and_from_its_groups() {
        let me = r#"{"id":"1","name":"Kit","assignedRoles":[{"name":"AnalyticsAdmin"},{"name":"Webhook users"}],
            "assignedGroups":[{"assignedRoles":[{"name":"AnalyticsAdmin"},{"name":"Steward"}]},{}],"assignedScopes":null}"#;
        let caller = of(me, Some("webhooks  admin.apps:read")).unwrap();
        assert_eq!(
            caller.introduction(),
            "signed in as the bot user \"Kit\", roles: Analytics Admin, Webhook users, Steward; scopes: webhooks admin.apps:read"
        );
    }

    #[test]
    fn no_roles_is_not_known_roles() {
        assert_eq!(of(r#"{"id":"1","assignedRoles":[]}"#, None).unwrap().roles, None);
    }

    #[test]
    fn a_disabled_user_has_not_signed_in() {
        let failure = of(r#"{"id":"1","name":"Kit","status":"disabled"}"#, None).unwrap_err();
        assert_eq!(failure.message, "the user \"Kit\" is disabled in the tenant");
    }
}
