//! The HTTP room: the only way out of this house.

mod address;
mod attempt;
pub mod capture;
pub mod client;
pub mod exchange;
mod failure;
mod jar;
pub mod limits;
pub mod policy;
mod pool;
mod prepare;
mod redirect;
mod resolver;
mod retry;
pub mod slots;
#[cfg(test)]
mod tests;
mod tls;
