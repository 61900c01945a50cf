//! Qlik Sense Enterprise on Windows, simulated: the repository and the proxy of a site as a catalogue connector meets them.
//!
//! What is faithful, and what can be switched where nothing is documented:
//!
//! - *Certificates.* An authority of the site's own; server and client certificates shaped like real ones; exports as
//!   PEM with PKCS #1 keys and as PKCS #12 in three encryptions ([`ClientCertificate`], [`Pkcs12`]).
//! - *Callers.* No handshake without a certificate; the key against forged requests before anything else; the user in
//!   `X-Qlik-User`; 403 for unknown, blocked, inactive and departed ones.
//! - *Lists.* Short and full, counts, tables, selections; the filter language; orders; privileges. Lists are whole
//!   unless a cap is configured.
//! - *Writes.* 201, 200, 204; 409 for a row that is newer than the one sent; 400 for what is too long, not unique or
//!   refers to nothing.
//! - *The proxy.* Virtual proxies by prefix, once they are linked; sign-in by verified token, header, ticket; a cookie
//!   per virtual proxy; five sessions per user. It starts anew when what it serves changes: away for a while, sessions
//!   gone.
//! - *Rights.* What the rules of a new site amount to, by role; people see what is in the stream of everyone and what is
//!   their own.
//! - *Events.* What was done to the site is written down ([`Event`]); writes of the default virtual proxy above all.
//! - *Faults.* Those of the kit.
//!
//! What is not there: the engine's web socket, uploads, app import and export, object level content, the audit of rules,
//! SAML and OIDC sign-in, Windows authentication itself.

mod call;
mod caller;
mod cell;
mod certificates;
mod config;
mod control;
mod data;
mod entities;
mod filter;
mod gate;
mod jwt;
mod lists;
mod problem;
mod proxies;
mod query;
mod rights;
mod routes;
mod sessions;
mod signin;
mod store;
mod table;
mod world;
mod writes;

pub use certificates::{ClientCertificate, Pkcs12, Validity};
pub use config::{Changes, Config, MissingUser, Population};
pub use control::Simulator;
pub use store::{Action, Event};
