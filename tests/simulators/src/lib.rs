//! Simulators of the systems that Jackfield's connectors talk to: real servers on a loopback port, faithful to what
//! those systems publish and to what was seen of them, with switches for everything that can go wrong. They share no
//! code with the connectors, so that a misunderstanding cannot agree with itself.

mod kit;
pub mod nprinting;
pub mod qalyptus;
pub mod qlik_cloud;
pub mod qlik_onprem;

pub use kit::{faults, journal, way};
