//! The plugin's end: opens one plugin and carries frames between it and the host.

use super::frames::{self, Frame};
use jackfield_plugin::{
    abi::{HostObject, host_from_fn},
    contract::{Failure, wire::encode},
    loader::Plugin,
};

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
    sync::{mpsc, oneshot},
};

/// Calls of the plugin that wait for their answer.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Vec<u8>>>>>;

/// Serves a host until it closes the stream. Hooks run in another runtime than frames are carried in: a hook may never yield.
///
/// # Errors
/// The stream failed or held what is no frame.
pub async fn serve(
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin + Send + 'static,
    hooks: &Handle,
) -> io::Result<()> {
    // The bound is the back-pressure: a plugin that calls faster than the host answers waits here.
    let (outbound, mut frames_out) = mpsc::channel::<Frame>(16);
    let writing = tokio::spawn(async move {
        while let Some(frame) = frames_out.recv().await {
            frames::write(&mut writer, &frame).await?;
        }
        Ok::<_, io::Error>(())
    });
    let waiting = Waiting::default();
    let mut plugin = None;
    while let Some(frame) = frames::read(&mut reader).await? {
        match frame {
            Frame::Open { path, digest } => {
                let opened = tokio::task::spawn_blocking(move || open(&path, &digest))
                    .await
                    .map_err(io::Error::other)?;
                let error = opened.as_ref().err().cloned();
                plugin = opened.ok();
                send(&outbound, Frame::Opened { error }).await?;
            }
            Frame::Describe { call } => {
                let (plugin, outbound) = (plugin.clone(), outbound.clone());
                tokio::task::spawn_blocking(move || {
                    let described =
                        with(plugin, |plugin| plugin.describe().map_err(|error| error.to_string()));
                    let frame = ended(call, described.map(|description| encode(&description)));
                    // The host is gone if this fails, and then so is this process.
                    let _ = outbound.blocking_send(frame);
                });
            }
            Frame::Invoke { call, hook, message } => {
                let host = way_out(outbound.clone(), waiting.clone());
                let (plugin, outbound) = (plugin.clone(), outbound.clone());
                hooks.spawn(async move {
                    let answer = match plugin {
                        Some(plugin) => plugin.invoke(&hook, message, host).await.map_err(|e| e.to_string()),
                        None => Err(NOT_OPEN.to_owned()),
                    };
                    let _ = outbound.send(ended(call, answer)).await;
                });
            }
            Frame::Answer { call, message } => {
                let waiter = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&call);
                if let Some(waiter) = waiter {
                    // A plugin that has dropped its call does not want the answer.
                    let _ = waiter.send(message);
                }
            }
            Frame::Opened { .. } | Frame::Ended { .. } | Frame::Call { .. } => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the host sent a worker's frame"));
            }
        }
    }
    drop(outbound);
    writing.abort();
    Ok(())
}

/// The longest message that fits into a frame.
const LONGEST_MESSAGE: usize = frames::LONGEST - 4096;

const NOT_OPEN: &str = "no plugin is open in this worker";

fn with<T>(
    plugin: Option<Arc<Plugin>>,
    work: impl FnOnce(&Plugin) -> Result<T, String>,
) -> Result<T, String> {
    plugin.ok_or_else(|| NOT_OPEN.to_owned()).and_then(|plugin| work(&plugin))
}

fn ended(call: u64, outcome: Result<Vec<u8>, String>) -> Frame {
    match outcome {
        Ok(answer) if answer.len() > LONGEST_MESSAGE => {
            let error =
                format!("its answer of {} bytes is longer than the limit of {LONGEST_MESSAGE}", answer.len());
            Frame::Ended { call, answer: Vec::new(), error: Some(error) }
        }
        Ok(answer) => Frame::Ended { call, answer, error: None },
        Err(error) => Frame::Ended { call, answer: Vec::new(), error: Some(error) },
    }
}

async fn send(outbound: &mpsc::Sender<Frame>, frame: Frame) -> io::Result<()> {
    outbound.send(frame).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
}

/// Opens a plugin if its file is still the one that the host looked at.
fn open(path: &Path, digest: &str) -> Result<Arc<Plugin>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if digest_of(&bytes) != digest {
        return Err(format!("{} was changed after it was looked at; try again", path.display()));
    }
    drop(bytes);
    Plugin::open(path).map(Arc::new).map_err(|error| error.to_string())
}

/// SHA-256 of a plugin file's bytes, hexadecimal.
pub fn digest_of(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses a message that no frame could carry, before it is sent: past that the stream would be broken.
fn short_enough(capability: &str, message: &[u8]) -> Result<(), Failure> {
    match message.len() + capability.len() {
        ..=LONGEST_MESSAGE => Ok(()),
        length => {
            let what = format!("a call of {capability:.64} with {length} bytes");
            Err(Failure::plugin(format!("{what} is longer than the limit of {LONGEST_MESSAGE}")))
        }
    }
}

/// The plugin's way out: every call becomes a frame and waits for its answer.
fn way_out(outbound: mpsc::Sender<Frame>, waiting: Waiting) -> HostObject {
    let next = AtomicU64::new(0);
    host_from_fn(move |capability, message| {
        let call = next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(call, sender);
        let outbound = outbound.clone();
        async move {
            if let Err(failure) = short_enough(&capability, &message) {
                return encode(&Err::<(), _>(failure));
            }
            let gone = || encode(&Err::<(), _>(Failure::jackfield("the host has ended this run")));
            match outbound.send(Frame::Call { call, capability, message }).await {
                Ok(()) => receiver.await.unwrap_or_else(|_| gone()),
                Err(_) => gone(),
            }
        }
    })
}
