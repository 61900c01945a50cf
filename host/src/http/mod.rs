//! The HTTP room: the only way out of this house.

mod address;
pub mod capture;
pub mod client;
pub mod exchange;
pub mod limits;
pub mod policy;
pub mod slots;
