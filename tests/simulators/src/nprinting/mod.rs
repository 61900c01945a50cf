//! Qlik NPrinting, simulated: the REST API of a server as a catalogue connector meets it.
//!
//! What is faithful, and what can be switched where nothing is documented:
//!
//! - *Transport.* HTTPS on any port with the certificate that a server makes itself, with a proper one, or plain HTTP
//!   ([`Tls`]). `OPTIONS` answers everywhere, with CORS headers for trusted origins.
//! - *Tokens.* RS256, RS384 and RS512, verified with the registered certificate, and nothing else; `exp` and `nbf`
//!   honoured, other claims ignored; matching by email or domain account with configured claims ([`Matching`]).
//! - *Sessions.* Both cookies on the first success, the anti-forgery token percent-encoded and always in need of it;
//!   cookie-only calls; a token beside a cookie checked again; a new session for another user.
//! - *Refusals.* 401 for a missing, bad, expired or unmatched token; 403 for a write by cookie without the decoded
//!   `X-XSRF-TOKEN` or from an origin that is not trusted. Bodies as sign-in answers, empty or HTML ([`ErrorBody`]).
//! - *Other ways in.* `/login` with email and password, `/login/ntlm` with its three messages, or trusting ([`Ntlm`]).
//! - *Lists.* Paths and parameters in any case; the three envelopes; 0 and 50; `limit=0` as a ping; 400 for an unknown
//!   sort, a bad number and what is no GUID, 404 for an unknown one; no cap unless one is configured.
//! - *Rights.* Rows that a caller may not see are absent; three seeded users — administrator, limited, developer — and any
//!   that a test makes, with roles of its own.
//! - *Content.* More than fifty users and executions; reports that are hidden because they are not On-Demand, called by
//!   their title, without an app; tasks of both types, publishing by default; a connection in every cache status.
//! - *Writes.* 201 with nothing but `Location`; 200 with nothing; 202 with the execution. Apps, connections, filters,
//!   users, groups, executions, On-Demand requests.
//! - *Releases.* Lower-case keys, members that old servers lack, values that no document lists, three ways to write a time
//!   ([`Shape`]).
//! - *Faults.* Those of the kit: slow, 5xx with any body, dropped connections, endless bodies; pages that repeat; and
//!   sessions that expire.
//!
//! What is not there: NewsStand on its own port, the private `/npe` paths, export of templates, the proof inside an NTLM
//! message. The trap that two Python packages share a name is nobody's behaviour.

mod call;
mod certificate;
mod config;
mod control;
mod data;
mod directory;
mod gate;
mod jwt;
mod lists;
mod ntlm;
mod problem;
mod query;
mod rights;
mod routes;
mod sessions;
mod signin;
mod world;

pub use config::{Changes, Config, Dates, ErrorBody, Matching, Ntlm, Population, Shape, Tls};
pub use control::{NewUser, Simulator};
pub use jwt::JwtPair;
pub use rights::{NewRole, Permission};
