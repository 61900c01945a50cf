//! What is told to whoever observes: one record for each attempt, and for each redirect that was followed on the way.

use crate::model::certificate::ServerCertificate;
use std::time::Duration;

/// One attempt to get one answer, as it can be logged and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Counts the requests of the plugin within the run, from 1. Attempts and redirects of a request share it.
    pub number: u64,
    /// The method.
    pub method: String,
    /// Path and query, scrubbed.
    pub path: String,
    /// Scheme, host, and port where it is not the scheme's own.
    pub origin: String,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// Why there was none, or why it is of no use.
    pub failure: Option<String>,
    /// The server's certificate, if that is why.
    pub certificate: Option<ServerCertificate>,
    /// There was none in time.
    pub timed_out: bool,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// How long it had to wait because *Max parallel executions* others were in flight.
    pub waited_for_cap: Duration,
    /// From the first byte sent to the last one read, without the wait.
    pub took: Duration,
    /// Size of the answer's body, decompressed.
    pub bytes: u64,
    /// The request said that its answer is a list; never set on a redirect.
    pub list: bool,
    /// It will be tried again, after this time.
    pub retry_in: Option<Duration>,
}
