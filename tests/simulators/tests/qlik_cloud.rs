//! The simulated Qlik Cloud tenant, met from outside as a connector meets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "qlik_cloud/auth.rs"]
mod auth;
#[path = "qlik_cloud/catalogue.rs"]
mod catalogue;
#[path = "qlik_cloud/client.rs"]
mod client;
#[path = "qlik_cloud/faults.rs"]
mod faults;
#[path = "qlik_cloud/identity_providers.rs"]
mod identity_providers;
#[path = "qlik_cloud/limits.rs"]
mod limits;
#[path = "qlik_cloud/rights.rs"]
mod rights;
#[path = "qlik_cloud/rotation.rs"]
mod rotation;
#[path = "qlik_cloud/sign_in.rs"]
mod sign_in;
#[path = "qlik_cloud/way.rs"]
mod way;
