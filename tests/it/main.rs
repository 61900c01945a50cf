//! The integration tests: one binary, a module a topic. They drive the real executable.

mod database;
mod plugins;
mod qlik_cloud;
mod qlik_cloud_failures;
mod qlik_cloud_refresh;
mod qlik_cloud_sessions;
mod qlik_cloud_sign_in;
mod qlik_cloud_trouble;
