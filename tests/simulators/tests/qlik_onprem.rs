//! The simulated Qlik Sense site, met from outside as a connector meets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "qlik_onprem/callers.rs"]
mod callers;
#[path = "qlik_onprem/certificates.rs"]
mod certificates;
#[path = "qlik_onprem/client.rs"]
mod client;
#[path = "qlik_onprem/faults.rs"]
mod faults;
#[path = "qlik_onprem/lists.rs"]
mod lists;
#[path = "qlik_onprem/proxy.rs"]
mod proxy;
#[path = "qlik_onprem/rights.rs"]
mod rights;
#[path = "qlik_onprem/tables.rs"]
mod tables;
#[path = "qlik_onprem/virtual_proxies.rs"]
mod virtual_proxies;
#[path = "qlik_onprem/writes.rs"]
mod writes;
