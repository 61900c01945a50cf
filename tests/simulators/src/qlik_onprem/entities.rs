//! The kinds of rows: under which path each is found, what it is called, what its short form shows, what a new one needs.

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    App = 1,
    Stream,
    ReloadTask,
    ExternalProgramTask,
    UserSyncTask,
    User,
    CustomProperty,
    Tag,
    Extension,
    DataConnection,
    SystemRule,
    ContentLibrary,
    UserDirectory,
    SchemaEvent,
    CompositeEvent,
    ExecutionResult,
    AppObject,
    ServerNode,
    ProxyService,
    VirtualProxy,
    EngineService,
    SchedulerService,
    ServiceStatus,
}

/// One more than the last kind.
pub(crate) const KINDS: usize = 24;

/// What is known of a kind.
pub(crate) struct Entity {
    /// The kind.
    pub(crate) kind: Kind,
    /// Its path below `/qrs/`, in lower case.
    pub(crate) path: &'static str,
    /// Its type, which is also the `schemaPath` of a row.
    pub(crate) name: &'static str,
    /// Members of the short form besides `id` and `privileges`.
    pub(crate) condensed: &'static [&'static str],
    /// Members that a new row must have.
    pub(crate) required: &'static [&'static str],
    /// Can rows be made and removed by clients?
    pub(crate) open: bool,
}

const fn entity(
    kind: Kind,
    path: &'static str,
    name: &'static str,
    condensed: &'static [&'static str],
    required: &'static [&'static str],
    open: bool,
) -> Entity {
    Entity { kind, path, name, condensed, required, open }
}

const NAME: &[&str] = &["name"];
const TASK: &[&str] = &["name", "taskType", "enabled", "operational"];
const SERVICE: &[&str] = &["serverNodeConfiguration"];

/// All of them.
pub(crate) const ENTITIES: &[Entity] = &[
    entity(
        Kind::App,
        "app",
        "App",
        &[
            "name",
            "appId",
            "publishTime",
            "published",
            "stream",
            "savedInProductVersion",
            "migrationHash",
            "availabilityStatus",
        ],
        NAME,
        true,
    ),
    entity(Kind::Stream, "stream", "Stream", NAME, NAME, true),
    entity(Kind::ReloadTask, "reloadtask", "ReloadTask", TASK, &["name", "app"], true),
    entity(Kind::ExternalProgramTask, "externalprogramtask", "ExternalProgramTask", TASK, NAME, true),
    entity(Kind::UserSyncTask, "usersynctask", "UserSyncTask", TASK, NAME, true),
    entity(
        Kind::User,
        "user",
        "User",
        &["userId", "userDirectory", "userDirectoryConnectorName", "name"],
        &["userId", "userDirectory"],
        true,
    ),
    entity(
        Kind::CustomProperty,
        "custompropertydefinition",
        "CustomPropertyDefinition",
        &["name", "valueType", "choiceValues"],
        &["name", "objectTypes"],
        true,
    ),
    entity(Kind::Tag, "tag", "Tag", NAME, NAME, true),
    entity(Kind::Extension, "extension", "Extension", NAME, NAME, true),
    entity(
        Kind::DataConnection,
        "dataconnection",
        "DataConnection",
        &["name", "connectionstring", "type", "engineObjectId", "username", "password", "logOn"],
        &["name", "connectionstring"],
        true,
    ),
    entity(
        Kind::SystemRule,
        "systemrule",
        "SystemRule",
        &["name", "category", "type"],
        &["name", "category"],
        true,
    ),
    entity(Kind::ContentLibrary, "contentlibrary", "ContentLibrary", &["name", "type"], NAME, true),
    entity(
        Kind::UserDirectory,
        "userdirectory",
        "UserDirectory",
        &["name", "userDirectoryName", "type"],
        NAME,
        true,
    ),
    entity(Kind::SchemaEvent, "schemaevent", "SchemaEvent", &["name", "enabled", "eventType"], NAME, true),
    entity(
        Kind::CompositeEvent,
        "compositeevent",
        "CompositeEvent",
        &["name", "enabled", "eventType"],
        NAME,
        true,
    ),
    entity(Kind::ExecutionResult, "executionresult", "ExecutionResult", &["taskID", "status"], &[], false),
    entity(
        Kind::AppObject,
        "app/object",
        "App.Object",
        &["name", "objectType", "published", "approved"],
        &[],
        false,
    ),
    entity(
        Kind::ServerNode,
        "servernodeconfiguration",
        "ServerNodeConfiguration",
        &["name", "hostName", "temporaryfilepath", "roles", "serviceCluster"],
        NAME,
        false,
    ),
    entity(Kind::ProxyService, "proxyservice", "ProxyService", SERVICE, &[], false),
    entity(
        Kind::VirtualProxy,
        "virtualproxyconfig",
        "VirtualProxyConfig",
        &[
            "prefix",
            "description",
            "authenticationModuleRedirectUri",
            "sessionModuleBaseUri",
            "loadBalancingModuleBaseUri",
            "useStickyLoadBalancing",
            "loadBalancingServerNodes",
            "authenticationMethod",
            "headerAuthenticationMode",
            "anonymousAccessMode",
            "windowsAuthenticationEnabledDevicePattern",
            "sessionCookieHeaderName",
            "sessionCookieDomain",
            "additionalResponseHeaders",
            "sessionInactivityTimeout",
            "extendedSecurityEnvironment",
            "websocketCrossOriginWhiteList",
            "defaultVirtualProxy",
            "tags",
        ],
        &["sessionCookieHeaderName"],
        true,
    ),
    entity(Kind::EngineService, "engineservice", "EngineService", SERVICE, &[], false),
    entity(Kind::SchedulerService, "schedulerservice", "SchedulerService", SERVICE, &[], false),
    entity(
        Kind::ServiceStatus,
        "servicestatus",
        "ServiceStatus",
        &["serviceType", "serviceState", "timestamp"],
        &[],
        false,
    ),
];

/// Tasks of all kinds are one list, too.
pub(crate) const TASKS: &[Kind] = &[Kind::ReloadTask, Kind::ExternalProgramTask, Kind::UserSyncTask];

impl Kind {
    /// What is known of it.
    pub(crate) fn entity(self) -> &'static Entity {
        // Entities stand in the order of kinds.
        &ENTITIES[self as usize - 1]
    }

    /// The kind found under a path in lower case; the gates take the slash out of those that have one.
    pub(crate) fn at(path: &str) -> Option<Self> {
        ENTITIES.iter().find(|entity| entity.path.replace('/', "") == path).map(|entity| entity.kind)
    }

    /// The kind of a type's name in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ENTITIES.iter().find(|entity| entity.name.eq_ignore_ascii_case(name)).map(|entity| entity.kind)
    }

    /// Rows that are never removed at random: rights and tests point at them.
    pub(crate) fn spared(self) -> u64 {
        match self {
            Self::App | Self::Stream | Self::CustomProperty | Self::Tag => 2,
            Self::User => 30,
            Self::SystemRule => 12,
            Self::UserDirectory | Self::ContentLibrary => 2,
            _ => 0,
        }
    }
}

/// Enumerations by the members that hold them (type and member, as discovery names them); a value's place is its number.
pub(crate) const ENUMS: &[(&[&str], &[&str])] = &[
    (
        &["VirtualProxyConfig.authenticationMethod"],
        &["Ticket", "HeaderStaticUserDirectory", "HeaderDynamicUserDirectory", "SAML", "JWT", "OIDC"],
    ),
    (&["VirtualProxyConfig.headerAuthenticationMode"], &["NotAllowed", "Static", "Dynamic", "Undefined"]),
    (&["VirtualProxyConfig.anonymousAccessMode"], &["NoAnonymous", "AllowAnonymous", "AlwaysAnonymous"]),
    (
        &["ReloadTask.taskType", "ExternalProgramTask.taskType", "UserSyncTask.taskType"],
        &["Reload", "ExternalProgram", "UserSync", "Distribute"],
    ),
    (
        &["ExecutionResult.status"],
        &[
            "NeverStarted",
            "Triggered",
            "Started",
            "Queued",
            "AbortInitiated",
            "Aborting",
            "Aborted",
            "FinishedSuccess",
            "FinishedFail",
            "Skipped",
            "Retry",
            "Error",
            "Reset",
            "DistributionQueue",
            "DistributionRunning",
        ],
    ),
    (
        &["ServiceStatus.serviceType"],
        &["Repository", "Proxy", "Scheduler", "Engine", "AppMigration", "Printing"],
    ),
    (
        &["ServiceStatus.serviceState"],
        &["Initializing", "CertificatesNotInstalled", "Running", "NoCommunication", "Disabled", "Unknown"],
    ),
    (&["SystemRule.ruleContext"], &["BothQlikSenseAndQMC", "QlikSense", "QMC"]),
    (&["DataConnection.logOn"], &["LOG_ON_SERVICE_USER", "LOG_ON_CURRENT_USER"]),
];

/// The number that a name stands for in a member of that name.
pub(crate) fn enum_number(member: &str, name: &str) -> Option<i64> {
    let holds = |usages: &[&str]| {
        usages
            .iter()
            .any(|usage| usage.split_once('.').is_some_and(|(_, held)| held.eq_ignore_ascii_case(member)))
    };
    let (_, values) = ENUMS.iter().find(|(usages, _)| holds(usages))?;
    values.iter().position(|value| value.eq_ignore_ascii_case(name)).map(|place| place as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_stand_in_the_order_of_kinds() {
        assert_eq!(ENTITIES.len() + 1, KINDS);
        for entity in ENTITIES {
            assert_eq!(entity.kind.entity().path, entity.path);
        }
    }
}
