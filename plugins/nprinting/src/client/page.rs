//! The envelope of lists.

use jackfield_plugin::{Failure, Response, sdk::Row};
use serde::Deserialize;

/// A page of a list whose rows are of type `T`.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    /// Its rows.
    #[serde(alias = "Items")]
    pub(crate) items: Vec<T>,
    /// How many rows the whole list has, if the server says so.
    #[serde(default, rename = "totalItems", alias = "totalitems", alias = "TotalItems")]
    pub(crate) total: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(alias = "Data")]
    data: Page<T>,
}

impl<'a, T: Deserialize<'a>> Page<T> {
    /// Reads a page.
    ///
    /// # Errors
    /// It is none: the failure tells what came instead.
    pub(crate) fn read(response: &'a Response) -> Result<Self, Failure> {
        Ok(response.page::<Envelope<T>>()?.data)
    }
}

/// A page of rows.
pub(crate) type Rows<'a> = Page<Row<'a>>;
