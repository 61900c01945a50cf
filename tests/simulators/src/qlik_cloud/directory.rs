//! The directory: the few things that a tenant remembers because somebody made them — roles, grants, OAuth clients,
//! API keys, bots, webhooks, web integrations, reloads. Everything else is computed.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use crate::kit::clock;
use crate::qlik_cloud::data::ids;
use crate::qlik_cloud::identity::Provider;
use crate::qlik_cloud::roles::Role;

/// What the tenant remembers.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// Roles, default ones first.
    pub(crate) roles: Vec<Role>,
    /// Role ids of users whose roles were set.
    pub(crate) grants: HashMap<String, Vec<String>>,
    /// Users whose status was set.
    pub(crate) statuses: HashMap<String, String>,
    /// Generated users who were deleted.
    pub(crate) deleted: HashSet<String>,
    /// Users that are not generated: bots and invited people.
    pub(crate) people: Vec<Person>,
    /// OAuth clients by client id.
    pub(crate) clients: BTreeMap<String, Client>,
    /// API keys by id.
    pub(crate) keys: BTreeMap<String, ApiKey>,
    /// Ids of revoked access tokens.
    pub(crate) revoked_tokens: HashSet<String>,
    /// What every user may do.
    pub(crate) user_default: Vec<String>,
    /// Active API keys that one user may have.
    pub(crate) max_keys: u32,
    /// Longest life of an API key.
    pub(crate) max_key_life: String,
    /// Longest life of a SCIM key.
    pub(crate) max_scim_life: String,
    /// Webhooks as they are shown.
    pub(crate) webhooks: Vec<Value>,
    /// Web integrations as they are shown.
    pub(crate) web_integrations: Vec<Value>,
    /// Reloads started through the API.
    pub(crate) reloads: Vec<Reload>,
    /// Identity providers for tokens.
    pub(crate) providers: Vec<Provider>,
}

/// A user who is not generated.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// User id.
    pub(crate) id: String,
    /// Full name; of a bot, the client's.
    pub(crate) name: String,
    /// Subject.
    pub(crate) subject: String,
    /// Email; bots have none.
    pub(crate) email: Option<String>,
    /// Client of a bot.
    pub(crate) client_id: Option<String>,
    /// `active` or `invited`.
    pub(crate) status: &'static str,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
}

/// An OAuth client.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The object as shown, without secrets.
    pub(crate) view: Value,
    /// Secrets that are valid: (hint, secret, created, created by).
    pub(crate) secrets: Vec<Secret>,
    /// Consent method is `trusted`.
    pub(crate) trusted: bool,
}

/// A secret of an OAuth client.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    /// Its id.
    pub(crate) hint: String,
    /// The secret itself.
    pub(crate) value: String,
    /// When and by whom.
    pub(crate) created: i64,
    /// User id.
    pub(crate) created_by: String,
}

/// An API key.
#[derive(Debug, Clone)]
pub(crate) struct ApiKey {
    /// JWT id.
    pub(crate) id: String,
    /// User.
    pub(crate) sub: String,
    /// `user` or `externalClient`.
    pub(crate) sub_type: String,
    /// Text.
    pub(crate) description: String,
    /// Seconds since 1970.
    pub(crate) expires: i64,
    /// Revoked by an admin.
    pub(crate) revoked: bool,
    /// User id.
    pub(crate) created_by: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Milliseconds since 1970.
    pub(crate) updated: i64,
}

/// A reload started through the API.
#[derive(Debug, Clone)]
pub(crate) struct Reload {
    /// The object as created.
    pub(crate) view: Value,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// When it was cancelled.
    pub(crate) cancelled: Option<i64>,
}

impl ApiKey {
    /// `active`, `expired` or `revoked`.
    pub(crate) fn status(&self) -> &'static str {
        match self {
            Self { revoked: true, .. } => "revoked",
            Self { expires, .. } if *expires <= clock::now_seconds() => "expired",
            _ => "active",
        }
    }

    /// As shown.
    pub(crate) fn view(&self, tenant_id: &str) -> Value {
        json!({
            "id": self.id, "tenantId": tenant_id, "description": self.description, "sub": self.sub,
            "subType": self.sub_type, "status": self.status(), "expiry": clock::text_ms(self.expires * 1000),
            "createdByUser": self.created_by, "created": clock::text_ms(self.created),
            "lastUpdated": clock::text_ms(self.updated),
        })
    }
}

impl Client {
    /// Adds a secret and gives it.
    pub(crate) fn add_secret(&mut self, created_by: &str) -> Secret {
        let value = loop {
            let value = ids::random_hex(64);
            if !self.secrets.iter().any(|secret| secret.hint == value[..5]) {
                break value;
            }
        };
        let hint = value[..5].to_owned();
        let secret = Secret { hint, value, created: clock::now_ms(), created_by: created_by.to_owned() };
        self.secrets.push(secret.clone());
        secret
    }

    /// As shown, with the hints of its secrets.
    pub(crate) fn shown(&self) -> Value {
        let mut view = self.view.clone();
        view["clientSecrets"] = self
            .secrets
            .iter()
            .map(|secret| {
                json!({"hint": secret.hint, "createdAt": clock::text_ms(secret.created), "createdBy": secret.created_by})
            })
            .collect();
        view["connectionConfig"] =
            json!({"consentMethod": if self.trusted { "trusted" } else { "required" }});
        view
    }

    /// The texts of a list member.
    pub(crate) fn list(&self, member: &str) -> Vec<String> {
        let texts = self.view[member].as_array().into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }
}

impl Directory {
    /// A role by name.
    pub(crate) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The bot of a client; made at its first token request, with the rights of a tenant's admin.
    pub(crate) fn bot_of(&mut self, client_id: &str) -> String {
        let known = self.people.iter().find(|person| person.client_id.as_deref() == Some(client_id));
        if let Some(bot) = known {
            return bot.id.clone();
        }
        let name = self.clients.get(client_id).and_then(|client| client.view["clientName"].as_str());
        let bot = Person {
            id: ids::new_object_id(),
            name: name.unwrap_or("OAuth client").to_owned(),
            subject: format!("qlikbot\\{client_id}"),
            email: None,
            client_id: Some(client_id.to_owned()),
            status: "active",
            created: clock::now_ms(),
        };
        let id = bot.id.clone();
        self.people.push(bot);
        if let Some(admin) = self.role_named("TenantAdmin").map(|role| role.id.clone()) {
            self.grants.insert(id.clone(), vec![admin]);
        }
        id
    }

    /// The roles that were set for a user.
    pub(crate) fn granted(&self, user: &str) -> Option<Vec<Role>> {
        let ids = self.grants.get(user)?;
        Some(ids.iter().filter_map(|id| self.roles.iter().find(|role| role.id == *id)).cloned().collect())
    }
}
