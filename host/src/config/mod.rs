//! Configuration: defaults, then `jackfield.toml`, then `JACKFIELD_*` variables, then flags. A later one wins.
//!
//! A key that nobody knows is an error that names it, wherever it stands: a mistyped setting must not be a silent default.
//! Variables name a key in capitals, sections parted by two underscores: `JACKFIELD_DATA_DIR`, `JACKFIELD_LOG__LEVEL`.

mod proxy;

use crate::{http::limits::Limits, model::text::is_one_line, secrets::KeySource};
use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Everything that an operator can set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The data folder: one folder is one project, with its database, key, logs and plugins.
    pub data_dir: PathBuf,
    /// Folders with plugin files, besides `plugins` in the data folder.
    pub plugin_dirs: Vec<PathBuf>,
    /// Where the key-encryption key is.
    pub key: Key,
    /// Logs.
    pub log: Log,
    /// Runs.
    pub run: Run,
    /// Rotation of credentials.
    pub rotation: Rotation,
    /// HTTP.
    pub http: Http,
    /// The executable that runs plugins; this one if empty.
    pub worker: Option<PathBuf>,
}

/// Where the key-encryption key is. A file in the data folder unless one of these is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// A file, mode 0600.
    pub file: Option<PathBuf>,
    /// An environment variable, by its name.
    pub variable: Option<String>,
    /// A systemd credential, by its name.
    pub systemd_credential: Option<String>,
}

/// Rotation of credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Minutes for which an old credential is kept alive on the remote side after a new one was put in use, so that it can be
    /// rolled back.
    pub grace_minutes: u32,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// What the name of a refresh's log file begins with.
    pub prefix: String,
    /// What is written to standard error: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `jackfield=debug`.
    pub level: String,
    /// How it is written there.
    pub format: LogFormat,
}

/// How log lines are written to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
    Json,
}

/// Runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Seconds after which a test is ended.
    pub test_limit_seconds: u64,
    /// Seconds after which a refresh is ended.
    pub refresh_limit_seconds: u64,
    /// Seconds after which a rotation is ended, to be taken up again later.
    pub rotation_limit_seconds: u64,
    /// Runs that are remembered for each connection.
    pub keep: i64,
}

/// HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Seconds to open a connection.
    pub connect_seconds: u64,
    /// Seconds for one request and its answer.
    pub request_seconds: u64,
    /// The largest answer, decompressed, in MiB.
    pub max_answer_mib: u64,
    /// How often one request is sent at most.
    pub max_attempts: u32,
    /// The longest time to wait, in seconds, because the remote system asked for it.
    pub max_wait_seconds: u64,
    /// A proxy for all connections, such as `http://proxy:3128`. The proxy variables of the environment are ignored.
    #[serde(deserialize_with = "proxy::read")]
    pub proxy: Option<url::Url>,
}

impl Default for Config {
    fn default() -> Self {
        let folders = directories::ProjectDirs::from("", "", "jackfield");
        Config {
            data_dir: folders
                .map_or_else(|| PathBuf::from("jackfield-data"), |folders| folders.data_dir().to_owned()),
            plugin_dirs: Vec::new(),
            key: Key::default(),
            log: Log { prefix: "Jackfield".to_owned(), level: "warn".to_owned(), format: LogFormat::Text },
            run: Run {
                test_limit_seconds: 120,
                refresh_limit_seconds: 3600,
                rotation_limit_seconds: 600,
                keep: 100,
            },
            rotation: Rotation { grace_minutes: 60 },
            http: Http {
                connect_seconds: 10,
                request_seconds: 60,
                max_answer_mib: 64,
                max_attempts: 5,
                max_wait_seconds: 300,
                proxy: None,
            },
            worker: None,
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that was named is not there.
    #[error("the configuration file {0} does not exist")]
    NoFile(PathBuf),
    /// A key or value is wrong; the message names it and where it stands.
    #[error("the configuration cannot be used: {0}")]
    Invalid(String),
    /// The proxy is none; the message does not repeat it.
    #[error("the configuration cannot be used: {0}")]
    Proxy(String),
}

impl Error {
    /// What an operator does about it, where the message does not say.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Error::Proxy(_) => Some(proxy::REMEDY),
            Error::NoFile(_) | Error::Invalid(_) => None,
        }
    }
}

/// The configuration with where each value comes from.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    figment: Figment,
}

impl Config {
    /// Reads the configuration. `file` is the one that was asked for, if one was; otherwise `jackfield.toml` in the working
    /// folder is read if it is there. `flags` holds what was given on the command line, by key.
    ///
    /// # Errors
    /// The named file is missing, or a key or value is wrong.
    pub fn load(file: Option<&Path>, flags: Map<String, Value>) -> Result<Loaded, Error> {
        if let Some(missing) = file.filter(|file| !file.exists()) {
            return Err(Error::NoFile(missing.to_owned()));
        }
        let file = file.unwrap_or(Path::new("jackfield.toml"));
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if file.exists() {
            figment = figment.merge(Toml::file_exact(file));
        }
        let figment = figment
            .merge(Env::prefixed("JACKFIELD_").ignore(&["config"]).split("__"))
            .merge(Serialized::defaults(flags));
        let config: Config = figment.extract().map_err(|errors| {
            let errors: Vec<_> = errors.into_iter().collect();
            let text = errors.iter().map(explain).collect::<Vec<_>>().join("; ");
            if errors.iter().any(is_about_proxy) { Error::Proxy(text) } else { Error::Invalid(text) }
        })?;
        config.check()?;
        Ok(Loaded { config, figment })
    }

    /// The rules that types cannot say.
    fn check(&self) -> Result<(), Error> {
        let invalid = |text: &str| Err(Error::Invalid(text.to_owned()));
        if self.data_dir.as_os_str().is_empty() {
            return invalid("data_dir must not be empty");
        }
        let run = &self.run;
        if [run.test_limit_seconds, run.refresh_limit_seconds, run.rotation_limit_seconds].contains(&0) {
            return invalid(
                "run.test_limit_seconds, run.refresh_limit_seconds and run.rotation_limit_seconds must be at least 1",
            );
        }
        let prefix = &self.log.prefix;
        if prefix.len() > 100 {
            return invalid("log.prefix must be at most 100 bytes");
        }
        if prefix.is_empty()
            || prefix.contains(['/', '\\'])
            || prefix.starts_with('.')
            || !is_one_line(prefix)
        {
            return invalid(
                "log.prefix must be a file name's beginning, without slashes and control characters, and not beginning with a dot",
            );
        }
        let key = &self.key;
        if [key.file.is_some(), key.variable.is_some(), key.systemd_credential.is_some()]
            .iter()
            .filter(|set| **set)
            .count()
            > 1
        {
            return invalid("of key.file, key.variable and key.systemd_credential only one can be set");
        }
        if self.http.max_attempts == 0 || self.http.request_seconds == 0 || self.http.connect_seconds == 0 {
            return invalid(
                "http.max_attempts, http.request_seconds and http.connect_seconds must be at least 1",
            );
        }
        Ok(())
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data_dir.join("jackfield.db")
    }

    /// The proxy that requests go through, if one is configured: host and port, and nothing of the password beside them.
    pub fn proxy(&self) -> Option<String> {
        let proxy = self.http.proxy.as_ref()?;
        let port = proxy.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}{port}", proxy.host_str()?))
    }

    /// The folder of the refresh logs.
    pub fn logs(&self) -> PathBuf {
        self.data_dir.join("logs")
    }

    /// The folder of the files with which processes share a connection's places.
    pub fn places(&self) -> PathBuf {
        self.data_dir.join("places")
    }

    /// Where the key-encryption key is.
    pub fn key_source(&self) -> KeySource {
        match &self.key {
            Key { variable: Some(name), .. } => KeySource::Environment(name.clone()),
            Key { systemd_credential: Some(name), .. } => KeySource::SystemdCredential(name.clone()),
            Key { file: Some(path), .. } => KeySource::File(path.clone()),
            Key { .. } => KeySource::File(self.data_dir.join("key")),
        }
    }

    /// The folders in which plugins are looked for, the data folder's own first.
    pub fn plugin_folders(&self) -> Vec<PathBuf> {
        std::iter::once(self.data_dir.join("plugins")).chain(self.plugin_dirs.iter().cloned()).collect()
    }

    /// What HTTP may do.
    pub fn http_limits(&self) -> Limits {
        let http = &self.http;
        Limits {
            connect_timeout: Duration::from_secs(http.connect_seconds),
            request_timeout: Duration::from_secs(http.request_seconds),
            max_body: http.max_answer_mib.saturating_mul(1024 * 1024),
            max_attempts: http.max_attempts,
            max_retry_wait: Duration::from_secs(http.max_wait_seconds),
            proxy: http.proxy.clone(),
            ..Limits::default()
        }
    }
}

/// What is wrong, beginning with the key as the operator wrote it and ending with where.
fn explain(error: &figment::Error) -> String {
    let file = match error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref()) {
        Some(figment::Source::File(path)) => Some(path.display().to_string()),
        _ => None,
    };
    let from_variable = error.metadata.as_ref().is_some_and(|metadata| metadata.name.contains("environment"));
    let key = match from_variable {
        true => variable(&error.path.join(".")),
        false => error.path.join("."),
    };
    let place = file.as_ref().map(|file| format!(" (in {file})")).unwrap_or_default();
    match &error.kind {
        Kind::UnknownField(_, known) => {
            format!("{key}: there is no such key; there are {}{place}", known.join(", "))
        }
        Kind::InvalidType(_, expected) if expected.starts_with("struct ") => {
            format!("{key}: is a section and takes no value of its own{place}")
        }
        // A value that stands in the wrong place may be a key.
        Kind::InvalidType(..) | Kind::InvalidValue(..)
            if error.path.first().is_some_and(|first| first == "key") =>
        {
            format!("{key}: has a value that it cannot have{place}")
        }
        // Any part of what was written may be a password; only our own words hold nothing of it.
        Kind::Message(text) if is_about_proxy(error) => format!("{key}: {text}{place}"),
        _ if is_about_proxy(error) => format!("{key}: is no address{place}"),
        Kind::Message(text) if key.is_empty() => match without_source(text) {
            Some((at, wrong)) => format!("{wrong} (in {}, {at})", file.as_deref().unwrap_or("the file")),
            None => format!("{}{place}", text.trim_end()),
        },
        kind if key.is_empty() => format!("{}{place}", kind.to_string().trim_end()),
        kind => format!("{key}: {kind}{place}"),
    }
}

/// The variable that sets a key.
fn variable(key: &str) -> String {
    format!("JACKFIELD_{}", key.to_uppercase().replace('.', "__"))
}

fn is_about_proxy(error: &figment::Error) -> bool {
    error.path.first().is_some_and(|first| first == "http")
        && error.path.get(1).is_some_and(|key| key == "proxy")
}

/// Where a file is no TOML, and what is wrong there. The parser also shows the line, in which a password may stand.
fn without_source(text: &str) -> Option<(&str, String)> {
    let (at, shown) = text.strip_prefix("TOML parse error at ")?.split_once('\n')?;
    // The gutter, the line, and the mark under it.
    let wrong: Vec<_> = shown.lines().skip(3).collect();
    Some((at, wrong.join(", ")))
}

/// A value as it is shown: a URL without the user name and the password that it may hold.
fn shown(value: &Value) -> Value {
    let url = value.as_str().and_then(|text| url::Url::parse(text).ok());
    url.and_then(|url| proxy::masked(&url)).map_or_else(|| value.clone(), Value::from)
}

/// One key with its value and where that comes from, for `config show`.
#[derive(Debug, PartialEq, Serialize)]
pub struct Setting {
    /// The key, sections parted by dots.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub source: String,
}

impl Loaded {
    /// Every key with its value and source.
    pub fn settings(&self) -> Vec<Setting> {
        let value = serde_json::to_value(&self.config).unwrap_or_default();
        let mut settings = Vec::new();
        self.collect("", &value, &mut settings);
        settings
    }

    fn collect(&self, prefix: &str, value: &Value, settings: &mut Vec<Setting>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            if value.is_object() {
                self.collect(&key, value, settings);
            } else {
                settings.push(Setting { source: self.source(&key), key, value: shown(value) });
            }
        }
    }

    fn source(&self, key: &str) -> String {
        let Some(metadata) = self.figment.find_metadata(key) else { return "default".to_owned() };
        match &metadata.source {
            Some(figment::Source::File(path)) => path.display().to_string(),
            _ if metadata.name.contains("environment") => variable(key),
            _ if metadata.name.contains("Config") => "default".to_owned(),
            _ => "flag".to_owned(),
        }
    }
}
