//! Rows of content: apps, streams, extensions, connections, libraries, tags and custom properties.

use crate::qlik_onprem::cell::{Cell, NEVER, Row};
use crate::qlik_onprem::data::{Catalog, HOUR, LAST};
use crate::qlik_onprem::entities::Kind;

const VALUES: [&str; 4] = ["Finance", "Sales", "Public", "Restricted"];
/// Sheets of each app.
pub(super) const SHEETS: u64 = 2;
const PRODUCT: &str = "14.187.4";

impl Catalog {
    /// The stream of an app: every fourth is not published; one in three of the rest is in the stream of everyone.
    pub(crate) fn stream_of(&self, app: u64) -> Option<u64> {
        if app % 4 == 3 {
            return None;
        }
        let draw = self.noise(Kind::App, app, 6);
        let stream = if draw.is_multiple_of(3) { 0 } else { draw % self.seeded(Kind::Stream) };
        Some(if self.exists(Kind::Stream, stream) { stream } else { 0 })
    }

    /// A row as others refer to it.
    pub(super) fn reference(&self, kind: Kind, index: u64) -> Row {
        Row::new()
            .with("id", self.id(kind, index))
            .with("name", self.name(kind, index))
            .with("privileges", Cell::Null)
    }

    /// None, one or two tags.
    pub(super) fn tags_of(&self, kind: Kind, index: u64) -> Vec<Cell> {
        let draw = self.noise(kind, index, 20);
        (0..draw % 3)
            .map(|at| (draw >> 8).wrapping_add(at) % self.seeded(Kind::Tag))
            .filter(|tag| self.exists(Kind::Tag, *tag))
            .map(|tag| self.reference(Kind::Tag, tag).into())
            .collect()
    }

    /// None or two values, of the same property.
    pub(super) fn property_values(&self, kind: Kind, index: u64) -> Vec<Cell> {
        let draw = self.noise(kind, index, 21);
        let property = (draw >> 8) % self.seeded(Kind::CustomProperty);
        if !draw.is_multiple_of(3) || !self.exists(Kind::CustomProperty, property) {
            return Vec::new();
        }
        let value = |at: u64| {
            Row::new()
                .with("id", self.id(Kind::CustomProperty, index << 6 | (kind as u64) << 1 | at | 1 << 50))
                .at("createdDate", self.created(kind, index))
                .at("modifiedDate", self.created(kind, index))
                .with("modifiedByUserName", self.account(0))
                .with("value", VALUES[((draw >> 16).wrapping_add(at) % 4) as usize])
                .with("definition", self.definition(property))
                .with("schemaPath", "CustomPropertyValue")
        };
        vec![value(0).into(), value(1).into()]
    }

    fn definition(&self, property: u64) -> Row {
        Row::new()
            .with("id", self.id(Kind::CustomProperty, property))
            .with("name", self.name(Kind::CustomProperty, property))
            .with("valueType", "Text")
            .with("choiceValues", VALUES.map(Cell::from).to_vec())
            .with("privileges", Cell::Null)
    }

    pub(super) fn custom_property(&self, index: u64, row: Row) -> Row {
        row.with("name", self.name(Kind::CustomProperty, index))
            .with("valueType", "Text")
            .with("choiceValues", VALUES.map(Cell::from).to_vec())
            .with("objectTypes", ["App", "Stream", "User", "ReloadTask"].map(Cell::from).to_vec())
            .with("description", self.note(Kind::CustomProperty, index))
    }

    pub(super) fn app(&self, index: u64, row: Row) -> Row {
        let kind = Kind::App;
        let stream = self.stream_of(index);
        let published = stream.map_or(NEVER, |_| self.created(kind, index) + HOUR / 4);
        // A reload that a later revision brings is later than everything before it: it belongs to the change of the app.
        let reloaded = if index % 11 == 10 { NEVER } else { self.updated(kind, index).max(LAST - 24 * HOUR) };
        let bytes = 40_000 + self.noise(kind, index, 9) % 900_000_000;
        row.with("customProperties", self.property_values(kind, index))
            .with("owner", self.owner(self.owner_of(kind, index)))
            .with("name", self.name(kind, index))
            .with("appId", if stream.is_some() { self.id(kind, index).to_string() } else { String::new() })
            .with("sourceAppId", "00000000-0000-0000-0000-000000000000")
            .with("targetAppId", "00000000-0000-0000-0000-000000000000")
            .at("publishTime", published)
            .with("published", stream.is_some())
            .with("tags", self.tags_of(kind, index))
            .with("description", self.note(kind, index))
            .with("stream", stream.map(|stream| self.reference(Kind::Stream, stream)))
            .with("fileSize", bytes as i64)
            .at("lastReloadTime", reloaded)
            .with("thumbnail", "")
            .with("savedInProductVersion", PRODUCT)
            .with("migrationHash", "c2bd5a3f1e0dd1b9f4a9a1f61ba5e1f6a7c0bd4e")
            .with("dynamicColor", "")
            .with("availabilityStatus", i64::from(self.noise(kind, index, 12).is_multiple_of(20)))
            .at("lastDataDistribution", NEVER)
    }

    pub(super) fn app_object(&self, index: u64, row: Row) -> Row {
        let app = index / SHEETS;
        row.with("owner", self.owner(self.owner_of(Kind::App, app)))
            .with("name", self.name(Kind::AppObject, index))
            .with("engineObjectId", self.id(Kind::AppObject, index).to_string())
            .with("engineObjectType", "sheet")
            .with("objectType", "sheet")
            .with("description", "")
            .with("app", self.app_reference(app))
            .with("contentHash", "")
            .with("size", 0)
            .with("published", self.stream_of(app).is_some())
            .with("approved", index.is_multiple_of(SHEETS))
            .with("tags", Vec::new())
    }

    pub(super) fn stream(&self, index: u64, row: Row) -> Row {
        let kind = Kind::Stream;
        row.with("customProperties", self.property_values(kind, index))
            .with("owner", self.owner(if index < 2 { 12 } else { self.owner_of(kind, index) }))
            .with("name", self.name(kind, index))
            .with("tags", self.tags_of(kind, index))
    }

    pub(super) fn extension(&self, index: u64, row: Row) -> Row {
        let kind = Kind::Extension;
        row.with("customProperties", Vec::new())
            .with("owner", self.owner(self.owner_of(kind, index)))
            .with("name", self.name(kind, index))
            .with("tags", self.tags_of(kind, index))
            .with("whiteList", Row::new().with("id", self.id(kind, index | 1 << 40)).with("libraryType", 0))
            .with("references", Vec::new())
    }

    pub(super) fn data_connection(&self, index: u64, row: Row) -> Row {
        let kind = Kind::DataConnection;
        let secret = self.noise(kind, index, 6);
        let (sort, text) = match index % 3 {
            0 => (
                "QvOdbcConnectorPackage.exe",
                format!("CUSTOM CONNECT TO \"provider=sql;host=db{index};pwd={secret:016x}\""),
            ),
            1 => ("folder", format!(r"\\files.example\qlik\{index}\")),
            _ => ("OLEDB", format!("OLEDB CONNECT TO [Provider=SQLNCLI11;Data Source=db{index}]")),
        };
        row.with("customProperties", Vec::new())
            .with("owner", self.owner(self.owner_of(kind, index)))
            .with("name", self.name(kind, index))
            .with("connectionstring", text)
            .with("type", sort)
            .with("engineObjectId", self.id(kind, index).to_string())
            .with("username", if index.is_multiple_of(3) { "reader" } else { "" })
            .with(
                "password",
                if index.is_multiple_of(3) { format!("%2{secret:032x}") } else { String::new() },
            )
            .with("logOn", 0)
            .with("architecture", 0)
            .with("tags", self.tags_of(kind, index))
    }

    pub(super) fn content_library(&self, index: u64, row: Row) -> Row {
        row.with("customProperties", Vec::new())
            .with("owner", self.owner(12))
            .with("name", self.name(Kind::ContentLibrary, index))
            .with("type", "media")
            .with("tags", Vec::new())
            .with("references", Vec::new())
            .with(
                "whiteList",
                Row::new().with("id", self.id(Kind::ContentLibrary, 1 << 40)).with("libraryType", 0),
            )
    }
}
