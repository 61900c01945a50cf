//! Rights: roles grant permissions on apps; whoever lacks one sees fewer rows, not an error.

use std::collections::HashSet;

use uuid::Uuid;

use crate::nprinting::data::{Catalog, Kind};

/// What a role may grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See apps.
    Apps,
    /// See connections.
    Connections,
    /// See filters.
    Filters,
    /// See reports.
    Reports,
    /// See tasks and their executions.
    Tasks,
    /// See everybody's On-Demand requests.
    Requests,
    /// See users.
    Users,
    /// See groups.
    Groups,
    /// See roles.
    Roles,
    /// See the audit trail.
    Audit,
    /// Create, change and remove what may be seen.
    Edit,
    /// Start and abort executions and reloads.
    Run,
}

/// A role to be made by a test.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// Name.
    pub name: String,
    /// A disabled role grants nothing.
    pub enabled: bool,
    /// `hasAllActions`.
    pub all_actions: bool,
    /// `hasAllApps`.
    pub all_apps: bool,
    /// GUIDs of the apps where not all.
    pub apps: Vec<String>,
    /// What it grants where not all.
    pub permissions: Vec<Permission>,
}

impl Default for NewRole {
    fn default() -> Self {
        Self {
            name: "Readers".to_owned(),
            enabled: true,
            all_actions: false,
            all_apps: false,
            apps: Vec::new(),
            permissions: vec![
                Permission::Apps,
                Permission::Connections,
                Permission::Filters,
                Permission::Reports,
                Permission::Tasks,
            ],
        }
    }
}

/// What one role grants.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Every permission.
    pub(crate) all_actions: bool,
    /// These, where not every one.
    pub(crate) permissions: Vec<Permission>,
    /// On which apps.
    pub(crate) apps: Apps,
}

/// Which apps.
#[derive(Debug, Clone)]
pub(crate) enum Apps {
    /// All.
    All,
    /// About half of the generated ones, chosen by the role's index: always the first, never the second.
    Half(u64),
    /// These.
    These(HashSet<Uuid>),
}

impl Grant {
    /// What a generated role grants; the system role «User» grants nothing.
    pub(crate) fn generated(role: u64) -> Self {
        let reading = NewRole::default().permissions;
        match role {
            0 => Self { all_actions: true, permissions: Vec::new(), apps: Apps::All },
            1 => {
                let more = [Permission::Requests, Permission::Edit, Permission::Run];
                let permissions = reading.into_iter().chain(more).collect();
                Self { all_actions: false, permissions, apps: Apps::All }
            }
            2 => Self { all_actions: false, permissions: Vec::new(), apps: Apps::These(HashSet::new()) },
            _ => Self { all_actions: false, permissions: reading, apps: Apps::Half(role) },
        }
    }

    fn has(&self, permission: Permission) -> bool {
        self.all_actions || self.permissions.contains(&permission)
    }

    fn covers(&self, catalog: &Catalog, app: &App) -> bool {
        match (&self.apps, app) {
            (Apps::All, _) => true,
            (Apps::Half(_), App::Made(_)) => false,
            (Apps::Half(role), App::Generated(app)) => match app {
                0 => true,
                1 => false,
                app => catalog.noise(Kind::App, *app, 100 + role).is_multiple_of(2),
            },
            (Apps::These(apps), App::Made(id)) => apps.contains(id),
            (Apps::These(apps), App::Generated(app)) => {
                !apps.is_empty() && apps.contains(&catalog.id(Kind::App, *app))
            }
        }
    }
}

/// An app that a row is or belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum App {
    /// By index.
    Generated(u64),
    /// One made at run time, by GUID.
    Made(Uuid),
}

impl App {
    /// By GUID.
    pub(crate) fn of(catalog: &Catalog, id: Uuid) -> Self {
        catalog.find(Kind::App, id).map_or(Self::Made(id), Self::Generated)
    }
}

/// The caller of one request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// GUID of the user.
    pub(crate) user: Uuid,
    /// What the user's enabled roles grant.
    pub(crate) grants: Vec<Grant>,
}

impl Caller {
    /// Is a permission granted anywhere?
    pub(crate) fn has(&self, permission: Permission) -> bool {
        self.grants.iter().any(|grant| grant.has(permission))
    }

    /// Is a permission granted on an app?
    pub(crate) fn may(&self, permission: Permission, catalog: &Catalog, app: Option<App>) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.has(permission) && app.as_ref().is_none_or(|app| grant.covers(catalog, app)))
    }
}

/// What it takes to see a kind.
pub(crate) fn to_see(kind: Kind) -> Permission {
    match kind {
        Kind::App => Permission::Apps,
        Kind::Connection => Permission::Connections,
        Kind::Filter => Permission::Filters,
        Kind::Report => Permission::Reports,
        Kind::Task | Kind::Execution => Permission::Tasks,
        Kind::User => Permission::Users,
        Kind::Group => Permission::Groups,
        Kind::Role => Permission::Roles,
        Kind::Request => Permission::Requests,
        Kind::Audit => Permission::Audit,
    }
}
