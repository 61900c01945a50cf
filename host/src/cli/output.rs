//! What is printed: tables or JSON on standard output, messages on standard error. All of it passes the scrubber.

use crate::{model::text::printable, secrets::Scrubber};
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use jackfield_plugin::contract::{Blame, Failure};
use serde::Serialize;
use std::{
    io::{ErrorKind, IsTerminal, Write},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Exit code of a cancelled command, as shells have it.
const CANCELLED: u8 = 130;

/// Where commands print.
#[derive(Clone)]
pub(super) struct Output {
    /// JSON instead of tables.
    pub(super) json: bool,
    scrubber: Scrubber,
    /// Something could not be written.
    cut: Arc<AtomicBool>,
}

impl Output {
    pub(super) fn new(json: bool, scrubber: Scrubber) -> Self {
        Output { json, scrubber, cut: Arc::default() }
    }

    /// Prints a value as JSON.
    pub(super) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let failed = |error| Failure::jackfield(format!("the output cannot be written: {error}"));
        let value = serde_json::to_value(value).map_err(failed)?;
        // Texts within, and not the text of the whole: a secret may look like a number or a key.
        let text = serde_json::to_string_pretty(&self.scrubber.scrub_json(&value)).map_err(failed)?;
        self.write(&text);
        Ok(())
    }

    /// Prints a line.
    pub(super) fn line(&self, line: &str) {
        self.write(&self.scrubber.scrub_text(line));
    }

    fn write(&self, text: &str) {
        let Err(error) = writeln!(anstream::stdout(), "{text}") else { return };
        // A reader that has had enough (`| head`) is no failure. Others are told once.
        if error.kind() != ErrorKind::BrokenPipe && !self.cut.swap(true, Ordering::Relaxed) {
            self.warn(&format!("error: standard output cannot be written: {error}"));
        }
    }

    /// Whether something could not be written.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// Prints a line for a person who watches; not in JSON.
    pub(super) fn say(&self, line: &str) {
        if !self.json {
            self.line(line);
        }
    }

    /// Says that something was deleted.
    pub(super) fn deleted(&self, name: &str) -> Result<(), Failure> {
        let green = paint(AnsiColor::Green);
        self.say(&format!("{green}Deleted{green:#} \"{name}\"."));
        match self.json {
            true => self.json(&serde_json::json!({ "deleted": name })),
            false => Ok(()),
        }
    }

    /// Prints a line on standard error.
    pub(super) fn warn(&self, line: &str) {
        self.warn_as_it_is(&self.scrubber.scrub_text(line));
    }

    fn warn_as_it_is(&self, line: &str) {
        let _ = writeln!(anstream::stderr(), "{line}");
    }

    /// Prints names and values.
    pub(super) fn pairs(&self, rows: impl IntoIterator<Item = (String, String)>) {
        let rows: Vec<_> = rows.into_iter().collect();
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in rows {
            self.line(&format!("  {name:width$}  {}", printable(&value)));
        }
    }

    /// Prints a table.
    pub(super) fn table(&self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(header);
        // Some terminals say that they are no columns wide, which means that they do not know.
        if !std::io::stdout().is_terminal() || table.width() == Some(0) {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        for row in rows {
            table.add_row(row.iter().map(|cell| printable(cell).into_owned()));
        }
        for line in table.to_string().lines() {
            self.line(line.trim_end());
        }
    }

    /// Prints a failure and yields its exit code.
    pub(super) fn failure(&self, failure: &Failure) -> ExitCode {
        let code = exit_code(failure);
        if self.json {
            let failure = self.scrubber.scrub_json(&serde_json::json!(failure));
            let text = serde_json::json!({ "error": failure, "exit_code": code }).to_string();
            self.warn_as_it_is(&text);
        } else if failure.cancelled {
            self.warn("Cancelled.");
        } else {
            let style = paint(AnsiColor::Red);
            self.warn(&format!(
                "{style}error{style:#} ({}): {}",
                failure.blame.noun(),
                printable(&failure.message)
            ));
            if let Some(reference) = &failure.reference {
                self.warn(&format!("  reference: {}", printable(reference)));
            }
            for line in what_to_do(failure) {
                self.warn(&format!("  {}", printable(&line)));
            }
        }
        ExitCode::from(code)
    }
}

/// A bold style in a colour.
pub(super) fn paint(colour: AnsiColor) -> Style {
    Style::new().bold().fg_color(Some(colour.into()))
}

/// What to do about a failure, a line each: its remedy, and the flag that it is about.
pub(super) fn what_to_do(failure: &Failure) -> Vec<String> {
    let remedy = failure.remedy.as_ref().map(|remedy| format!("remedy: {remedy}"));
    let flag = match failure.field.as_deref() {
        Some("ca_pem") => Some("--tls-ca FILE"),
        Some("server_name") => Some("--tls-server-name NAME"),
        _ => None,
    };
    let pin =
        failure.reference.as_deref().and_then(|reference| reference.strip_prefix("certificate SHA-256 "));
    let pin = pin.map(|sha256| format!("--tls-pin {sha256}"));
    let flags: Vec<String> = flag.map(str::to_owned).into_iter().chain(pin).collect();
    let flags = (!flags.is_empty()).then(|| format!("flag: {}", flags.join(", or ")));
    remedy.into_iter().chain(flags).collect()
}

/// The documented exit codes.
pub(super) fn exit_code(failure: &Failure) -> u8 {
    if failure.cancelled {
        return CANCELLED;
    }
    match failure.blame {
        Blame::You => 2,
        Blame::Network => 3,
        Blame::Remote => 4,
        Blame::Credential => 5,
        Blame::Plugin => 6,
        _ => 1,
    }
}

/// A moment in local time, for a person.
pub(super) fn moment(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .map(|moment| moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%F %T").to_string())
        .unwrap_or_else(|_| millis.to_string())
}

/// A moment, or a word for its absence.
pub(super) fn moment_or(millis: Option<i64>, otherwise: &str) -> String {
    millis.map_or_else(|| otherwise.to_owned(), moment)
}
