//! Failpoints: named moments, so that a test can kill this process at each of them and see what is left.
//!
//! Only in builds with debug assertions, which no release has. `FAILPOINTS` is then a list, separated by commas:
//! `trace=FILE` appends the name of every moment that is reached, a line each; `kill=N` kills the process, as `kill -9` does,
//! at the N-th.

/// A moment is reached.
#[cfg(not(debug_assertions))]
pub fn reach(_name: std::fmt::Arguments<'_>) {}

#[cfg(debug_assertions)]
pub use on::reach;

#[cfg(debug_assertions)]
mod on {
    use std::{
        fmt,
        fs::OpenOptions,
        io::Write,
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    /// What the environment asks for.
    struct Wish {
        trace: Option<String>,
        kill: Option<u64>,
    }

    static WISH: LazyLock<Wish> = LazyLock::new(|| {
        let text = std::env::var("FAILPOINTS").unwrap_or_default();
        let of = |key: &str| text.split(',').find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
        Wish { trace: of("trace").map(str::to_owned), kill: of("kill").and_then(|n| n.parse().ok()) }
    });

    static REACHED: AtomicU64 = AtomicU64::new(0);

    /// A moment is reached.
    pub fn reach(name: fmt::Arguments<'_>) {
        let count = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(path) = &WISH.trace
            && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(path)
        {
            // A trace that cannot be written is seen by whoever reads it.
            let _ = writeln!(file, "{name}");
        }
        if WISH.kill == Some(count) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            // The signal comes at its own time, and nothing may happen until then.
            loop {
                std::thread::park();
            }
        }
    }
}
