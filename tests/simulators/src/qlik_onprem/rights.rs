//! Who calls, and what that grants. A real site evaluates rules for each row; this one knows what the rules that every
//! site begins with amount to.

use uuid::Uuid;

use crate::qlik_onprem::entities::Kind;

/// Somebody on whose behalf a request came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// GUID, when the site knows the user.
    pub(crate) id: Option<Uuid>,
    /// `DIRECTORY\id`.
    pub(crate) account: String,
    /// Roles.
    pub(crate) roles: Vec<String>,
    /// An account of the site's own services, or what has full rights for another reason.
    pub(crate) internal: bool,
}

/// What can be done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Create,
    Read,
    Update,
    Delete,
}

/// A row as far as rights are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Who owns it.
    pub(crate) owner: Option<Uuid>,
    /// Everybody may read it: what is in the stream of everyone, that stream, and custom properties.
    pub(crate) public: bool,
}

/// What each role reads and writes besides what everybody may. RootAdmin is not here: there is nothing it may not.
const GRANTS: &[(&str, &[Kind], &[Kind])] = &[
    ("AuditAdmin", ALL, &[]),
    (
        "ContentAdmin",
        &[Kind::User, Kind::CustomProperty, Kind::ExecutionResult, Kind::ServerNode, Kind::SystemRule],
        &[
            Kind::App,
            Kind::Stream,
            Kind::ReloadTask,
            Kind::ExternalProgramTask,
            Kind::UserSyncTask,
            Kind::Tag,
            Kind::Extension,
            Kind::DataConnection,
            Kind::ContentLibrary,
            Kind::SchemaEvent,
            Kind::CompositeEvent,
            Kind::AppObject,
        ],
    ),
    (
        "DeploymentAdmin",
        &[Kind::App, Kind::ServiceStatus, Kind::CustomProperty, Kind::ExecutionResult],
        &[
            Kind::ReloadTask,
            Kind::ExternalProgramTask,
            Kind::UserSyncTask,
            Kind::User,
            Kind::UserDirectory,
            Kind::Tag,
            Kind::ServerNode,
            Kind::ProxyService,
            Kind::VirtualProxy,
            Kind::EngineService,
            Kind::SchedulerService,
            Kind::SystemRule,
            Kind::SchemaEvent,
            Kind::CompositeEvent,
        ],
    ),
    (
        "SecurityAdmin",
        &[Kind::App, Kind::Stream, Kind::CustomProperty],
        &[
            Kind::User,
            Kind::UserDirectory,
            Kind::SystemRule,
            Kind::ProxyService,
            Kind::VirtualProxy,
            Kind::Tag,
        ],
    ),
    ("HubAdmin", &[Kind::App, Kind::Stream], &[]),
];
const ALL: &[Kind] = &[
    Kind::App,
    Kind::Stream,
    Kind::ReloadTask,
    Kind::ExternalProgramTask,
    Kind::UserSyncTask,
    Kind::User,
    Kind::CustomProperty,
    Kind::Tag,
    Kind::Extension,
    Kind::DataConnection,
    Kind::SystemRule,
    Kind::ContentLibrary,
    Kind::UserDirectory,
    Kind::SchemaEvent,
    Kind::CompositeEvent,
    Kind::ExecutionResult,
    Kind::AppObject,
    Kind::ServerNode,
    Kind::ProxyService,
    Kind::VirtualProxy,
    Kind::EngineService,
    Kind::SchedulerService,
    Kind::ServiceStatus,
];

impl Caller {
    /// Whoever may do everything.
    pub(crate) fn administrator() -> Self {
        Self { id: None, account: r"INTERNAL\sa_repository".to_owned(), roles: Vec::new(), internal: true }
    }

    /// Is there nothing that this one may not?
    pub(crate) fn is_root(&self) -> bool {
        self.internal || self.roles.iter().any(|role| role == "RootAdmin")
    }

    /// May something be done to every row of a kind?
    pub(crate) fn may_all(&self, right: Right, kind: Kind) -> bool {
        let granted = |role: &String| {
            let Some((_, read, written)) = GRANTS.iter().find(|(name, ..)| name == role) else {
                return false;
            };
            written.contains(&kind) || (right == Right::Read && read.contains(&kind))
        };
        self.is_root() || self.roles.iter().any(granted)
    }

    /// May something be done to a row?
    pub(crate) fn may(&self, right: Right, kind: Kind, standing: Standing) -> bool {
        let own = standing.owner.is_some() && standing.owner == self.id;
        self.may_all(right, kind)
            || match right {
                Right::Read => own || standing.public,
                Right::Update | Right::Delete => own && kind != Kind::User,
                // Whoever has signed in may make an app of their own.
                Right::Create => kind == Kind::App,
            }
    }

    /// What may be done to a row, as `privileges` tells.
    pub(crate) fn privileges(&self, kind: Kind, standing: Standing) -> Vec<&'static str> {
        [
            (Right::Create, "create"),
            (Right::Read, "read"),
            (Right::Update, "update"),
            (Right::Delete, "delete"),
        ]
        .into_iter()
        .filter(|(right, _)| self.may(*right, kind, standing))
        .map(|(_, name)| name)
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_grant_what_they_are_for() {
        let of = |role: &str| Caller {
            id: None,
            account: String::new(),
            roles: vec![role.to_owned()],
            internal: false,
        };
        for (role, right, kind, expected) in [
            ("RootAdmin", Right::Delete, Kind::VirtualProxy, true),
            ("AuditAdmin", Right::Read, Kind::VirtualProxy, true),
            ("AuditAdmin", Right::Update, Kind::Tag, false),
            ("ContentAdmin", Right::Update, Kind::App, true),
            ("ContentAdmin", Right::Read, Kind::VirtualProxy, false),
            ("DeploymentAdmin", Right::Create, Kind::VirtualProxy, true),
            ("SecurityAdmin", Right::Update, Kind::ProxyService, true),
            ("HubAdmin", Right::Read, Kind::User, false),
            ("Developer", Right::Read, Kind::App, false),
        ] {
            assert_eq!(of(role).may_all(right, kind), expected, "{role} {right:?} {kind:?}");
        }
    }
}
