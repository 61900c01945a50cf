//! What every simulator needs and no simulated system owns: a listener, certificates, faults, a journal of
//! requests, a quick JSON writer, deterministic noise and the filter language of SCIM.

pub(crate) mod clock;
pub(crate) mod cookies;
pub mod faults;
pub(crate) mod guid;
pub mod journal;
pub(crate) mod json;
pub(crate) mod noise;
pub(crate) mod rounds;
pub(crate) mod sabotage;
pub(crate) mod scim;
pub(crate) mod server;
pub(crate) mod tls;
pub mod way;
