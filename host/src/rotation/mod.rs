//! Rotation: giving a credential a new version without ever losing one that works.
//!
//! One attempt is a row that says how far it is ([`machine`] knows which way it may go), a journal of every decision, and an
//! escrow of every answer of the remote side, sealed before anybody looked at it. Decisions are fenced by the lease of the
//! run that makes them; evidence is not, because an answer that only a deposed process has received is still an answer.

pub mod escrow;
pub mod machine;
pub mod plan;
