//! What is looked for when a secret may have leaked, and where: every way in which a server or a program may write a secret,
//! and everything that was written, printed or shown.
//!
//! The ways are written here once more, on purpose: the program's own list is what is being tested.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use jackfield_tests::{Finished, wait_for};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A way to write a text.
pub(crate) type Way = (&'static str, fn(&str) -> String);

/// Every way that is looked for.
pub(crate) const WAYS: &[Way] = &[
    ("plain", str::to_owned),
    ("upper-case", str::to_uppercase),
    ("lower-case", str::to_lowercase),
    ("percent", |text| percent(text, "", true)),
    ("percent, lower-case", |text| percent(text, "", false)),
    ("percent, as RFC 3986 has it", |text| percent(text, "-._~", true)),
    ("percent, in a form", |text| url_query(text)),
    ("percent, twice", |text| percent(&percent(text, "-._~", true), "-._~", true)),
    ("percent, every byte", |text| text.bytes().map(|byte| format!("%{byte:02X}")).collect()),
    ("percent, one letter too", |text| {
        one_letter(&percent(text, "-._~", true), |c| format!("%{:02x}", u32::from(c)))
    }),
    ("base64", |text| BASE64_STANDARD.encode(text)),
    ("base64url", |text| BASE64_URL_SAFE_NO_PAD.encode(text)),
    ("hex", |text| text.bytes().map(|byte| format!("{byte:02x}")).collect()),
    ("hex, upper-case", |text| text.bytes().map(|byte| format!("{byte:02X}")).collect()),
    ("JSON", json),
    ("JSON, slashes too", |text| json(text).replace('/', "\\/")),
    ("JSON, as .NET writes it", |text| escaped(&json_rest(text), "\"<>&'+`", true)),
    ("JSON, as Gson writes it", |text| escaped(&json(text), "<>&='", false)),
    ("JSON in JSON", |text| json(&json(text))),
    ("HTML", |text| html(text, &[('\'', "&#39;"), ('"', "&quot;")])),
    ("HTML, in hexadecimal", |text| html(text, &[('\'', "&#x27;"), ('"', "&quot;"), ('/', "&#x2F;")])),
    ("HTML, in decimal", |text| html(text, &[('\'', "&#39;"), ('"', "&#34;")])),
    ("HTML, between tags", |text| html(text, &[])),
    ("HTML, every character", |text| text.chars().map(|c| format!("&#{};", u32::from(c))).collect()),
    ("HTML, one letter too", |text| one_letter(&html(text, &[]), |c| format!("&#x{:x};", u32::from(c)))),
];

/// The first letter that is in no escape, escaped as well.
fn one_letter(text: &str, escape: fn(char) -> String) -> String {
    let is_free =
        |at: usize| text[at..].starts_with(char::is_alphabetic) && !text[..at].ends_with(['%', '&', '\\']);
    let at = (0..text.len()).find(|at| is_free(*at)).expect("a letter");
    let letter = text[at..].chars().next().expect("a letter");
    format!("{}{}{}", &text[..at], escape(letter), &text[at + letter.len_utf8()..])
}

fn percent(text: &str, kept: &str, upper: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            _ if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) => {
                char::from(byte).to_string()
            }
            _ if upper => format!("%{byte:02X}"),
            _ => format!("%{byte:02x}"),
        })
        .collect()
}

fn url_query(text: &str) -> String {
    let mut url = reqwest::Url::parse("http://x").unwrap();
    url.query_pairs_mut().append_pair("", text);
    url.query().unwrap()[1..].to_owned()
}

fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON that does not escape the quotation mark yet.
fn json_rest(text: &str) -> String {
    json(text).replace("\\\"", "\"")
}

fn escaped(text: &str, which: &str, upper: bool) -> String {
    let escape = |c: char| match (which.contains(c), upper) {
        (true, true) => format!("\\u{:04X}", u32::from(c)),
        (true, false) => format!("\\u{:04x}", u32::from(c)),
        (false, _) => c.to_string(),
    };
    text.chars().map(escape).collect()
}

fn html(text: &str, more: &[(char, &str)]) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    more.iter().fold(text, |text, (from, to)| text.replace(*from, to))
}

/// Whatever puts a canary where the search is to find it.
type Plant = fn(&Path, &mut Search);

/// A secret that is looked for.
pub(crate) struct Canary {
    name: String,
    forms: BTreeSet<Vec<u8>>,
}

impl Canary {
    pub(crate) fn new(name: impl Into<String>, value: &str) -> Canary {
        let mut forms: BTreeSet<Vec<u8>> = WAYS.iter().map(|(_, write)| write(value).into_bytes()).collect();
        // The lines of a key; what surrounds it says that it is a key, and nothing of it.
        let lines = value.lines().filter(|line| line.len() >= 16 && !line.starts_with("-----"));
        if value.contains('\n') {
            let readable = WAYS.iter().filter(|(way, _)| {
                !["base64", "hex", "upper", "lower"].iter().any(|recoded| way.starts_with(recoded))
            });
            let readable: Vec<_> = readable.collect();
            forms.extend(lines.flat_map(|line| readable.iter().map(|(_, write)| write(line).into_bytes())));
        }
        // What stands before a secret shifts its base64; the characters that depend on the neighbours are left out.
        for shift in 0..3 {
            let text = BASE64_STANDARD_NO_PAD.encode([&vec![b'x'; shift], value.as_bytes()].concat());
            let whole = text[shift + shift.min(1)..text.len() - 2].to_owned();
            forms.insert(whole.replace('+', "-").replace('/', "_").into());
            forms.insert(whole.into());
        }
        Canary { name: name.into(), forms }
    }

    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| memchr::memmem::find(bytes, form).is_some())
    }

    /// What stands around each form that is found.
    fn finds(&self, bytes: &[u8]) -> Vec<String> {
        let around = |form: &Vec<u8>| {
            let at = memchr::memmem::find(bytes, form)?;
            let (from, to) = (at.saturating_sub(60), bytes.len().min(at + form.len() + 20));
            Some(String::from_utf8_lossy(&bytes[from..to]).into_owned())
        };
        self.forms.iter().filter_map(around).collect()
    }
}

/// Everything that was seen, to be searched.
#[derive(Default)]
pub(crate) struct Search {
    seen: Vec<(String, Vec<u8>)>,
}

impl Search {
    /// Adds something that was seen.
    pub(crate) fn add(&mut self, what: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.seen.push((what.into(), bytes.into()));
    }

    /// Adds what a command printed.
    pub(crate) fn printed(&mut self, what: &str, finished: &Finished) {
        self.add(format!("output of {what}"), finished.stdout.clone());
        self.add(format!("errors of {what}"), finished.stderr.clone());
    }

    /// Adds every file in a folder, and the folder's own names.
    pub(crate) fn files(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            self.add("a file's name", path.display().to_string());
            if path.is_dir() {
                self.files(&path);
            } else {
                // SQLite may take its own away while we look.
                let Ok(bytes) = fs::read(&path) else { continue };
                self.add(path.display().to_string(), bytes);
            }
        }
    }

    /// Adds what every process of a family shows to others, and to who runs as the same user. A variable by which the person
    /// gave a secret is where they put it: it may stand in the first process, and in no other.
    pub(crate) fn processes(&mut self, root: u32, given: &str) {
        for process in family(root) {
            for file in ["cmdline", "environ"] {
                // One that has ended shows nothing, and one that keeps its memory to itself neither.
                let Ok(bytes) = fs::read(format!("/proc/{process}/{file}")) else { continue };
                let mut parts: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
                if process == root && file == "environ" {
                    parts.retain(|variable| !variable.starts_with(format!("{given}=").as_bytes()));
                }
                self.add(format!("{file} of {process}"), parts.join(&0));
            }
        }
    }

    /// Whether bytes were seen, and where.
    pub(crate) fn has_bytes(&self, bytes: &[u8]) -> Option<&str> {
        let place = self.seen.iter().find(|(_, seen)| memchr::memmem::find(seen, bytes).is_some());
        place.map(|(place, _)| place.as_str())
    }

    /// Whether something was seen.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.seen.iter().any(|(_, bytes)| memchr::memmem::find(bytes, text.as_bytes()).is_some())
    }

    #[track_caller]
    pub(crate) fn finds_none_of(&self, canaries: &[Canary]) {
        let found = self.find(canaries);
        assert!(found.is_empty(), "{} found: {found:#?}", found.len());
    }

    /// Who was found where: what was found of each, and its first place.
    pub(crate) fn find(&self, canaries: &[Canary]) -> Vec<String> {
        let mut found = BTreeMap::new();
        for canary in canaries {
            for (place, bytes) in &self.seen {
                for around in canary.finds(bytes) {
                    found.entry((&canary.name, around)).or_insert(place);
                }
            }
        }
        found.into_iter().map(|((name, around), place)| format!("{name} in {place}: {around}")).collect()
    }
}

/// The processes that descend from one, itself included.
pub(crate) fn family(root: u32) -> Vec<u32> {
    let mut family = vec![root];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
        at += 1;
    }
    family
}

#[test]
fn a_canary_is_found_in_every_form_and_in_every_place() {
    const ODD: &str = "s3cr3t+/canary=with~odd&letters<'\">\\Zz";
    let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG/+CC\nAwEHBG0wawIBAQQg/abc+defg\n-----END PRIVATE KEY-----";
    for value in [ODD, key] {
        let canary = Canary::new("canary", value);
        for (way, write) in WAYS {
            let planted = format!("before {} after", write(value));
            assert!(canary.is_in(planted.as_bytes()), "{way}: {planted}");
        }
        for before in ["", "x", "xy", "xyz"] {
            for after in ["", "!", "!!"] {
                let text = BASE64_STANDARD_NO_PAD.encode(format!("{before}{value}{after}"));
                assert!(canary.is_in(text.as_bytes()), "{before}{value}{after}");
            }
        }
        assert!(!canary.is_in(b"s3cr3t -----BEGIN PRIVATE KEY----- abc"));
    }
    let line = Canary::new("key", key);
    assert!(line.is_in(b"error in line AwEHBG0wawIBAQQg\\/abc+defg of it"));

    let folder = tempfile::tempdir().unwrap();
    let canaries = [Canary::new("canary", ODD)];
    let planted: [Plant; 3] = [
        |folder, search| {
            fs::create_dir_all(folder.join("deep/er")).unwrap();
            fs::write(folder.join("deep/er/file.db-wal"), format!("\0\u{1}{ODD}\0")).unwrap();
            search.files(folder);
        },
        |_, search| search.add("output", format!("x{ODD}x")),
        |_, search| {
            let mut child = std::process::Command::new("sleep").arg("60").env("LEAK", ODD).spawn().unwrap();
            let environment = format!("/proc/{}/environ", child.id());
            // There is none for a moment, between one program and the next.
            wait_for("the child's own", || (!fs::read(&environment).unwrap().is_empty()).then_some(()));
            search.processes(std::process::id(), "LEAK");
            child.kill().unwrap();
            child.wait().unwrap();
        },
    ];
    for plant in planted {
        let mut search = Search::default();
        search.finds_none_of(&canaries);
        plant(folder.path(), &mut search);
        assert_eq!(search.find(&canaries).len(), 1, "{:?}", search.find(&canaries));
    }
}
