//! Qlik Cloud, simulated: the REST API of a tenant as a catalogue connector meets it.
//!
//! What is faithful: signed tokens that are really checked, consent, bots, roles and scopes and the table of who may do
//! what; each list's own paging; error envelopes of each service; the rate limiter of tiers and users; sizes up to
//! millions of rows that are computed and never held.
//!
//! Identity providers for tokens, off until the vendor activates them, and sessions by such a token with cookies and a
//! token against forgery.
//!
//! What is not there yet: signed delivery of webhooks and its history, interactive sign-in, CSP origins, lineage graphs,
//! reports, app import and export, the engine's web socket. Each is a file in `routes/` away.

mod access;
mod call;
mod caller;
mod clients;
mod config;
mod control;
mod control_sign_in;
mod data;
mod directory;
mod gate;
mod identity;
mod jwt_login;
mod keys;
mod limits;
mod paging;
mod problem;
mod query;
mod roles;
mod routes;
mod sessions;
mod sign_in;
mod source;
mod tokens;
mod walk;
mod world;

pub use access::{Access, Override};
pub use clients::{ClientCredentials, Consent, NewClient};
pub use config::{Changes, Config, Ending, Limits, Population};
pub use control::{ApiKeyToken, Simulator};
pub use control_sign_in::NewUser;
pub use sign_in::{JwtAuthorization, JwtRefusal, KnownEmail, OwnProvider, SignIn};
