//! The integration tests: one binary, a module a topic. They drive the real executable.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod almanac;
mod canary;
mod cli;
mod configuration;
mod connections;
mod crashes;
mod database;
mod disk;
mod faults;
mod guard;
mod house;
mod identity;
mod interruptions;
mod keys;
mod leaks;
mod logs;
mod mirror;
mod misbehaviour;
mod nprinting;
mod plugins;
mod qlik_cloud;
mod qlik_cloud_failures;
mod qlik_cloud_refresh;
mod qlik_cloud_sessions;
mod qlik_cloud_sign_in;
mod qlik_cloud_trouble;
mod relay;
mod secrets;
mod secrets_at_rest;
mod support;
mod together;
mod trust;
mod yesterday;
mod yesterday_messages;
mod yesterday_sources;
