//! Progress: bars on a terminal, plain lines elsewhere, nothing beside JSON.

use crate::runs::notice::{Notice, Watcher};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use jackfield_plugin::contract::run::Level;
use std::{
    collections::BTreeMap,
    fmt,
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often a plain line tells the count of a kind that is still being read.
const EVERY: Duration = Duration::from_secs(5);

/// The progress of one refresh.
#[derive(Clone)]
pub(super) struct Progress(Arc<Mutex<Shown>>);

struct Shown {
    mode: Mode,
    kinds: BTreeMap<String, Kind>,
}

enum Mode {
    Silent,
    Plain,
    Bars(MultiProgress),
}

struct Kind {
    bar: Option<ProgressBar>,
    staged: u64,
    total: Option<u64>,
    told: Instant,
}

impl Progress {
    pub(super) fn new(json: bool) -> Self {
        let mode = match (json, std::io::stderr().is_terminal()) {
            (true, _) => Mode::Silent,
            (false, true) => Mode::Bars(MultiProgress::new()),
            (false, false) => Mode::Plain,
        };
        Progress(Arc::new(Mutex::new(Shown { mode, kinds: BTreeMap::new() })))
    }

    /// Takes the notices of a run.
    pub(super) fn watcher(&self) -> Watcher {
        let shown = self.0.clone();
        Arc::new(move |notice| shown.lock().unwrap_or_else(PoisonError::into_inner).take(notice))
    }

    /// Takes the bars away.
    pub(super) fn finish(&self) {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Mode::Bars(bars) = &shown.mode {
            // A terminal that is gone has no bars either.
            let _ = bars.clear();
        }
    }
}

impl Shown {
    fn take(&mut self, notice: Notice) {
        if matches!(self.mode, Mode::Silent) {
            return;
        }
        match notice {
            Notice::Started { plugin } => self.tell(&format!("  running {plugin}")),
            Notice::Objects { kind, staged } => self.counted(&kind, staged),
            Notice::Step { step, total, .. } => {
                let kind = self.kind(&step);
                kind.total = total;
                if let (Some(bar), Some(total)) = (&kind.bar, total) {
                    bar.set_length(total);
                    bar.set_style(style("{prefix:>18} {wide_bar} {pos}/{len} {rate}"));
                }
            }
            Notice::Ended { kind, kept } => self.ended(&kind, kept),
            Notice::Line { level: Level::Warning, message } => self.tell(&format!("  warning: {message}")),
            Notice::Line { level: Level::Error, message } => self.tell(&format!("  error: {message}")),
            Notice::Line { .. } | Notice::Refused { .. } => {}
        }
    }

    fn counted(&mut self, name: &str, staged: u64) {
        let kind = self.kind(name);
        kind.staged = staged;
        if let Some(bar) = &kind.bar {
            bar.set_position(staged);
        } else if kind.told.elapsed() >= EVERY {
            kind.told = Instant::now();
            let of = kind.total.map(|total| format!(" of {total}")).unwrap_or_default();
            self.tell(&format!("  {name}: {staged}{of} …"));
        }
    }

    fn ended(&mut self, name: &str, kept: Option<String>) {
        let kind = self.kind(name);
        let staged = kind.staged;
        if let Some(bar) = kind.bar.take() {
            bar.finish_and_clear();
        }
        match kept {
            Some(reason) => self.tell(&format!("  {name}: kept ({reason})")),
            None => self.tell(&format!("  {name}: {staged}")),
        }
    }

    fn kind(&mut self, name: &str) -> &mut Kind {
        let mode = &self.mode;
        self.kinds.entry(name.to_owned()).or_insert_with(|| {
            let bar = match mode {
                Mode::Bars(bars) => {
                    let bar = bars.add(ProgressBar::no_length().with_prefix(name.to_owned()));
                    bar.set_style(style("{prefix:>18} {spinner} {pos} {rate}"));
                    bar.enable_steady_tick(Duration::from_millis(120));
                    Some(bar)
                }
                _ => None,
            };
            Kind { bar, staged: 0, total: None, told: Instant::now() }
        })
    }

    fn tell(&self, line: &str) {
        match &self.mode {
            Mode::Silent => {}
            Mode::Plain => {
                // Nobody may be listening any more; that must not end the run.
                let _ = writeln!(std::io::stderr(), "{line}");
            }
            Mode::Bars(bars) => {
                let _ = bars.println(line);
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
        // A bar without its rate is still a bar.
        let _ = text.write_str(&rate(state.pos(), state.elapsed()));
    })
}

/// How many came in a second, on the whole; nothing in the first second, of which a first page says nothing.
fn rate(count: u64, elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0 => String::new(),
        _ => format!("{:.0}/s", count as f64 / elapsed.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_whole_and_waits_for_a_second() {
        for (count, milliseconds, shown) in
            [(100, 1, ""), (5000, 999, ""), (100, 1000, "100/s"), (1000, 3000, "333/s"), (0, 5000, "0/s")]
        {
            assert_eq!(rate(count, Duration::from_millis(milliseconds)), shown, "{count} in {milliseconds}");
        }
    }
}
