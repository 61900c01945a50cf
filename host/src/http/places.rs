//! Places: how many requests of one connection may be in flight at once, over all processes of this machine.
//!
//! A client counts its own requests with a semaphore. But a connection may be tested while it is refreshed, by another
//! process, and an edit is tried on a draft: all of them ask the same remote system, which struggles with their sum. So each
//! request also holds a lock on one of as many files as there are places. A lock ends with its process, however that ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often a free place is looked for, while there is none.
const LOOK: Duration = Duration::from_millis(10);

/// The places of one connection.
#[derive(Clone, Debug)]
pub struct Places {
    files: Vec<PathBuf>,
}

/// A place that is held until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _locked: File,
}

impl Places {
    /// So many places for a connection; `folder` is there and the same for all processes.
    pub fn new(folder: &Path, connection: &str, cap: u32) -> Self {
        Places {
            files: (0..cap.max(1)).map(|number| folder.join(format!("{connection}.{number}"))).collect(),
        }
    }

    /// Waits for a free place.
    ///
    /// # Errors
    /// A file cannot be made or locked: nobody can say how many requests are in flight.
    pub(super) async fn take(&self) -> io::Result<Place> {
        loop {
            for path in &self.files {
                let file =
                    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
                match file.try_lock() {
                    Ok(()) => return Ok(Place { _locked: file }),
                    Err(TryLockError::WouldBlock) => {}
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_are_so_many_places_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (Places::new(folder.path(), "c", 2), Places::new(folder.path(), "c", 2));
        let first = one.take().await.unwrap();
        let _second = other.take().await.unwrap();
        let full = tokio::time::timeout(Duration::from_millis(50), other.take()).await;
        assert!(full.is_err(), "a third place was found");
        drop(first);
        other.take().await.unwrap();
        Places::new(folder.path(), "d", 1).take().await.unwrap();
    }
}
