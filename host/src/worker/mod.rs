//! Workers: child processes in which plugin code runs. The host process itself never does.
//!
//! A worker is this same executable started again with the hidden subcommand `worker`. Host and worker speak frames
//! ([`frames`]) over the child's standard input and output; [`process`] is the host's end, [`child`] the plugin's. The
//! child's end takes any reader and writer, so the protocol is tested in memory, and [`local`] runs a plugin in this
//! process for benches and vendors' tests, with the very same bytes.
//!
//! A worker serves one run. Whatever its plugin does (crash, hang, flood, lie) ends that run and nothing else: the host
//! sees the pipe close, or loses patience and kills it.

pub mod child;
pub mod frames;
pub mod local;
pub mod process;

use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Answers a plugin's calls: capability name and encoded message in, encoded `Result<answer, Failure>` out.
pub type Capabilities = Arc<dyn Fn(String, Vec<u8>) -> BoxFuture<'static, Vec<u8>> + Send + Sync>;
