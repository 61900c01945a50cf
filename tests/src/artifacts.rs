//! The files under test: the executable and the plugin files, built by cargo in the profile of whoever asks.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Where the built files are.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// `target/<profile>`.
    pub folder: PathBuf,
}

impl Artifacts {
    /// The real executable.
    pub fn jackfield(&self) -> PathBuf {
        self.folder.join("jackfield")
    }

    /// A plugin file, by its package's name without `jackfield-`: `qlik-cloud`, `hostile`.
    pub fn plugin(&self, name: &str) -> PathBuf {
        let file = format!("libjackfield_{}.{}", name.replace('-', "_"), std::env::consts::DLL_EXTENSION);
        self.folder.join(file)
    }
}

/// The built files. Built once in a process; not at all if `JACKFIELD_PREBUILT` says that it has been done.
///
/// # Panics
/// They cannot be built.
pub fn artifacts() -> &'static Artifacts {
    static BUILT: OnceLock<Artifacts> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Artifacts { folder: folder() };
        if std::env::var_os("JACKFIELD_PREBUILT").is_none() {
            build(&built.folder);
        }
        assert!(built.jackfield().exists(), "{} is not there", built.jackfield().display());
        built
    })
}

/// The folder that has the profiles' folders, and whatever else is kept between builds.
///
/// # Panics
/// The running program lies nowhere.
pub fn target() -> PathBuf {
    folder().parent().expect("a profile's folder lies in one").to_owned()
}

/// The folder of the running program's profile: tests and benches lie in its `deps`, binaries in itself.
fn folder() -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let folder = own.parent().expect("a file has a folder");
    match folder.file_name().is_some_and(|name| name == "deps") {
        true => folder.parent().expect("deps lies in the profile's folder").to_owned(),
        false => folder.to_owned(),
    }
}

fn build(folder: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--package", "jackfield", "--package", "jackfield-hostile"]);
    command.args(["--package", "jackfield-qlik-cloud", "--package", "jackfield-nprinting"]);
    command.args(["--package", "jackfield-qalyptus-server", "--package", "jackfield-qalyptus-cloud"]);
    command.args(["--package", "jackfield-qlik-onprem", "--package", "jackfield-yesterday-1-0"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo can be started");
    assert!(status.success(), "the executable and the plugins could not be built");
}
