//! Asking for a private key at a terminal: it is many lines, and none of them may be left for the shell.

use jackfield_plugin::contract::Failure;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io::{BufRead, stdin};
use zeroize::Zeroizing;

/// No key has more lines.
const MOST_LINES: usize = 1000;

/// When nothing has arrived for so many tenths of a second, everything that was pasted has.
const QUIET: u8 = 2;

/// What was answered.
pub(super) enum Answer {
    /// The text of a key, or what was given in its place.
    Text(String),
    /// The name of the file that it stands in.
    File(String),
}

/// Reads a private key to its last line, or `@FILE`. Nothing of it is on the screen, and nothing that was pasted behind it
/// is left.
pub(super) fn ask(prompt: &str) -> Result<Answer, Failure> {
    let _silence = Silence::begin();
    eprintln!("{prompt}: paste it, from its first line to its last, or type @FILE");
    let mut text = String::new();
    for _ in 0..MOST_LINES {
        let mut line = String::new();
        let read = stdin().lock().read_line(&mut line);
        let length = read.map_err(|error| Failure::you(format!("no answer was given: {error}")))?;
        let begun = text.contains("-----BEGIN ");
        if let (false, Some(file)) = (begun, line.trim().strip_prefix('@')) {
            return Ok(Answer::File(file.to_owned()));
        }
        text.push_str(&line);
        let ends = line.contains("-----END ") || !(begun || line.contains("-----BEGIN "));
        if length == 0 || ends {
            break;
        }
    }
    if text.trim().is_empty() {
        return Err(Failure::you("no answer was given"));
    }
    Ok(Answer::Text(text))
}

/// Takes away what was typed or pasted and not read, and what is still arriving of it.
pub(super) fn drain() {
    let Ok(before) = tcgetattr(stdin()) else { return };
    let mut silent = before.clone();
    // By bytes, and only as long as they keep coming: reading by lines would wait for the end of one.
    silent.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    silent.special_codes[SpecialCodeIndex::VMIN] = 0;
    silent.special_codes[SpecialCodeIndex::VTIME] = QUIET;
    if tcsetattr(stdin(), OptionalActions::Now, &silent).is_ok() {
        let mut bytes = Zeroizing::new([0; 4096]);
        while rustix::io::read(stdin(), &mut *bytes).is_ok_and(|length| length > 0) {}
        // A terminal that is gone needs nothing back.
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &before);
    }
}

/// The terminal does not show what is typed, until this is dropped; what is unread then is taken away.
struct Silence(Option<Termios>);

impl Silence {
    fn begin() -> Self {
        let before = tcgetattr(stdin()).ok();
        if let Some(before) = &before {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
            let _ = tcsetattr(stdin(), OptionalActions::Now, &silent);
        }
        Silence(before)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        drain();
        if let Some(before) = &self.0 {
            let _ = tcsetattr(stdin(), OptionalActions::Flush, before);
        }
    }
}
