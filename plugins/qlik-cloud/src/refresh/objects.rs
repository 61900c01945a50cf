//! The kinds of object: which members of a row are taken, and what becomes of them.
//!
//! Only what is named here reaches the catalog, so no token or connection string inside an object comes along.

use crate::client::Page;
use jackfield_plugin::{
    Object,
    sdk::{Noun, Row},
};
use std::borrow::Cow;

/// A kind of object. Members are named by their path in a row.
pub(super) struct Kind {
    /// What it is called.
    pub(super) noun: Noun,
    /// The members that can be its id; the first that is there counts.
    ids: &'static [&'static str],
    name: &'static str,
    parent: &'static str,
    /// When it was changed; the latest counts.
    modified: &'static [&'static str],
    /// Relation, kind, and the member that has the id; an array of objects counts with the `id` of each.
    links: &'static [(&'static str, &'static str, &'static str)],
    /// Name among the attributes, and the member that is copied there as it stands.
    attributes: &'static [(&'static str, &'static str)],
}

/// Apps and data sets are items: the id that everything else refers to is the resource's, not the item's.
const ITEM: Kind = Kind {
    noun: Noun::new("app", "app", "apps"),
    ids: &["resourceId", "id"],
    name: "name",
    parent: "spaceId",
    modified: &["resourceUpdatedAt", "updatedAt"],
    links: &[("owner", "user", "ownerId")],
    attributes: &[
        ("item", "id"),
        ("description", "description"),
        ("sub_type", "resourceSubType"),
        ("created", "resourceCreatedAt"),
        ("reload_status", "resourceReloadStatus"),
        ("reloaded", "resourceReloadEndTime"),
        ("size", "resourceSize"),
    ],
};

/// The kinds, in the order in which they are shown.
pub(super) const KINDS: &[Kind] = &[
    ITEM,
    // Personal spaces are not listed; what lies in one has no space.
    Kind {
        noun: Noun::new("space", "space", "spaces"),
        ids: &["id"],
        name: "name",
        parent: "",
        modified: &["updatedAt"],
        links: &[("owner", "user", "ownerId")],
        attributes: &[("type", "type"), ("description", "description"), ("created", "createdAt")],
    },
    // A reload has no name: it goes by its time.
    Kind {
        noun: Noun::new("reload", "reload", "reloads"),
        ids: &["id"],
        name: "creationTime",
        parent: "appId",
        modified: &["endTime", "startTime", "creationTime"],
        links: &[("app", "app", "appId"), ("started_by", "user", "userId")],
        attributes: &[
            ("status", "status"),
            ("type", "type"),
            ("partial", "partial"),
            ("error_code", "errorCode"),
            ("error", "errorMessage"),
        ],
    },
    Kind {
        noun: Noun::new("task", "task", "tasks"),
        ids: &["id"],
        name: "name",
        parent: "metadata/spaceId",
        modified: &["metadata/updatedAt"],
        links: &[("owner", "user", "metadata/ownerId"), ("app", "app", "resourceId")],
        attributes: &[
            ("description", "description"),
            ("enabled", "enabled"),
            ("start", "start"),
            ("created", "metadata/createdAt"),
            ("disabled_code", "metadata/disabledCode"),
            ("resource_type", "metadata/resourceType"),
            ("resource_name", "metadata/resourceName"),
            ("last_run", "metadata/orchestration/lastRun"),
        ],
    },
    // Tasks that report, share or alert; the reports that they make are not listed by any tenant.
    Kind {
        noun: Noun::new("report", "report", "reports"),
        ids: &["id"],
        name: "name",
        parent: "spaceId",
        modified: &["lastUpdated"],
        links: &[
            ("owner", "user", "owner"),
            ("owner", "user", "ownerId"),
            ("app", "app", "appId"),
            ("template", "report_template", "templateId"),
        ],
        attributes: &[
            ("type", "type"),
            ("format", "subType"),
            ("description", "description"),
            ("enabled", "enabled"),
            ("status", "statusLabel"),
            ("created", "dateCreated"),
            ("last_run", "lastExecutionDate"),
            ("next_run", "nextScheduledRun"),
        ],
    },
    Kind {
        noun: Noun::new("report_template", "report template", "report templates"),
        ids: &["id"],
        name: "name",
        parent: "",
        modified: &["updatedAt"],
        links: &[("owner", "user", "ownerId"), ("app", "app", "sourceAppId")],
        attributes: &[("type", "type"), ("description", "description"), ("created", "createdAt")],
    },
    // The roles of others are shown only to those who may read roles.
    Kind {
        noun: Noun::new("user", "user", "users"),
        ids: &["id"],
        name: "name",
        parent: "",
        modified: &["lastUpdatedAt"],
        links: &[("role", "role", "assignedRoles")],
        attributes: &[
            ("email", "email"),
            ("subject", "subject"),
            ("status", "status"),
            ("created", "createdAt"),
        ],
    },
    Kind {
        noun: Noun::new("role", "role", "roles"),
        ids: &["id"],
        name: "name",
        parent: "",
        modified: &["lastUpdatedAt"],
        links: &[],
        attributes: &[
            ("type", "type"),
            ("level", "level"),
            ("description", "description"),
            ("scopes", "assignedScopes"),
            ("created", "createdAt"),
        ],
    },
    Kind {
        noun: Noun::new("automation", "automation", "automations"),
        ids: &["id"],
        name: "name",
        parent: "spaceId",
        modified: &["updatedAt"],
        links: &[("owner", "user", "ownerId")],
        attributes: &[
            ("description", "description"),
            ("state", "state"),
            ("run_mode", "runMode"),
            ("last_run", "lastRunAt"),
            ("last_run_status", "lastRunStatus"),
            ("created", "createdAt"),
        ],
    },
    Kind {
        noun: Noun::new("data_file", "data file", "data files"),
        ids: &["id"],
        name: "name",
        parent: "spaceId",
        modified: &["modifiedDate", "contentUpdatedDate"],
        links: &[("owner", "user", "ownerId"), ("app", "app", "appId")],
        attributes: &[
            ("size", "size"),
            ("folder", "folder"),
            ("folder_path", "folderPath"),
            ("qri", "qri"),
            ("created", "createdDate"),
        ],
    },
    Kind { noun: Noun::new("dataset", "data set", "data sets"), ..ITEM },
];

impl Kind {
    /// The ids on a page.
    pub(super) fn ids<'a>(&self, page: &Page<'a>) -> impl Iterator<Item = Cow<'a, str>> {
        page.data.iter().filter_map(|row| self.id(row))
    }

    fn id<'a>(&self, row: &Row<'a>) -> Option<Cow<'a, str>> {
        self.ids.iter().find_map(|id| row.text(id))
    }

    /// The objects that the rows of a page are; rows without an id are none.
    pub(super) fn objects(&self, page: &Page<'_>) -> Vec<Object> {
        page.data.iter().filter_map(|row| self.object(row)).collect()
    }

    /// The object that a row is; nothing without an id. What has no name goes by its id.
    fn object(&self, row: &Row<'_>) -> Option<Object> {
        let id = self.id(row)?;
        let name = row.text(self.name).unwrap_or_else(|| id.clone());
        let modified = self.modified.iter().filter_map(|member| row.text(member)).reduce(later);
        let mut object = Object::new(id, name).parent(row.text(self.parent)).modified(modified);
        let of_an_app = row.text("metadata/resourceType").is_none_or(|resource| resource == "app");
        for (relation, kind, member) in self.links.iter().filter(|link| link.1 != "app" || of_an_app) {
            object = object.link(relation, kind, row.text(member));
            for other in row.rows(member) {
                object = object.link(relation, kind, other.text("id"));
            }
        }
        object.attributes = row.pick(self.attributes);
        Some(object)
    }
}

/// The later of two times as the tenant writes them. Their precision varies, so whole seconds are compared.
fn later<'a>(left: Cow<'a, str>, right: Cow<'a, str>) -> Cow<'a, str> {
    let seconds = |time: &str| time.get(..19).unwrap_or(time).to_owned();
    if seconds(&left) >= seconds(&right) { left } else { right }
}

#[cfg(test)]
mod tests;
