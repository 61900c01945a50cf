//! The kinds of object, and how a page of each becomes objects.
//!
//! A tenant may have 100,000 apps on 1,000 pages: rows borrow from the body, and what goes into the attributes is copied
//! as it stands. Only members that are named in `rows` are taken, so no secret inside an object comes along.

use super::rows::{Automation, DataFile, Item, Reload, Report, ReportTemplate, Role, Space, Task, User};
use crate::client::Links;
use jackfield_plugin::{Failure, Object, Response};
use serde::{Deserialize, de::IgnoredAny};

/// A kind of object.
pub(super) struct Kind {
    /// Its id in the catalog.
    pub(super) id: &'static str,
    /// For one.
    pub(super) singular: &'static str,
    /// For many.
    pub(super) plural: &'static str,
    read: fn(&[u8]) -> Result<Read, serde_json::Error>,
}

/// The kinds, in the order in which they are shown.
pub(super) const KINDS: &[Kind] = &[
    Kind { id: "app", singular: "app", plural: "apps", read: |body| read::<Item>(body) },
    Kind { id: "space", singular: "space", plural: "spaces", read: |body| read::<Space>(body) },
    Kind { id: "reload", singular: "reload", plural: "reloads", read: |body| read::<Reload>(body) },
    Kind { id: "task", singular: "task", plural: "tasks", read: |body| read::<Task>(body) },
    Kind { id: "report", singular: "report", plural: "reports", read: |body| read::<Report>(body) },
    Kind {
        id: "report_template",
        singular: "report template",
        plural: "report templates",
        read: |body| read::<ReportTemplate>(body),
    },
    Kind { id: "user", singular: "user", plural: "users", read: |body| read::<User>(body) },
    Kind { id: "role", singular: "role", plural: "roles", read: |body| read::<Role>(body) },
    Kind {
        id: "automation",
        singular: "automation",
        plural: "automations",
        read: |body| read::<Automation>(body),
    },
    Kind {
        id: "data_file",
        singular: "data file",
        plural: "data files",
        read: |body| read::<DataFile>(body),
    },
    Kind { id: "dataset", singular: "data set", plural: "data sets", read: |body| read::<Item>(body) },
];

/// A row of a list.
pub(super) trait Row {
    /// The object that it is; `None` if it has no id.
    fn object(&self) -> Option<Result<Object, Failure>>;
}

/// A page, read.
pub(super) struct Page {
    /// Its objects.
    pub(super) objects: Vec<Object>,
    /// How many rows had no id.
    pub(super) unreadable: u64,
    /// The link to the next page.
    pub(super) next: Option<String>,
    /// How many rows the whole list has, if the tenant says so.
    pub(super) total: Option<u64>,
}

struct Read {
    objects: Vec<Option<Result<Object, Failure>>>,
    next: Option<String>,
    total: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<R> {
    data: Vec<R>,
    #[serde(default)]
    links: Option<Links>,
    #[serde(default)]
    total_results: Option<u64>,
}

fn read<'a, R: Row + Deserialize<'a>>(body: &'a [u8]) -> Result<Read, serde_json::Error> {
    let body: Body<R> = serde_json::from_slice(body)?;
    Ok(Read {
        objects: body.data.iter().map(Row::object).collect(),
        next: body.links.and_then(Links::next),
        total: body.total_results,
    })
}

impl Kind {
    /// Reads a page.
    pub(super) fn read(&self, response: &Response) -> Result<Page, Failure> {
        self.read_body(response.body()).map_err(|failure| match response.json::<IgnoredAny>() {
            Ok(_) => failure.status(response.status()),
            Err(no_json) => no_json,
        })
    }

    /// Reads the body of a page.
    pub(super) fn read_body(&self, body: &[u8]) -> Result<Page, Failure> {
        let read = (self.read)(body)
            .map_err(|error| Failure::remote(format!("the answer is no list as expected: {error}")))?;
        let rows = read.objects.len();
        let objects = read.objects.into_iter().flatten().collect::<Result<Vec<_>, _>>()?;
        let unreadable = (rows - objects.len()) as u64;
        Ok(Page { objects, unreadable, next: read.next, total: read.total })
    }
}
