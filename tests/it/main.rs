//! The integration tests: one binary, a module a topic. They drive the real executable.

mod cli;
mod configuration;
mod connections;
mod house;
mod interruptions;
mod logs;
mod misbehaviour;
mod plugins;
mod support;
