//! A place that is no part of any connection: whoever is led there must not go.

use std::{io::ErrorKind, net::TcpListener, sync::OnceLock};

/// Stands in rows and snapshots for the place's address, whose port differs from run to run.
pub(super) const ELSEWHERE: &str = "https://localhost:[ELSEWHERE]";

/// The place.
pub(super) struct Elsewhere(TcpListener);

impl Elsewhere {
    /// The one of this process.
    pub(super) fn get() -> &'static Elsewhere {
        static PLACE: OnceLock<Elsewhere> = OnceLock::new();
        PLACE.get_or_init(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            Elsewhere(listener)
        })
    }

    /// Its port.
    pub(super) fn port(&self) -> String {
        self.0.local_addr().unwrap().port().to_string()
    }

    /// Whether anybody came.
    pub(super) fn was_called(&self) -> bool {
        match self.0.accept() {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        }
    }
}
