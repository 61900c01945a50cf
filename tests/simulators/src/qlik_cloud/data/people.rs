//! Rows of people and places: users, groups and spaces.

use crate::kit::json::Json;
use crate::kit::noise::hash_text;
use crate::qlik_cloud::data::{Catalog, Kind};

/// Types of spaces.
const SPACE_TYPES: [&str; 3] = ["shared", "managed", "data"];

impl Catalog {
    /// Status of a generated user.
    pub(crate) fn user_status(&self, index: u64) -> &'static str {
        match self.noise(Kind::User, index, 11) % 50 {
            _ if index < 10 => "active",
            0 => "disabled",
            1 => "invited",
            _ => "active",
        }
    }

    /// Full name of a generated user.
    pub(crate) fn user_name(&self, index: u64) -> String {
        let (given, family) = self.person(index);
        [given, " ", family].concat()
    }

    /// Email of a generated user.
    pub(crate) fn user_email(&self, index: u64) -> String {
        format!("user{index:07}@example.com")
    }

    /// Subject of a generated user, as an identity provider would have it.
    pub(crate) fn user_subject(&self, index: u64) -> String {
        format!("auth0|{:012x}", self.noise(Kind::User, index, 12) >> 16)
    }

    /// The part of a user's record that everyone with basic read sees. Leaves the object open.
    pub(crate) fn write_user_start(&self, index: u64, status: &str, full: bool, out: &mut Json) {
        let id = self.object_id(Kind::User, index);
        out.open(b'{');
        out.plain("id", id.as_str());
        out.plain("tenantId", &self.tenant_id);
        out.plain("name", &self.user_name(index));
        out.plain("subject", &self.user_subject(index));
        out.plain("status", status);
        if full {
            out.plain("email", &self.user_email(index));
            out.plain("locale", "en");
            out.plain("zoneinfo", "Europe/Stockholm");
            out.time("createdAt", self.created(Kind::User, index));
            out.time("lastUpdatedAt", self.updated(Kind::User, index));
            out.field("assignedGroups", "[]");
        }
        out.key("links");
        out.open(b'{');
        out.link("self", &[&self.base_url, "/api/v1/users/", id.as_str()]);
        out.close(b'}');
    }

    /// One row of the groups list.
    pub(crate) fn write_group(&self, index: u64, out: &mut Json) {
        let kind = Kind::Group;
        let id = self.object_id(kind, index);
        out.open(b'{');
        out.plain("id", id.as_str());
        out.plain("tenantId", &self.tenant_id);
        out.plain("name", &self.name(kind, index));
        out.plain("status", "active");
        out.plain("providerType", if index % 4 == 0 { "custom" } else { "idp" });
        out.time("createdAt", self.created(kind, index));
        out.time("lastUpdatedAt", self.updated(kind, index));
        out.field("assignedRoles", "[]");
        out.key("links");
        out.open(b'{');
        out.link("self", &[&self.base_url, "/api/v1/groups/", id.as_str()]);
        out.close(b'}');
        out.close(b'}');
    }

    /// Type of a space.
    pub(crate) fn space_type(&self, index: u64) -> &'static str {
        SPACE_TYPES[(self.noise(Kind::Space, index, 13) % 3) as usize]
    }

    /// Is a user (by id) a member of a space? One in eight is.
    pub(crate) fn is_member(&self, user: &str, space: u64) -> bool {
        (hash_text(user) ^ self.noise(Kind::Space, space, 14)) % 8 == 0
    }

    /// One row of the spaces list.
    pub(crate) fn write_space(&self, index: u64, out: &mut Json) {
        let kind = Kind::Space;
        let (id, owner) = (self.object_id(kind, index), self.object_id(Kind::User, self.owner(kind, index)));
        out.open(b'{');
        out.plain("id", id.as_str());
        out.plain("type", self.space_type(index));
        out.plain("name", &self.name(kind, index));
        out.plain("description", "");
        out.plain("ownerId", owner.as_str());
        out.plain("tenantId", &self.tenant_id);
        out.time("createdAt", self.created(kind, index));
        out.plain("createdBy", owner.as_str());
        out.time("updatedAt", self.updated(kind, index));
        out.raw(r#""meta":{"actions":["read","update"],"roles":["facilitator"],"assignableRoles":["codeveloper","consumer"]}"#);
        out.key("links");
        out.open(b'{');
        out.link("self", &[&self.base_url, "/api/v1/spaces/", id.as_str()]);
        out.link("assignments", &[&self.base_url, "/api/v1/spaces/", id.as_str(), "/assignments"]);
        out.close(b'}');
        out.close(b'}');
    }
}
