//! The frames between host and worker: a length, then one MessagePack message.
//!
//! Both ends are the same executable, so the frames need no version; the payloads are the contract's bytes, untouched.

use serde::{Deserialize, Serialize};
use std::{io, path::PathBuf};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest frame. A page of objects is some hundred kilobytes; what is longer is a defect or an attack.
pub const LONGEST: usize = 80 * 1024 * 1024;

/// Room that is made besides that for a plugin's own bytes, when a frame is written.
const ROOM_FOR_THE_REST: usize = 256;

/// Room that is made for a frame before it is there.
const ROOM: usize = 256 * 1024;

/// One message between host and worker.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// Host to worker, first: open this plugin file, whose SHA-256 must be the digest.
    Open {
        /// The file.
        path: PathBuf,
        /// Its SHA-256, hexadecimal.
        digest: String,
    },
    /// Worker to host: it is open, or why not.
    Opened {
        /// Why not.
        error: Option<String>,
    },
    /// Host to worker: describe the plugin. Answered by `Ended` with an encoded description.
    Describe {
        /// The call's id.
        call: u64,
    },
    /// Host to worker: run a hook. Answered by `Ended`.
    Invoke {
        /// The call's id.
        call: u64,
        /// The hook.
        hook: String,
        /// The encoded invocation.
        #[serde(with = "serde_bytes")]
        message: Vec<u8>,
    },
    /// Worker to host: a call of the host's has ended.
    Ended {
        /// The call's id.
        call: u64,
        /// The encoded answer.
        #[serde(with = "serde_bytes")]
        answer: Vec<u8>,
        /// Why there is none.
        error: Option<String>,
    },
    /// Worker to host: the plugin calls a capability.
    Call {
        /// The call's id, counted by the worker.
        call: u64,
        /// The capability.
        capability: String,
        /// The encoded request.
        #[serde(with = "serde_bytes")]
        message: Vec<u8>,
    },
    /// Host to worker: the answer to a call of the plugin's.
    Answer {
        /// The call's id.
        call: u64,
        /// The encoded answer.
        #[serde(with = "serde_bytes")]
        message: Vec<u8>,
    },
}

impl Frame {
    /// How many bytes of a plugin's own it carries.
    pub(super) fn weight(&self) -> usize {
        match self {
            Frame::Call { capability, message, .. } => capability.len() + message.len(),
            Frame::Ended { answer, error, .. } => answer.len() + error.as_ref().map_or(0, String::len),
            Frame::Opened { error } => error.as_ref().map_or(0, String::len),
            Frame::Invoke { message, .. } | Frame::Answer { message, .. } => message.len(),
            Frame::Open { .. } | Frame::Describe { .. } => 0,
        }
    }
}

/// Reads one frame; `None` at the end of the stream.
///
/// # Errors
/// The stream failed, ended inside a frame, or holds what is no frame.
pub async fn read(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    // An end is an end only where a frame would begin.
    if reader.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut length[1..]).await?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(invalid(format!("a frame of {length} bytes is longer than the limit of {LONGEST}")));
    }
    // Room for a page at once; beyond that it grows with what really arrives, so that a false length costs nothing.
    let mut bytes = Vec::with_capacity(length.min(ROOM));
    let read = reader.take(length as u64).read_to_end(&mut bytes).await?;
    if read < length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the stream ended inside a frame"));
    }
    rmp_serde::from_slice(&bytes).map(Some).map_err(|error| invalid(error.to_string()))
}

/// Writes one frame.
///
/// # Errors
/// The stream failed, or the frame is too long.
pub async fn write(writer: &mut (impl AsyncWrite + Unpin), frame: &Frame) -> io::Result<()> {
    writer.write_all(&encode(frame)?).await?;
    writer.flush().await
}

/// A frame's bytes, its length before them.
///
/// # Errors
/// The frame is too long.
pub fn encode(frame: &Frame) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(frame.weight() + ROOM_FOR_THE_REST);
    bytes.extend([0; 4]);
    rmp_serde::encode::write(&mut bytes, frame).map_err(|error| invalid(error.to_string()))?;
    let length = bytes.len() - 4;
    if length > LONGEST {
        return Err(invalid(format!("a frame of {length} bytes is longer than the limit of {LONGEST}")));
    }
    let length = u32::try_from(length).map_err(|error| invalid(error.to_string()))?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_out_as_they_went_in() {
        let (mut host, mut worker) = tokio::io::duplex(64);
        let frame = Frame::Call { call: 7, capability: "http.send".to_owned(), message: vec![1; 1000] };
        let sent = async { write(&mut host, &frame).await };
        let (sent, received) = tokio::join!(sent, read(&mut worker));
        sent.unwrap();
        assert_eq!(received.unwrap(), Some(frame));
        drop(host);
        assert_eq!(read(&mut worker).await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_no_frame_is_an_error() {
        let broken_off = [&[10][..], &[10, 0, 0], &[10, 0, 0, 0, 1]];
        for bytes in [&[255, 255, 255, 255][..], &[1, 0, 0, 0, 0xc1]].into_iter().chain(broken_off) {
            assert!(read(&mut &*bytes).await.is_err(), "{bytes:?}");
        }
    }
}
