//! The components, built once and handed to whoever needs them.

use crate::{
    config::Config,
    keys::Keys,
    model::{
        id::ConnectionId,
        run::{Hook, Run},
    },
    plugins::Registry,
    secrets::{self, DataKey, Scrubber},
    store::{self, Store},
};
use jackfield_plugin::contract::{Failure, description::Description};
use std::{fs, io, path::Path, path::PathBuf};

/// The running host.
#[derive(Clone)]
pub struct App {
    /// What the operator set.
    pub config: Config,
    /// The one truth.
    pub store: Store,
    /// The plugin files.
    pub plugins: Registry,
    /// Every secret value in use, to keep it out of what is written.
    pub scrubber: Scrubber,
    /// The executable that runs plugins.
    pub worker: PathBuf,
    /// Who we are, in leases: host name and process id.
    pub owner: String,
    /// The key-encryption keys.
    pub keys: Keys,
}

impl App {
    /// Opens the data folder, making it if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made or written, the database is not ours, or the key is missing or wrong.
    pub async fn open(config: Config, scrubber: Scrubber) -> Result<App, Failure> {
        prepare(&config.data_dir)?;
        prepare(&config.places())?;
        let database = config.database();
        let store = Store::open(&database).await.map_err(|error| about(&database, error.into()))?;
        let keys = Keys::open(config.key_source(), &store).await?;
        let plugins = Registry::scan(config.plugin_folders());
        let worker = worker(&config)?;
        Ok(App { config, store, plugins, scrubber, worker, owner: owner(), keys })
    }

    /// What the plugin of a connector says of itself.
    ///
    /// # Errors
    /// There is no such plugin, or it cannot be described.
    pub async fn describe(&self, connector: &str) -> Result<Description, Failure> {
        crate::plugins::describe(&self.store, &self.worker, self.plugins.plugin(connector)?).await
    }

    /// A connection's data key, made when it is first asked for.
    ///
    /// # Errors
    /// The store failed, or the stored key cannot be opened.
    pub async fn data_key(&self, connection: &ConnectionId) -> Result<DataKey, Failure> {
        self.keys.data_key(&self.store, connection).await
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})")).unwrap_or_default();
        match error {
            store::Error::Open { .. } | store::Error::ReadOnly => Failure::you(error.to_string())
                .field("data_dir")
                .remedy("give this user the right to write the data folder and what is in it, or name another with --data-dir"),
            store::Error::Full => Failure::jackfield(error.to_string())
                .field("data_dir")
                .remedy("free some space and try again"),
            store::Error::Unwritten => Failure::jackfield(error.to_string())
                .field("data_dir")
                .remedy("free some space and try again; if there is enough, see what the system's log says of the disk"),
            store::Error::Moved => Failure::you(error.to_string()).remedy("run it again"),
            store::Error::RunActive { run } => under_way(&run),
            store::Error::NameTaken { .. }
            | store::Error::Changed { .. }
            | store::Error::Used { .. }
            | store::Error::Gone { .. } => Failure::you(error.to_string()),
            error => Failure::jackfield(format!("{error}{cause}")),
        }
    }
}

/// What whoever is in the way of a run that somebody drives is told.
pub(crate) fn under_way(run: &Run) -> Failure {
    let (hook, name, id) = (run.hook.as_str(), &run.connection_name, &run.id);
    let owner = run.owner.as_deref().unwrap_or("another process");
    Failure::you(format!("a {hook} of \"{name}\" is under way already: run {id}, by {owner}")).remedy(
        match run.hook {
            Hook::Rotate => format!("wait for it (`jackfield run show {id}`)"),
            _ => format!("wait for it (`jackfield run show {id}`) or end it (`jackfield run cancel {id}`)"),
        },
    )
}

impl From<secrets::Error> for Failure {
    fn from(error: secrets::Error) -> Self {
        match error {
            secrets::Error::Sealed { .. } | secrets::Error::DataKey { .. } => {
                Failure::jackfield(error.to_string())
            }
            // The key is the operator's to give.
            key => Failure::you(key.to_string()),
        }
    }
}

/// Makes the data folder, readable by nobody else.
fn prepare(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| unusable(folder, &error))
}

/// Names the data folder in a failure that is about it.
#[must_use]
pub fn located(folder: &Path, failure: Failure) -> Failure {
    if failure.field.as_deref() == Some("data_dir") { about(folder, failure) } else { failure }
}

/// Says which file it is about, where the message does not say so yet.
fn about(file: &Path, failure: Failure) -> Failure {
    let file = file.display().to_string();
    if failure.message.contains(&file) { failure } else { failure.context(file) }
}

fn unusable(folder: &Path, error: &io::Error) -> Failure {
    Failure::you(format!("the data folder {} cannot be used: {error}", folder.display()))
        .field("data_dir")
        .remedy("name another with --data-dir, JACKFIELD_DATA_DIR or data_dir in jackfield.toml, or give this user the right to it")
}

/// The executable of workers: this very one, by what the kernel says it is, so that replacing the file does no harm.
fn worker(config: &Config) -> Result<PathBuf, Failure> {
    if let Some(configured) = &config.worker {
        return Ok(configured.clone());
    }
    let own = Path::new("/proc/self/exe");
    if own.exists() {
        return Ok(own.to_owned());
    }
    std::env::current_exe()
        .map_err(|error| Failure::jackfield(format!("this executable cannot be found: {error}")))
}

fn owner() -> String {
    let name = rustix::system::uname();
    format!("{} process {}", name.nodename().to_string_lossy(), std::process::id())
}
