//! The house. Arrows point down; hands never lean on each other, the corridor introduces them.
//!
//! ```text
//!              cli                          doors: ask and show, decide nothing
//!               |
//!      runs · migrations                    corridor: the use cases
//!               |
//!           rotation
//!               |
//!       connections · app
//!               |     \
//!               |      plugins · config · keys
//!      /       |       |       \
//!  worker    http   secrets   store         hands: each knows one outside thing
//!      \       |       |       /
//!               model                       nouns and pure rules
//! ```

pub mod app;
pub mod cli;
pub mod config;
pub mod connections;
pub mod failpoint;
pub mod http;
pub mod keys;
pub mod migrations;
pub mod model;
pub mod plugins;
pub mod rotation;
pub mod runs;
pub mod secrets;
pub mod store;
pub mod worker;
