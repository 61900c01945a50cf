//! The vendor's side: one trait to implement, and a context through which everything is asked for.
//!
//! A connector computes and asks; it opens no sockets, files or threads, and has no runtime. Its futures are driven by the
//! host, so plain `async`/`await` and the combinators of [`futures`](crate::futures) are all it takes.

pub mod checks;
pub mod context;
pub mod describe;
pub mod http;
pub mod link;
pub mod lists;
pub mod rows;
pub mod session;
pub mod settings;

pub use checks::Checks;
pub use context::{Catalog, Context, Host};
pub use describe::DescriptionBuilder;
pub use http::{Http, Request, Response};
pub use lists::{End, Noun, Stop, Walk, nameless};
pub use rows::Row;
pub use session::Session;
pub use settings::{Origin, Secret};

use crate::contract::{
    Failure,
    description::Description,
    hooks::{Expiry, RefreshReport, Staged, Swept},
};
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

    /// Makes a new version of the credential that [`Context::rotation`] names, on the remote side. Every request that changes
    /// something is a [step](Request::step), and its secret is captured. The hook may be run again from the top after a crash:
    /// steps that were answered are answered the same. Only for credentials of the mode
    /// [`Automatic`](crate::contract::description::RotationMode).
    ///
    /// # Errors
    /// Nothing was made, or it is not known whether something was.
    fn stage(context: &Context<Self::Settings>) -> impl Future<Output = Result<Staged, Failure>> + Send {
        async { Err(no_rotation(context)) }
    }

    /// Removes the version [`Rotation::other`](crate::contract::hooks::Rotation) from the remote side. That it is gone already is
    /// no error: the hook may run again.
    ///
    /// # Errors
    /// It could not be removed; it is tried again later.
    fn retire(context: &Context<Self::Settings>) -> impl Future<Output = Result<(), Failure>> + Send {
        async { Err(no_rotation(context)) }
    }

    /// Removes what [`stage`](Connector::stage) of this attempt may have left on the remote side without its answer having
    /// arrived: whatever carries the attempt's id, and nothing else.
    ///
    /// # Errors
    /// It cannot be said that nothing is left.
    fn sweep(context: &Context<Self::Settings>) -> impl Future<Output = Result<Swept, Failure>> + Send {
        async { Err(no_rotation(context)) }
    }

    /// Asks the remote side when the version in use ends, what its id is, and whether the connector may renew it.
    ///
    /// # Errors
    /// The remote side could not be asked.
    fn expiry(_context: &Context<Self::Settings>) -> impl Future<Output = Result<Expiry, Failure>> + Send {
        async { Ok(Expiry::default()) }
    }
}

fn no_rotation<S>(context: &Context<S>) -> Failure {
    let credential = context.rotation().map(|rotation| rotation.credential.clone()).unwrap_or_default();
    Failure::plugin(format!("this connector does not renew the credential \"{credential}\" by itself"))
}
