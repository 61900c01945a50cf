//! The rows of the lists: the members that are taken of each, and the object that they make.

use super::objects::Row;
use jackfield_plugin::{Failure, Object};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// A text that is borrowed where it can be. A number counts as its digits, anything else as empty: a member that changes
/// its type does not end a refresh.
#[derive(Clone, Debug, Default)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    fn get(&self) -> Option<&str> {
        Some(self.0.as_ref()).filter(|text| !text.is_empty())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }

            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// A member that is copied into the attributes as it stands.
type Raw<'a> = Option<&'a RawValue>;

/// A member that says nothing.
fn says_nothing(raw: &Raw<'_>) -> bool {
    raw.is_none_or(|raw| matches!(raw.get(), "\"\"" | "null" | "[]" | "{}"))
}

/// Defines a row: members that are read, and members that are copied as they stand.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($text:ident),+ ; $($raw:ident),* $(; $($other:ident: $type:ty),+)? }) => {
        $(#[$doc])*
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub(super) struct $name<'a> {
            $(#[serde(borrow)] $text: Text<'a>,)+
            $(#[serde(borrow)] $raw: Raw<'a>,)*
            $($(#[serde(borrow)] $other: $type,)+)?
        }
    };
}

/// Makes the attributes of an object: names in the catalog, and the members copied there.
macro_rules! attributes {
    ($object:expr, { $($name:ident: $value:expr),+ $(,)? }) => {{
        #[derive(Serialize)]
        struct Attributes<'a> {
            $(#[serde(skip_serializing_if = "says_nothing")] $name: Raw<'a>,)+
        }
        Some($object.attributes(&Attributes { $($name: $value,)+ }))
    }};
}

/// Begins an object; `None` without an id. What has no name goes by its id.
fn object(id: Option<&str>, name: Option<&str>) -> Option<Object> {
    let id = id?;
    Some(Object::new(id, name.unwrap_or(id)))
}

/// The later of two times as the tenant writes them. Their precision varies, so whole seconds are compared.
fn later<'a>(left: Option<&'a str>, right: Option<&'a str>) -> Option<&'a str> {
    let seconds = |time: &'a str| time.get(..19).unwrap_or(time);
    match (left, right) {
        (Some(left), Some(right)) if seconds(left) >= seconds(right) => Some(left),
        (left, None) => left,
        (_, right) => right,
    }
}

row! {
    /// An app or a data set: both are items. The id that everything else refers to is the resource's, not the item's.
    Item {
        resource_id, name, space_id, owner_id, updated_at, resource_updated_at;
        id, description, resource_sub_type, resource_created_at, resource_reload_status, resource_reload_end_time,
        resource_size
    }
}

impl Row for Item<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let item = self.id.and_then(|id| serde_json::from_str::<Text<'_>>(id.get()).ok()).unwrap_or_default();
        let object = object(self.resource_id.get().or_else(|| item.get()), self.name.get())?
            .parent(self.space_id.get())
            .modified(later(self.resource_updated_at.get(), self.updated_at.get()))
            .link("owner", "user", self.owner_id.get());
        attributes!(object, {
            item: self.id,
            description: self.description,
            sub_type: self.resource_sub_type,
            created: self.resource_created_at,
            reload_status: self.resource_reload_status,
            reloaded: self.resource_reload_end_time,
            size: self.resource_size,
        })
    }
}

row! {
    /// A space. Personal spaces are not listed; what lies in one has no space.
    Space { id, name, owner_id, updated_at; r#type, description, created_at }
}

impl Row for Space<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let object = object(self.id.get(), self.name.get())?.modified(self.updated_at.get()).link(
            "owner",
            "user",
            self.owner_id.get(),
        );
        attributes!(object, { kind: self.r#type, description: self.description, created: self.created_at })
    }
}

row! {
    /// A reload. It has no name: it goes by its time.
    Reload {
        id, app_id, user_id, creation_time, start_time, end_time;
        status, r#type, partial, error_code, error_message
    }
}

impl Row for Reload<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let last = self.end_time.get().or_else(|| self.start_time.get()).or_else(|| self.creation_time.get());
        let object = object(self.id.get(), self.creation_time.get())?
            .parent(self.app_id.get())
            .modified(last)
            .link("app", "app", self.app_id.get())
            .link("started_by", "user", self.user_id.get());
        attributes!(object, {
            status: self.status,
            kind: self.r#type,
            partial: self.partial,
            error_code: self.error_code,
            error: self.error_message,
        })
    }
}

row! {
    /// A scheduled task.
    Task {
        id, name, resource_id; description, enabled, start; metadata: Option<TaskMetadata<'a>>
    }
}

row! {
    /// What the scheduler knows of a task.
    TaskMetadata {
        owner_id, space_id, resource_type, updated_at;
        created_at, disabled_code, resource_name; orchestration: Option<Orchestration<'a>>
    }
}

row! {
    /// How a task is carried out.
    Orchestration { id; last_run }
}

impl Row for Task<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let nothing = TaskMetadata::default();
        let metadata = self.metadata.as_ref().unwrap_or(&nothing);
        // The schedulers before this one knew only reloads of apps, and did not say so.
        let of_app = matches!(metadata.resource_type.get(), None | Some("app"));
        let object = object(self.id.get(), self.name.get())?
            .parent(metadata.space_id.get())
            .modified(metadata.updated_at.get())
            .link("owner", "user", metadata.owner_id.get())
            .link("app", "app", self.resource_id.get().filter(|_| of_app));
        attributes!(object, {
            description: self.description,
            enabled: self.enabled,
            start: self.start,
            created: metadata.created_at,
            disabled_code: metadata.disabled_code,
            resource_name: metadata.resource_name,
            last_run: metadata.orchestration.as_ref().and_then(|orchestration| orchestration.last_run),
        })
    }
}

row! {
    /// A task that reports, shares or alerts.
    Report {
        id, name, app_id, space_id, owner, owner_id, template_id, last_updated;
        r#type, sub_type, description, enabled, status_label, date_created, last_execution_date, next_scheduled_run
    }
}

impl Row for Report<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let object = object(self.id.get(), self.name.get())?
            .parent(self.space_id.get())
            .modified(self.last_updated.get())
            .link("owner", "user", self.owner.get().or_else(|| self.owner_id.get()))
            .link("app", "app", self.app_id.get())
            .link("template", "report_template", self.template_id.get());
        attributes!(object, {
            kind: self.r#type,
            format: self.sub_type,
            description: self.description,
            enabled: self.enabled,
            status: self.status_label,
            created: self.date_created,
            last_run: self.last_execution_date,
            next_run: self.next_scheduled_run,
        })
    }
}

row! {
    /// A template for reports.
    ReportTemplate { id, name, owner_id, source_app_id, updated_at; r#type, description, created_at }
}

impl Row for ReportTemplate<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let object = object(self.id.get(), self.name.get())?
            .modified(self.updated_at.get())
            .link("owner", "user", self.owner_id.get())
            .link("app", "app", self.source_app_id.get());
        attributes!(object, { kind: self.r#type, description: self.description, created: self.created_at })
    }
}

row! {
    /// A user.
    User { id, name, last_updated_at; email, subject, status, created_at; assigned_roles: Option<Vec<RoleOfUser<'a>>> }
}

row! {
    /// A role of a user; of others it is shown only to those who may read roles.
    RoleOfUser { id; }
}

impl Row for User<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let object = object(self.id.get(), self.name.get())?.modified(self.last_updated_at.get());
        let roles = self.assigned_roles.iter().flatten();
        let object = roles.fold(object, |object, role| object.link("role", "role", role.id.get()));
        attributes!(object, {
            email: self.email,
            subject: self.subject,
            status: self.status,
            created: self.created_at,
        })
    }
}

row! {
    /// A role.
    Role { id, name, last_updated_at; r#type, level, description, assigned_scopes, created_at }
}

impl Row for Role<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let object = object(self.id.get(), self.name.get())?.modified(self.last_updated_at.get());
        attributes!(object, {
            kind: self.r#type,
            level: self.level,
            description: self.description,
            scopes: self.assigned_scopes,
            created: self.created_at,
        })
    }
}

row! {
    /// An automation, without the token that would start it.
    Automation {
        id, name, owner_id, space_id, updated_at;
        description, state, run_mode, last_run_at, last_run_status, created_at
    }
}

impl Row for Automation<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let object = object(self.id.get(), self.name.get())?
            .parent(self.space_id.get())
            .modified(self.updated_at.get())
            .link("owner", "user", self.owner_id.get());
        attributes!(object, {
            description: self.description,
            state: self.state,
            run_mode: self.run_mode,
            last_run: self.last_run_at,
            last_run_status: self.last_run_status,
            created: self.created_at,
        })
    }
}

row! {
    /// A data file.
    DataFile {
        id, name, owner_id, space_id, app_id, modified_date, content_updated_date;
        size, folder, folder_path, qri, created_date
    }
}

impl Row for DataFile<'_> {
    fn object(&self) -> Option<Result<Object, Failure>> {
        let object = object(self.id.get(), self.name.get())?
            .parent(self.space_id.get())
            .modified(later(self.modified_date.get(), self.content_updated_date.get()))
            .link("owner", "user", self.owner_id.get())
            .link("app", "app", self.app_id.get());
        attributes!(object, {
            size: self.size,
            folder: self.folder,
            folder_path: self.folder_path,
            qri: self.qri,
            created: self.created_date,
        })
    }
}

#[cfg(test)]
mod tests;
