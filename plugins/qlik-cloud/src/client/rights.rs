//! Which right is missing. The tenant never says: a 403 is just "Forbidden". So it is computed from what is known of the
//! caller (the scopes of its token, its roles) and from what each list needs, and the narrowest that works is named.

use super::{Caller, List, Refusal, caller::spaced};

/// The role that sees the content of the whole tenant.
pub(super) const ANALYTICS_ADMIN: &str = "AnalyticsAdmin";
/// The role that may do everything.
pub(super) const TENANT_ADMIN: &str = "TenantAdmin";

/// What a list needs.
#[derive(Debug)]
pub(crate) struct Need {
    /// The narrowest scope that shows all of it, if one is documented.
    pub(super) scope: Option<&'static str>,
    /// Scopes that show what belongs to the caller or to its spaces.
    pub(super) own: &'static [&'static str],
    /// Roles that see all of it, the narrowest first; none if every user may see it.
    pub(super) roles: &'static [&'static str],
    /// Only a Tenant Admin is documented to read it for sure.
    pub(super) tenant_admin: bool,
    /// Ask even if the right seems to be missing: the list matters, or nobody documents the right for certain.
    pub(super) ask: bool,
}

/// What is worth asking for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Everything.
    All,
    /// What the tenant will show; this is why it may not be everything.
    Part(String),
    /// Nothing; this is why.
    Skip(String),
}

/// A right that is missing, or the causes left when none is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What it is.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) remedy: Option<String>,
}

impl Caller {
    /// Whether the token covers a scope. `None` if the tenant does not tell its scopes. API keys cannot be narrowed.
    fn covers(&self, scope: &str) -> Option<bool> {
        if self.key.is_some() {
            return Some(true);
        }
        self.scopes.as_ref().map(|scopes| granted(scopes, scope))
    }

    /// Whether the caller has one of the roles, or a custom role that amounts to it for this scope.
    fn holds(&self, roles: &[&str], scope: Option<&str>) -> Option<bool> {
        if roles.is_empty() || scope.is_some_and(|scope| granted(&self.permissions, scope)) {
            return Some(true);
        }
        let held = self.roles.as_ref()?;
        Some(held.iter().any(|held| roles.iter().any(|role| same_role(held, role))))
    }

    /// Whether its roles include Tenant Admin.
    pub(crate) fn is_tenant_admin(&self) -> Option<bool> {
        self.holds(&[TENANT_ADMIN], None)
    }

    /// What to ask for of a list.
    pub(crate) fn plan(&self, list: &List) -> Plan {
        let need = &list.need;
        let all = need.scope.is_none_or(|scope| self.covers(scope) != Some(false));
        let part = need.own.iter().any(|scope| self.covers(scope) != Some(false));
        let role = self.holds(need.roles, need.scope);
        if role == Some(false) && need.tenant_admin {
            let only = self.tenant_admin_only(list);
            return if need.ask { Plan::Part(only) } else { Plan::Skip(only) };
        }
        if all && role != Some(false) {
            return Plan::All;
        }
        let Some(missing) = self.lacks(need) else { return Plan::All };
        if all || part || need.ask { Plan::Part(missing.what) } else { Plan::Skip(missing.with_remedy()) }
    }

    /// Why an empty list may be no empty list: a token without the scope is shown none, and which scopes a token has is
    /// not always told.
    pub(crate) fn doubt(&self, list: &List) -> Option<String> {
        let scope = list.need.scope.filter(|scope| self.covers(scope).is_none())?;
        Some(format!(
            "the tenant showed none, and does not tell the scopes of its tokens: either there are none, or scope \"{scope}\" is missing on the OAuth client"
        ))
    }

    /// Why a list was refused.
    pub(crate) fn explain(&self, list: &List, refusal: &Refusal) -> Missing {
        let need = &list.need;
        let refused = format!("the tenant refused ({})", refusal.with_trace());
        let role = self.holds(need.roles, need.scope);
        if role == Some(false) && need.tenant_admin {
            return Missing { what: format!("{refused}: {}", self.tenant_admin_only(list)), remedy: None };
        }
        if let Some(missing) = self.lacks(need) {
            return Missing { what: format!("{refused}: {}", missing.what), remedy: missing.remedy };
        }
        if need.tenant_admin && self.is_tenant_admin() != Some(true) {
            return Missing { what: format!("{refused}: {}", self.tenant_admin_only(list)), remedy: None };
        }
        let (cause, remedy) = match need.scope {
            Some(scope) if self.covers(scope).is_none() => (
                format!("the tenant does not tell the scopes of its tokens; probably {}", lacking(scope)),
                ADD_SCOPE.to_owned(),
            ),
            None if self.key.is_none()
                && !self.scopes.as_deref().is_some_and(|scopes| granted(scopes, EVERYTHING)) =>
            {
                (
                    "the scopes of the OAuth client are probably too narrow".to_owned(),
                    format!(
                        "nobody documents a scope for this list, but \"{EVERYTHING}\" covers it, if it is worth that much"
                    ),
                )
            }
            _ => (
                "the known scopes and roles cover it, so the cause lies elsewhere".to_owned(),
                format!(
                    "check whether the {} has a licence, is a member of the spaces concerned, is kept out by an IP allow list{}",
                    self.noun(),
                    if self.key.is_some() {
                        ""
                    } else {
                        ", and whether the client's consent method is Trusted"
                    }
                ),
            ),
        };
        Missing { what: format!("{refused}: {cause}"), remedy: Some(remedy) }
    }

    /// The first requirement that is known not to be met.
    fn lacks(&self, need: &Need) -> Option<Missing> {
        if let Some(scope) = need.scope.filter(|scope| self.covers(scope) == Some(false)) {
            return Some(Missing { what: lacking(scope), remedy: Some(ADD_SCOPE.to_owned()) });
        }
        if self.holds(need.roles, need.scope) == Some(false) {
            let role = spaced(need.roles.first()?);
            return Some(Missing {
                what: format!("role \"{role}\" is missing on the {} \"{}\"", self.noun(), self.name),
                remedy: Some(format!(
                    "add it in the tenant: Administration activity center, Manage users, All users, \"{}\", roles",
                    self.name
                )),
            });
        }
        let scope = need.scope.filter(|_| need.roles.is_empty() && !self.permissions.is_empty())?;
        if self.key.is_none() || granted(&self.permissions, scope) || self.is_tenant_admin() == Some(true) {
            return None;
        }
        Some(Missing {
            what: format!(
                "permission \"{scope}\" is missing: no role of the user \"{}\" gives it",
                self.name
            ),
            remedy: Some("add it in the tenant to User Default or to a custom role of the user".to_owned()),
        })
    }

    fn tenant_admin_only(&self, list: &List) -> String {
        let only = format!("only a Tenant Admin may list the {} of a whole tenant", list.plural);
        match &self.roles {
            Some(roles) => {
                let roles: Vec<_> = roles.iter().map(|role| spaced(role)).collect();
                format!("{only}, and the {} \"{}\" is {}", self.noun(), self.name, roles.join(", "))
            }
            None => only,
        }
    }
}

impl Missing {
    /// Both in one sentence.
    pub(crate) fn with_remedy(self) -> String {
        match self.remedy {
            Some(remedy) => format!("{}; {remedy}", self.what),
            None => self.what,
        }
    }
}

/// The scope of everything.
const EVERYTHING: &str = "admin_classic";
/// The scope of everything that the caller's own account may do; the narrowest for what the documents give no scope.
pub(super) const ACCOUNT: &str = "user_default";

const ADD_SCOPE: &str =
    "add it in the tenant: Administration activity center, Integrations, OAuth, the client, scopes";

fn lacking(scope: &str) -> String {
    match scope {
        ACCOUNT => format!(
            "the documents name no narrower scope for this list than \"{scope}\", and it is missing on the OAuth client"
        ),
        _ => format!("scope \"{scope}\" is missing on the OAuth client"),
    }
}

/// Whether scopes cover one: it itself, its parent, its tenant-wide form, or a scope for everything.
fn granted(scopes: &[String], wanted: &str) -> bool {
    let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
    let has_with_parent =
        |scope: &str| has(scope) || scope.split_once(':').is_some_and(|(parent, _)| has(parent));
    if has(EVERYTHING) || has_with_parent(wanted) {
        return true;
    }
    if wanted.starts_with("admin") {
        return false;
    }
    let action = wanted.split_once(':').map(|(_, action)| format!(":{action}")).unwrap_or_default();
    let area = wanted.split(['.', ':']).next().unwrap_or(wanted);
    has(ACCOUNT)
        || has_with_parent(&format!("admin.{wanted}"))
        || has_with_parent(&format!("admin.{area}{action}"))
}

/// Roles have one name in the API and another, with spaces, on the screen.
fn same_role(left: &str, right: &str) -> bool {
    let letters = |role: &str| role.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    letters(left).eq_ignore_ascii_case(&letters(right))
}

#[cfg(test)]
mod tests;
