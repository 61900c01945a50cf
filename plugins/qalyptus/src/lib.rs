//! What the connectors for Qalyptus Server and Qalyptus Cloud share. Both products have the same API under other addresses, as
//! far as it is known; what differs is data, in each product's endpoint map.
//!
//! | module | what |
//! |---|---|
//! | `map` | the endpoint map: read, laid over, checked, told |
//! | `kinds` | what is listed, and in which order |
//! | `client` | asks by the map: candidates, the key, what a refusal means |
//! | `envelope` | what answers are wrapped in |
//! | `test` | the parts of a test |
//! | `status` | a check whose rule stands in the map |
//! | `refresh` | the catalog |
//!
//! This is no plugin: it has no door. Each of the two plugin files links a copy of it.
#![forbid(unsafe_code)]

mod client;
mod envelope;
mod kinds;
mod map;
mod refresh;
pub mod status;
mod test;

pub use client::Client;
pub use kinds::List;
pub use refresh::run as refresh;
pub use test::{Probed, cancelled, probe};

use jackfield_plugin::{
    Origin, Secret,
    contract::{description::RotationMode, http::Place},
    sdk::DescriptionBuilder,
};

/// The settings field that is the server's origin.
pub const SERVER: &str = "server_url";
/// The settings field of the key, and the credential that it is.
pub const API_KEY: &str = "api_key";
/// A header of its own for the key, if the map says so.
pub(crate) const KEY_HEADER: &str = "X-API-Key";

/// One of the two products.
#[derive(Debug)]
pub struct Product {
    /// The connector's id, as it stands in the map.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The built-in map.
    pub map: &'static str,
    /// Operations that it does not have.
    pub without: &'static [&'static str],
    /// What the server URL is, for messages.
    pub address: &'static str,
    /// Where its API keys are turned on and off.
    pub keys: &'static str,
}

impl Product {
    /// What it lists, in the order of reading.
    pub fn lists(&self) -> impl Iterator<Item = &'static List> {
        kinds::ALL.iter().filter(|list| !self.without.contains(&list.operation))
    }
}

/// What the settings of both have.
pub trait Settings: Send + Sync + 'static {
    /// Which product it is.
    const PRODUCT: &'static Product;
    /// The server.
    fn server(&self) -> &Origin;
    /// The key.
    fn key(&self) -> &Secret;
    /// What the connection lays over the endpoint map.
    fn endpoint_map(&self) -> Option<&str>;
}

/// Adds the kinds of object to the description.
pub fn objects(description: DescriptionBuilder, product: &Product) -> DescriptionBuilder {
    description.objects(product.lists().map(|list| list.noun))
}

/// Adds the key to the description. A person brings it: no call is known that makes one. It may go to any path of this
/// connection's server, because the paths stand in the map, which a connection can change.
pub fn credentials(description: DescriptionBuilder) -> DescriptionBuilder {
    let header = Place::Header { name: KEY_HEADER.to_owned() };
    let uses = [(API_KEY, Place::Bearer, "/*"), (API_KEY, header, "/*")];
    description.credential(API_KEY, "API key", RotationMode::Supplied, uses)
}
