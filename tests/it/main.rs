//! The integration tests: one binary, a module a topic. They drive the real executable.

mod plugins;
