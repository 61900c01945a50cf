//! Rows of people and of what they may: users, their directories, rules.

use crate::qlik_onprem::cell::{Cell, Row};
use crate::qlik_onprem::data::Catalog;
use crate::qlik_onprem::entities::Kind;

/// The roles that every site has.
pub(crate) const ROLES: [&str; 6] =
    ["RootAdmin", "ContentAdmin", "DeploymentAdmin", "AuditAdmin", "SecurityAdmin", "HubAdmin"];
/// A rule that every site has: name, filter of resources, condition, actions, context.
type Rule = (&'static str, &'static str, &'static str, i64, i64);
const RULES: [Rule; 12] = [
    ("RootAdmin", "*", r#"((user.roles="RootAdmin"))"#, 1023, 0),
    (
        "ContentAdmin",
        "Stream_*,App*,ReloadTask_*,DataConnection_*,Tag_*",
        r#"((user.roles="ContentAdmin"))"#,
        511,
        2,
    ),
    (
        "DeploymentAdmin",
        "ServerNodeConfiguration_*,VirtualProxyConfig_*",
        r#"((user.roles="DeploymentAdmin"))"#,
        15,
        2,
    ),
    ("AuditAdmin", "*", r#"((user.roles="AuditAdmin"))"#, 2, 2),
    ("SecurityAdmin", "User*,SystemRule_*,VirtualProxyConfig_*", r#"((user.roles="SecurityAdmin"))"#, 15, 2),
    ("HubAdmin", "App*,Stream_*,SharedContent*", r#"((user.roles="HubAdmin"))"#, 2, 1),
    ("Stream", "App*", r#"(resource.resourcetype = "App" and resource.stream.HasPrivilege("read"))"#, 2, 0),
    ("StreamEveryone", "Stream_*", r#"(resource.name = "Everyone")"#, 34, 0),
    ("OwnerRead", "*", "(resource.IsOwned() and resource.owner = user)", 2, 0),
    ("OwnerUpdate", "*", "(resource.IsOwned() and resource.owner = user)", 4, 0),
    ("CreateApp", "App_*", r#"!user.IsAnonymous()"#, 1, 0),
    ("ReadCustomProperties", "CustomPropertyDefinition_*", "(true)", 2, 0),
];

impl Catalog {
    /// Roles of a generated user: 0 and 10 are root administrators; 1 to 5 have the other roles in turn.
    pub(crate) fn roles_of(&self, user: u64) -> Vec<&'static str> {
        match user {
            0 | 10 => vec![ROLES[0]],
            1..=5 => vec![ROLES[user as usize]],
            _ if user >= 18 && user % 17 == 1 => vec!["Developer", "Analyst"],
            _ => Vec::new(),
        }
    }

    /// Is the user blocked?
    pub(crate) fn blocked(&self, user: u64) -> bool {
        user == 7 || (user >= 18 && user % 40 == 39)
    }

    pub(super) fn user(&self, index: u64, row: Row) -> Row {
        let (directory, id) = self.user_key(index);
        let attribute = |name: &'static str, value: String| {
            let row = Row::new()
                .with("id", self.id(Kind::User, index | 1 << 40 | u64::from(name == "email") << 41))
                .at("createdDate", self.created(Kind::User, index))
                .at("modifiedDate", self.created(Kind::User, index))
                .with("attributeType", name)
                .with("attributeValue", value)
                .with("externalId", "")
                .with("schemaPath", "User.Attribute");
            Cell::from(row)
        };
        let group = ["Finance", "Sales", "IT", "Board"][(self.noise(Kind::User, index, 6) % 4) as usize];
        let attributes = match directory {
            "INTERNAL" => Vec::new(),
            _ => vec![attribute("group", group.to_owned()), attribute("email", format!("{id}@example.com"))],
        };
        let roles = self.roles_of(index).into_iter().map(Cell::from).collect::<Vec<_>>();
        row.with("customProperties", self.property_values(Kind::User, index))
            .with("userId", id)
            .with("userDirectory", directory)
            .with("userDirectoryConnectorName", directory)
            .with("name", self.name(Kind::User, index))
            .with("roles", roles)
            .with("attributes", attributes)
            .with("inactive", index == 8)
            .with("removedExternally", index == 9 || (index >= 18 && index % 33 == 32))
            .with("blacklisted", self.blocked(index))
            .with("deleteProhibited", directory == "INTERNAL")
            .with("tags", self.tags_of(Kind::User, index))
            .with("favorites", Vec::new())
    }

    /// A user as other rows show one.
    pub(crate) fn owner(&self, user: u64) -> Row {
        let (directory, id) = self.user_key(user);
        Row::new()
            .with("id", self.id(Kind::User, user))
            .with("userId", id)
            .with("userDirectory", directory)
            .with("userDirectoryConnectorName", directory)
            .with("name", self.name(Kind::User, user))
            .with("privileges", Cell::Null)
    }

    /// Who owns a row: the administrator, one of the first or anybody.
    pub(crate) fn owner_of(&self, kind: Kind, index: u64) -> u64 {
        let owner = match self.noise(kind, index, 7) % 4 {
            0 => 0,
            1 => 6,
            _ => 18 + self.noise(kind, index, 8) % (self.seeded(Kind::User) - 18),
        };
        if self.exists(Kind::User, owner) { owner } else { 0 }
    }

    pub(super) fn rule_name(&self, index: u64) -> String {
        match RULES.get(index as usize) {
            Some((name, ..)) => (*name).to_owned(),
            None => format!("Custom rule {index:04}"),
        }
    }

    pub(super) fn system_rule(&self, index: u64, row: Row) -> Row {
        let stock = RULES.get(index as usize);
        let (_, filter, rule, actions, context) =
            stock.copied().unwrap_or(("", "App_*", r#"((user.roles="Developer"))"#, 6, 0));
        row.with("category", "Security")
            .with("subcategory", "")
            .with("type", if stock.is_some() { "Default" } else { "Custom" })
            .with("name", self.name(Kind::SystemRule, index))
            .with("rule", rule)
            .with("resourceFilter", filter)
            .with("actions", actions)
            .with("comment", self.note(Kind::SystemRule, index))
            .with("disabled", index > 12 && index.is_multiple_of(7))
            .with("ruleContext", context)
            .with("seedId", index as i64 + 1)
            .with("version", 1)
            .with("tags", self.tags_of(Kind::SystemRule, index))
    }

    pub(super) fn user_directory(&self, index: u64, row: Row) -> Row {
        let name = self.directory(index);
        row.with("name", name)
            .with("userDirectoryName", name)
            .with("configured", true)
            .with("operational", true)
            .with("type", "Repository.UserDirectoryConnectors.LDAP.ActiveDirectory")
            .with("syncOnlyLoggedInUsers", false)
            .with("syncStatus", 0)
            .with("configuredError", "")
            .with("operationalError", "")
            .with("creationType", 1)
            .with("settings", Vec::new())
            .with("tags", Vec::new())
    }
}
