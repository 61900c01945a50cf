//! Lists: counts, whole lists, and tables, which are read page by page.
//!
//! A table (`POST /qrs/<entity>/table`) names the columns that it wants, so nothing else is ever sent: no password of a data
//! connection, no thumbnail of an app. It answers 201, with rows that are arrays, and without a total (Qlik's OpenAPI of the QRS).

use super::{Client, user::Count};
use jackfield_plugin::{Failure, Request, Response, sdk::Row};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

/// How many rows of a table to ask for at once.
pub(crate) const TAKE: u64 = 500;

/// What is asked for of an entity.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// Its name in paths, such as `virtualproxyconfig`.
    pub(crate) path: &'static str,
    /// Its name in bodies, such as `VirtualProxyConfig`.
    pub(crate) entity: &'static str,
    /// The columns, as dotted paths.
    pub(crate) columns: Vec<&'static str>,
    /// Which rows; empty for all.
    pub(crate) filter: String,
    /// The column that they are sorted by.
    pub(crate) sorted_by: &'static str,
    /// How many rows to ask for at once.
    pub(crate) take: u64,
}

/// A page of rows.
pub(crate) enum Page<'a> {
    /// Of a whole list: objects.
    Objects(Vec<Row<'a>>),
    /// Of a table: arrays, in the order of the columns.
    Table(Vec<Vec<&'a RawValue>>),
}

#[derive(Deserialize)]
struct Table<'a> {
    #[serde(borrow, alias = "Rows")]
    rows: Vec<Vec<&'a RawValue>>,
}

impl<'a> Page<'a> {
    /// Reads a page of a table.
    pub(crate) fn table(response: &'a Response) -> Result<Self, Failure> {
        Ok(Page::Table(response.page::<Table<'a>>()?.rows))
    }

    /// Reads a whole list.
    pub(crate) fn list(response: &'a Response) -> Result<Self, Failure> {
        Ok(Page::Objects(response.page()?))
    }

    /// The text in the first cell of a table, if there is one.
    pub(crate) fn first(&self) -> Option<String> {
        match self {
            Page::Objects(_) => None,
            Page::Table(rows) => serde_json::from_str(rows.first()?.first()?.get()).ok(),
        }
    }

    /// How many rows it has.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Page::Objects(rows) => rows.len() as u64,
            Page::Table(rows) => rows.len() as u64,
        }
    }
}

impl Client<'_> {
    /// Asks for a page of a table, from a row on.
    pub(crate) async fn page(&self, query: &Query, skip: u64) -> Result<Response, Failure> {
        self.send(self.table_request(query, skip)).await
    }

    fn table_request(&self, query: &Query, skip: u64) -> Request {
        let columns: Vec<_> = query
            .columns
            .iter()
            .map(|path| json!({ "name": path, "columnType": "Property", "definition": path }))
            .collect();
        let (skip, take) = (skip.to_string(), query.take.to_string());
        let mut parameters = vec![
            ("skip", skip.as_str()),
            ("take", &take),
            ("sortcolumn", query.sorted_by),
            ("orderascending", "true"),
        ];
        if !query.filter.is_empty() {
            parameters.push(("filter", &query.filter));
        }
        self.request("POST", &format!("{}/table", query.path), &parameters)
            .json(json!({ "entity": query.entity, "columns": columns }))
            .list()
            .repeatable()
    }

    /// Asks for a whole list.
    pub(crate) async fn whole(&self, path: &str, query: &[(&str, &str)]) -> Result<Response, Failure> {
        self.send(self.request("GET", path, query).list()).await
    }

    /// Asks how many rows a list has.
    pub(crate) async fn count(&self, path: &str, filter: &str) -> Result<Response, Failure> {
        let filter = [("filter", filter)];
        let query = if filter[0].1.is_empty() { &filter[..0] } else { &filter[..] };
        self.send(self.request("GET", &format!("{path}/count"), query)).await
    }

    /// Reads the answer to the question how many.
    pub(crate) fn counted(response: &Response) -> Result<u64, Failure> {
        Count::read(response)
    }
}
