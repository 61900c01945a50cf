//! Who is calling: the bearer token, checked, and what it may do: the rights of the user's roles, cut down to the
//! token's scopes.

use crate::qlik_cloud::data::{Catalog, Kind};
use crate::qlik_cloud::directory::Directory;
use crate::qlik_cloud::problem::Problem;
use crate::qlik_cloud::roles::{Role, covers};
use crate::qlik_cloud::tokens::{API_KEYS, Claims};
use crate::qlik_cloud::world::World;

/// The caller of one request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// User id.
    pub(crate) user: String,
    /// Index of a generated user.
    pub(crate) index: Option<u64>,
    /// Roles now, not when the token was issued.
    pub(crate) roles: Vec<Role>,
    /// What every user may do.
    user_default: Vec<String>,
    /// Scopes of an OAuth token; an API key has none and is not limited.
    pub(crate) scopes: Option<Vec<String>>,
}

impl Caller {
    /// Checks a bearer token.
    pub(crate) fn identify(world: &World, token: &str) -> Result<Self, Problem> {
        let claims = world.signer.verify(token).ok_or_else(Problem::unauthorized)?;
        if claims.tenant_id != world.tenant_id {
            return Err(Problem::new(403, "AUTH-5", "Forbidden").detail("User is not a member of tenant"));
        }
        let caller = Self::of(world, &claims)?;
        if claims.iss == API_KEYS && !caller.role_grants("api-keys") {
            return Err(Problem::unauthorized());
        }
        Ok(caller)
    }

    fn of(world: &World, claims: &Claims) -> Result<Self, Problem> {
        let directory = world.directory();
        let dead = if claims.iss == API_KEYS {
            directory.keys.get(&claims.jti).is_none_or(|key| key.status() != "active")
        } else {
            directory.revoked_tokens.contains(&claims.jti)
        };
        let scopes = claims.scope.as_ref().map(|scope| scope.split(' ').map(str::to_owned).collect());
        if dead { Err(Problem::unauthorized()) } else { Self::active(world, &directory, &claims.sub, scopes) }
    }

    /// A user who signed in as a browser does: limited by nothing but the roles.
    pub(crate) fn of_session(world: &World, user: &str) -> Result<Self, Problem> {
        Self::active(world, &world.directory(), user, None)
    }

    fn active(
        world: &World,
        directory: &Directory,
        user: &str,
        scopes: Option<Vec<String>>,
    ) -> Result<Self, Problem> {
        if world.user_status(directory, user).as_deref() != Some("active") {
            return Err(Problem::unauthorized());
        }
        Ok(Self {
            index: world.catalog().find_object(Kind::User, user),
            roles: world.roles_of(directory, user),
            user_default: directory.user_default.clone(),
            user: user.to_owned(),
            scopes,
        })
    }

    /// Does the user have one of these roles?
    pub(crate) fn has_role(&self, names: &[&str]) -> bool {
        self.roles.iter().any(|role| names.contains(&role.name.as_str()))
    }

    /// Is the user a tenant's admin?
    pub(crate) fn is_tenant_admin(&self) -> bool {
        self.has_role(&["TenantAdmin"])
    }

    /// Do the user's roles grant a scope?
    pub(crate) fn role_grants(&self, scope: &str) -> bool {
        let roles = self.roles.iter().flat_map(|role| &role.scopes);
        roles.chain(&self.user_default).any(|held| covers(held, scope))
    }

    /// Does the token grant a scope?
    pub(crate) fn token_grants(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|held| covers(held, scope)))
    }

    /// Roles and token together.
    pub(crate) fn may(&self, scope: &str) -> bool {
        self.role_grants(scope) && self.token_grants(scope)
    }

    /// May the caller administer what has no narrow scope?
    pub(crate) fn administers(&self) -> bool {
        self.is_tenant_admin() && self.token_grants("admin_classic")
    }

    /// Everything that the caller's roles grant, as `users/me` shows it.
    pub(crate) fn assigned_scopes(&self) -> Vec<String> {
        let roles = self.roles.iter().flat_map(|role| &role.scopes);
        let mut scopes: Vec<String> = roles.chain(&self.user_default).cloned().collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }

    /// Which rows of a kind the caller sees.
    pub(crate) fn sight(&self, kind: Kind) -> Sight {
        let (every, own): (&str, &str) = match kind {
            Kind::App | Kind::Task | Kind::Note => ("admin.apps:read", "apps:read"),
            Kind::Space => ("admin.spaces:read", "spaces.shared:read"),
            Kind::User => ("admin.users:read", "users:read"),
            Kind::Automation => ("admin.automations:read", "automations:read"),
            Kind::DataSet | Kind::DataFile => ("admin.dataset:read", "dataset:read"),
            Kind::DataConnection => ("admin.data-connections:read", "data-connections:read"),
            Kind::SharingTask | Kind::ReportTemplate => ("admin.report-tasks:read", "apps.report:all"),
            Kind::Reload => ("admin.apps:read", "apps:read"),
            Kind::Group | Kind::Audit => ("admin_classic", "admin_classic"),
        };
        // These have no scope for the whole tenant: an admin who may read them reads all of them.
        let no_admin_scope = matches!(kind, Kind::DataSet | Kind::DataFile | Kind::DataConnection);
        if self.may(every) || (no_admin_scope && self.is_tenant_admin() && self.token_grants(own)) {
            Sight::All
        } else if self.may(own) || (kind == Kind::Space && self.reads_some_space()) {
            Sight::Own
        } else {
            Sight::Nothing
        }
    }

    fn reads_some_space(&self) -> bool {
        ["spaces.managed:read", "spaces.data:read"].iter().any(|scope| self.may(scope))
    }

    /// Does the caller see one row of a kind?
    pub(crate) fn sees(&self, sight: Sight, catalog: &Catalog, kind: Kind, index: u64) -> bool {
        match sight {
            Sight::All => true,
            Sight::Nothing => false,
            Sight::Own if kind == Kind::User => true,
            Sight::Own if kind == Kind::Space => {
                self.may(&format!("spaces.{}:read", catalog.space_type(index)))
                    && (self.index == Some(catalog.owner(kind, index))
                        || catalog.is_member(&self.user, index))
            }
            Sight::Own => {
                self.index == Some(catalog.owner(kind, index))
                    || catalog.space(kind, index).is_some_and(|space| catalog.is_member(&self.user, space))
            }
        }
    }
}

/// How much of a kind is visible. Restricted callers get fewer rows, not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The whole tenant.
    All,
    /// What the user owns or shares a space with.
    Own,
    /// Nothing.
    Nothing,
}
