//! The vendor's side: one trait to implement, and a context through which everything is asked for.
//!
//! A connector computes and asks; it opens no sockets, files or threads, and has no runtime. Its futures are driven by the
//! host, so plain `async`/`await` and the combinators of [`futures`](crate::futures) are all it takes.

pub mod checks;
pub mod context;
pub mod describe;
pub mod http;
pub mod link;
pub mod rows;
pub mod session;
pub mod settings;

pub use checks::Checks;
pub use context::{Catalog, Context, Host};
pub use describe::DescriptionBuilder;
pub use http::{Http, Request, Response};
pub use rows::Row;
pub use session::Session;
pub use settings::{Origin, Secret};

use crate::contract::{Failure, description::Description, hooks::RefreshReport};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::future::Future;

/// One kind of system that Jackfield can connect to.
///
/// The hooks may be written as `async fn`.
pub trait Connector: Sized + 'static {
    /// The connection's settings: a plain struct. Its JSON Schema validates what the operator gives and builds the form.
    type Settings: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// What this connector is. Static: no I/O, the same every time.
    fn describe() -> Description;

    /// Tests a connection: reports each check of the description to `checks`.
    ///
    /// # Errors
    /// Only where the test itself could not be carried out. What is wrong with the connection is a failed check.
    fn test(
        context: &Context<Self::Settings>,
        checks: &mut Checks,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Brings the catalog up to date: puts objects and ends each kind.
    ///
    /// # Errors
    /// Whatever made it impossible. The catalog then stays as it was.
    fn refresh(
        context: &Context<Self::Settings>,
    ) -> impl Future<Output = Result<RefreshReport, Failure>> + Send;
}
