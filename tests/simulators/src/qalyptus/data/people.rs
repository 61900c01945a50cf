//! Rows of people and what holds them: users, groups, roles, organizations.

use crate::kit::json::Json;
use crate::qalyptus::config::Product;
use crate::qalyptus::data::row::Row;
use crate::qalyptus::data::{Catalog, Kind};

const LICENCES: [&str; 4] = ["Creator", "Explorer", "Viewer", "Unlicensed"];

impl Catalog {
    /// Receives mail and cannot sign in; one in five users from the eleventh on.
    pub(crate) fn is_recipient(&self, user: u64) -> bool {
        user >= 10 && self.noise(Kind::User, user, 5).is_multiple_of(5)
    }

    /// Is a generated user active? One in thirty is not.
    pub(crate) fn is_active(&self, user: u64) -> bool {
        user < 10 || !self.noise(Kind::User, user, 6).is_multiple_of(30)
    }

    /// The groups of a user: the default one of their organization, and another one of it.
    fn groups_of(&self, user: u64) -> Vec<u64> {
        let organizations = self.seeded(Kind::Organization);
        let home = user % organizations;
        let groups = self.seeded(Kind::Group) / organizations;
        let other = home + organizations * (self.noise(Kind::User, user, 7) % groups.max(1));
        let mut all = vec![home];
        all.extend((other != home && self.exists(Kind::Group, other)).then_some(other));
        all
    }

    pub(crate) fn write_user(&self, index: u64, active: bool, out: &mut Json) {
        let recipient = self.is_recipient(index);
        // A revised user has another licence.
        let turn = index + u64::from(self.touched(Kind::User, index).unwrap_or_default());
        let licence = if recipient { "Unlicensed" } else { LICENCES[(turn % 3) as usize] };
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::User, index));
        row.text("name", &self.name(Kind::User, index));
        row.text("type", if recipient { "Recipient" } else { "User" });
        row.text("email", &self.email(index));
        row.nested("groups", |out| {
            out.open(b'[');
            for group in self.groups_of(index) {
                out.open(b'{');
                out.plain("id", &self.id(Kind::Group, group).to_string());
                out.text("name", &self.name(Kind::Group, group));
                out.close(b'}');
            }
            out.close(b']');
        });
        row.text("status", if active { "Active" } else { "Inactive" });
        row.text("license", licence);
        row.flag("isTenantOwner", index == 0);
        let admin = (index < 2).then(|| format!("Tenant Administrator {licence}"));
        row.maybe("tenantAdminRole", admin.as_deref());
        let texts = row.shape().roles_as_texts;
        row.nested("organizationRoles", |out| self.write_organization_roles(index, licence, texts, out));
        row.end();
    }

    fn write_organization_roles(&self, user: u64, licence: &str, texts: bool, out: &mut Json) {
        out.open(b'[');
        let organizations = 0..self.seeded(Kind::Organization);
        for organization in organizations.filter(|one| self.belongs(Kind::User, user, *one)) {
            if self.is_recipient(user) {
                continue;
            }
            let role = if user < 3 { "Administrator" } else { licence };
            if texts {
                out.string(role);
                continue;
            }
            out.open(b'{');
            out.plain("organizationID", &self.id(Kind::Organization, organization).to_string());
            out.text("organization", &self.name(Kind::Organization, organization));
            out.plain("role", role);
            out.close(b'}');
        }
        out.close(b']');
    }

    pub(crate) fn write_group(&self, index: u64, out: &mut Json) {
        let organization = self.organization_of(Kind::Group, index);
        let is_default = index < self.seeded(Kind::Organization);
        let users = self.seeded(Kind::User) / self.seeded(Kind::Organization);
        let members = if is_default { users } else { self.noise(Kind::Group, index, 5) % users.max(1) };
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Group, index));
        row.text("name", &self.name(Kind::Group, index));
        row.number("members", members);
        row.flag("isDefault", is_default);
        row.text("description", &self.note(Kind::Group, index));
        row.text("organization", &self.name(Kind::Organization, organization));
        row.id("organizationID", self.id(Kind::Organization, organization));
        row.end();
    }

    pub(crate) fn write_role(&self, index: u64, out: &mut Json) {
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Role, index));
        row.text("name", &self.name(Kind::Role, index));
        row.text("description", &self.note(Kind::Role, index));
        row.flag("isEnabled", index != 7);
        row.flag("isDefault", self.is_fixed_role(index));
        row.end();
    }

    pub(crate) fn write_organization(&self, index: u64, out: &mut Json) {
        let mut row = Row::begin(out, self.shape, index, self.id(Kind::Organization, index));
        row.text("name", &self.name(Kind::Organization, index));
        row.flag("isDefault", index == 0);
        row.end();
    }

    /// The role of a generated user on this system, as an index: administrators, developers, users.
    pub(crate) fn rank(&self, user: u64) -> u64 {
        match (user, self.product) {
            (0..=2, _) => user,
            (_, Product::Server) => 2,
            (_, Product::Cloud) => (user % 3).max(1),
        }
    }
}
