//! Rows of content: items, apps, data sets, data files and data connections.

use crate::kit::json::Json;
use crate::qlik_cloud::data::{Catalog, Kind};

/// What the items list calls the kinds that it shows.
pub(crate) const RESOURCE_TYPES: [(&str, Kind); 5] = [
    ("app", Kind::App),
    ("dataset", Kind::DataSet),
    ("automation", Kind::Automation),
    ("note", Kind::Note),
    ("sharingservicetask", Kind::SharingTask),
];

impl Catalog {
    /// Id of the resource behind an item.
    pub(crate) fn resource_id(&self, kind: Kind, index: u64) -> super::ids::Id {
        match kind {
            Kind::App | Kind::Automation | Kind::SharingTask => self.uuid(kind, index),
            _ => self.object_id(kind, index),
        }
    }

    /// One row of the items list.
    pub(crate) fn write_item(&self, kind: Kind, index: u64, with_actions: bool, out: &mut Json) {
        let name = self.name(kind, index);
        let owner = self.object_id(Kind::User, self.owner(kind, index));
        let item = self.item_id(kind, index);
        let (item, owner) = (item.as_str(), owner.as_str());
        let type_name = RESOURCE_TYPES.iter().find(|(_, known)| *known == kind).map_or("app", |(name, _)| name);
        let (created, updated) = (self.created(kind, index), self.updated(kind, index));

        out.open(b'{');
        out.plain("id", item);
        out.plain("name", &name);
        out.plain("description", if index % 3 == 0 { "Made by the simulator" } else { "" });
        out.plain("resourceType", type_name);
        out.plain("resourceSubType", if kind == Kind::DataSet { "qix-df" } else { "" });
        out.plain("resourceId", self.resource_id(kind, index).as_str());
        self.write_resource(kind, index, &name, owner, out);
        out.field("resourceCustomAttributes", "null");
        out.time("resourceCreatedAt", created);
        out.time("resourceUpdatedAt", updated);
        if kind == Kind::App {
            out.time("resourceReloadEndTime", self.reloaded(index));
            out.plain("resourceReloadStatus", "ok");
            out.key("resourceSize");
            out.open(b'{');
            out.number("appFile", 10_000 + self.noise(kind, index, 5) % 50_000_000);
            out.number("appMemory", 100_000 + self.noise(kind, index, 6) % 500_000_000);
            out.close(b'}');
        }
        if let Some(space) = self.space(kind, index) {
            out.plain("spaceId", self.object_id(Kind::Space, space).as_str());
        }
        out.plain("ownerId", owner);
        out.plain("creatorId", owner);
        out.plain("updaterId", owner);
        out.plain("tenantId", &self.tenant_id);
        out.time("createdAt", created + 900);
        out.time("updatedAt", updated + 900);
        out.field("collectionIds", "[]");
        out.field("isFavorited", "false");
        if with_actions {
            out.field("actions", r#"["read","update","delete"]"#);
            out.field("meta", r#"{"actions":["read","update","delete"],"collections":[],"tags":[],"isFavorited":false}"#);
        } else {
            out.field("meta", r#"{"collections":[],"tags":[],"isFavorited":false}"#);
        }
        self.write_item_links(kind, index, item, out);
        out.close(b'}');
    }

    fn write_resource(&self, kind: Kind, index: u64, name: &str, owner: &str, out: &mut Json) {
        out.key("resourceAttributes");
        out.open(b'{');
        out.plain("id", self.resource_id(kind, index).as_str());
        out.plain("name", name);
        out.plain("ownerId", owner);
        if kind == Kind::App {
            if let Some(space) = self.space(kind, index) {
                out.plain("spaceId", self.object_id(Kind::Space, space).as_str());
            }
            out.time("lastReloadTime", self.reloaded(index));
            out.time("createdDate", self.created(kind, index));
            out.time("modifiedDate", self.updated(kind, index));
            out.plain("publishTime", "");
            out.field("published", "false");
            out.field("hasSectionAccess", "false");
            out.plain("usage", "ANALYTICS");
        }
        out.close(b'}');
    }

    fn write_item_links(&self, kind: Kind, index: u64, item: &str, out: &mut Json) {
        let base = self.base_url.as_str();
        out.key("links");
        out.open(b'{');
        out.link("self", &[base, "/api/v1/items/", item]);
        out.link("collections", &[base, "/api/v1/items/", item, "/collections"]);
        if kind == Kind::App {
            out.link("open", &[base, "/sense/app/", self.uuid(kind, index).as_str()]);
        }
        out.close(b'}');
    }

    /// When the app was last reloaded.
    fn reloaded(&self, index: u64) -> i64 {
        self.updated(Kind::App, index) - 60_000 - (self.noise(Kind::App, index, 7) % 3_600_000) as i64
    }

    /// `GET /apps/{id}`.
    pub(crate) fn write_app(&self, index: u64, out: &mut Json) {
        let kind = Kind::App;
        let name = self.name(kind, index);
        out.open(b'{');
        out.key("attributes");
        out.open(b'{');
        out.plain("id", self.uuid(kind, index).as_str());
        out.plain("name", &name);
        out.plain("description", if index % 3 == 0 { "Made by the simulator" } else { "" });
        out.plain("ownerId", self.object_id(Kind::User, self.owner(kind, index)).as_str());
        if let Some(space) = self.space(kind, index) {
            out.plain("spaceId", self.object_id(Kind::Space, space).as_str());
        }
        out.time("createdDate", self.created(kind, index));
        out.time("modifiedDate", self.updated(kind, index));
        out.time("lastReloadTime", self.reloaded(index));
        out.raw(r#""publishTime":"","published":false,"originAppId":"","thumbnail":"","hasSectionAccess":false"#);
        out.raw(r#""encrypted":true,"isDirectQueryMode":false,"usage":"ANALYTICS","dynamicColor":"","custom":{}"#);
        out.close(b'}');
        out.raw(r#""privileges":["read","update","delete","reload","export"],"create":[]"#);
        out.close(b'}');
    }

    /// `GET /data-sets/{id}`.
    pub(crate) fn write_data_set(&self, index: u64, out: &mut Json) {
        let kind = Kind::DataSet;
        let (id, name) = (self.object_id(kind, index), self.name(kind, index));
        let owner = self.object_id(Kind::User, self.owner(kind, index));
        out.open(b'{');
        out.plain("id", id.as_str());
        out.plain("name", &name);
        out.parts("technicalName", &[&name, ".qvd"]);
        out.plain("description", "");
        out.plain("tenantId", &self.tenant_id);
        out.plain("ownerId", owner.as_str());
        if let Some(space) = self.space(kind, index) {
            out.plain("spaceId", self.object_id(Kind::Space, space).as_str());
        }
        out.field("tags", "[]");
        out.parts("qri", &["qri:qdf:qix-datafiles:", &self.tenant_id, ":", id.as_str()]);
        out.plain("type", "qix-df");
        out.raw(r#""schema":{"dataFields":[{"name":"Id","alias":"Id","dataType":{"type":"INTEGER","originalType":"NUM"},"primaryKey":true,"nullable":false,"sensitive":false,"description":"","tags":["$key"],"userTags":[],"index":0},{"name":"Amount","alias":"Amount","dataType":{"type":"DOUBLE","originalType":"NUM"},"primaryKey":false,"nullable":true,"sensitive":false,"description":"","tags":["$numeric"],"userTags":[],"index":1}],"schemaName":"","anonymous":false,"effectiveDate":"0001-01-01T00:00:00Z"},"additionalSchemas":[]"#);
        out.key("operational");
        out.open(b'{');
        out.number("rowCount", self.noise(kind, index, 5) % 10_000_000);
        out.number("size", self.noise(kind, index, 6) % 1_000_000_000);
        out.time("lastUpdateTime", self.updated(kind, index));
        out.plain("status", "");
        out.close(b'}');
        out.time("createdTime", self.created(kind, index));
        out.time("lastModifiedTime", self.updated(kind, index));
        out.plain("createdBy", owner.as_str());
        out.plain("lastModifiedBy", owner.as_str());
        out.number("version", 1);
        out.close(b'}');
    }

    /// One row of the data files list.
    pub(crate) fn write_data_file(&self, index: u64, out: &mut Json) {
        let kind = Kind::DataFile;
        let (id, name) = (self.uuid(kind, index), self.name(kind, index));
        out.open(b'{');
        out.plain("id", id.as_str());
        out.parts("name", &[&name, ".qvd"]);
        out.parts("baseName", &[&name, ".qvd"]);
        out.number("size", self.noise(kind, index, 5) % 1_000_000_000);
        out.time("createdDate", self.created(kind, index));
        out.time("modifiedDate", self.updated(kind, index));
        out.time("contentUpdatedDate", self.updated(kind, index));
        out.plain("ownerId", self.object_id(Kind::User, self.owner(kind, index)).as_str());
        if let Some(space) = self.space(kind, index) {
            out.plain("spaceId", self.object_id(Kind::Space, space).as_str());
        }
        out.raw(r#""folder":false,"folderPath":"","actions":["read","delete"]"#);
        out.parts("qri", &["qri:df:", &self.tenant_id, ":", id.as_str()]);
        out.close(b'}');
    }

    /// One row of the data connections list, whose names are the engine's.
    pub(crate) fn write_data_connection(&self, index: u64, out: &mut Json) {
        let kind = Kind::DataConnection;
        let owner = self.object_id(Kind::User, self.owner(kind, index));
        let id = self.uuid(kind, index);
        out.open(b'{');
        out.plain("id", id.as_str());
        out.plain("qID", id.as_str());
        out.plain("qName", &self.name(kind, index));
        out.plain("qType", "QvOdbcConnectorPackage.exe");
        out.plain("qConnectStatement", r#"CUSTOM CONNECT TO \"provider=QvOdbcConnectorPackage.exe;driver=postgres;host=db.example;user=report\""#);
        out.field("qLogOn", "0");
        out.field("qArchitecture", "0");
        out.plain("datasourceID", "postgres");
        if let Some(space) = self.space(kind, index) {
            out.plain("space", self.object_id(Kind::Space, space).as_str());
        }
        out.plain("user", owner.as_str());
        out.plain("tenant", &self.tenant_id);
        out.time("created", self.created(kind, index));
        out.time("updated", self.updated(kind, index));
        out.field("version", r#""1""#);
        out.key("links");
        out.open(b'{');
        out.link("self", &[&self.base_url, "/api/v1/data-connections/", id.as_str()]);
        out.close(b'}');
        out.close(b'}');
    }
}
