//! Opening a dynamic library and walking through its door; the half of the loader that names `abi_stable`.
#![expect(
    unsafe_code,
    reason = "opening a library runs its constructors, and its symbols have the types it says"
)]

use super::{Door, PluginModuleRef};
use abi_stable::{
    StableAbi,
    abi_stability::abi_checking::{AbiInstabilityErrors, ExpectedFound, check_layout_compatibility},
    library::{
        AbiHeaderRef, LibHeader, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL, RootModule, RootModuleError,
    },
    type_layout::{TLFieldOrFunction, TLFunction, TypeLayout},
};
use libloading::Library;
use std::{error::Error, path::Path};

/// Why a library's door could not be opened.
#[derive(Debug)]
pub enum DoorError {
    /// The dynamic linker refused; its own words.
    Open(String),
    /// The library does not export the header.
    NoRootModule,
    /// The door itself has another version.
    Version {
        /// What this side speaks.
        expected: String,
        /// What the library speaks.
        found: String,
    },
    /// A type at the door is laid out differently.
    Layout {
        /// The type that differs.
        name: String,
        /// What this side expects of it.
        expected: String,
        /// What the library has.
        found: String,
    },
    /// The function that makes the module failed; its words.
    Constructor(String),
}

impl Door {
    /// Opens a library. It stays open for as long as the process lives.
    ///
    /// Everything is resolved now, so that a missing symbol is found here and not in the middle of a run, and nothing of
    /// it is shown to other libraries. The module is asked for through the header: `RootModule::load_from_*` would remember
    /// the first library ever opened, and answer with it for every other.
    ///
    /// # Errors
    /// The file cannot be opened, or what is behind the door is not what this side expects.
    pub fn open(path: &Path) -> Result<Door, DoorError> {
        let header = header(open_library(path)?)?;
        if header.layout().is_none() {
            // Without it the check would be skipped and the module believed.
            let (name, expected) = (PluginModuleRef::NAME.to_owned(), "a layout to compare".to_owned());
            return Err(DoorError::Layout { name, expected, found: "none".to_owned() });
        }
        header
            .init_root_module::<PluginModuleRef>()
            .map(|module| Door { module })
            .map_err(|error| explain(error, header))
    }
}

/// Opens the library for good: its code, its statics and its threads' destructors may be needed until the process ends.
fn open_library(path: &Path) -> Result<&'static Library, DoorError> {
    let refused = |error: libloading::Error| {
        DoorError::Open(error.source().map_or_else(|| error.to_string(), |linker| linker.to_string()))
    };
    #[cfg(unix)]
    let library = {
        use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
        // SAFETY: this runs the library's constructors. Nothing makes foreign code safe; the host does it only in a worker
        // process that has nothing to lose, after the manifest said that this is a plugin for this platform.
        unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(refused)?
    };
    #[cfg(not(unix))]
    let library = {
        // SAFETY: as above.
        unsafe { libloading::os::windows::Library::new(path) }.map_err(refused)?
    };
    Ok(Box::leak(Box::new(library.into())))
}

fn header(library: &'static Library) -> Result<&'static LibHeader, DoorError> {
    // SAFETY: the symbol of this name is a static that begins with an `AbiHeader`; nothing else uses such a name. The
    // reference is to the static itself, which lives as long as the library: for ever.
    let symbol = unsafe { library.get::<Option<AbiHeaderRef>>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
    let header = symbol.ok().and_then(|symbol| *symbol).ok_or(DoorError::NoRootModule)?;
    header.upgrade().map_err(|error| match error {
        LibraryError::InvalidAbiHeader(found) => DoorError::Version {
            expected: format!("abi_stable {}", abi_version(&abi_stable::library::AbiHeader::VALUE)),
            found: format!("abi_stable {}", abi_version(&found)),
        },
        other => {
            DoorError::Version { expected: "the C calling convention".to_owned(), found: one_line(&other) }
        }
    })
}

fn abi_version(header: &abi_stable::library::AbiHeader) -> String {
    if header.magic_string == abi_stable::library::AbiHeader::VALUE.magic_string {
        format!("{}.{}", header.abi_major, header.abi_minor)
    } else {
        "of no known version".to_owned()
    }
}

fn explain(error: LibraryError, header: &'static LibHeader) -> DoorError {
    match error {
        LibraryError::AbiInstability(text) => {
            match header.layout().map(|found| check_layout_compatibility(PluginModuleRef::LAYOUT, found)) {
                Some(Err(errors)) => layout(&errors),
                _ => DoorError::Layout {
                    name: PluginModuleRef::NAME.to_owned(),
                    expected: "the layout of this contract".to_owned(),
                    found: one_line(&text),
                },
            }
        }
        LibraryError::IncompatibleVersionNumber { expected_version, actual_version, .. } => {
            DoorError::Version {
                expected: format!("door {expected_version}"),
                found: format!("door {actual_version}"),
            }
        }
        LibraryError::RootModule { err: RootModuleError::Unwound, .. } => {
            DoorError::Constructor("it panicked".to_owned())
        }
        LibraryError::RootModule { err: RootModuleError::Returned(error), .. } => {
            DoorError::Constructor(one_line(&error))
        }
        other => DoorError::Constructor(one_line(&other)),
    }
}

/// The first difference of a report that can be many pages long.
fn layout(errors: &AbiInstabilityErrors) -> DoorError {
    let Some(first) = errors.errors.iter().find(|error| !error.errs.is_empty()) else {
        return DoorError::Layout {
            name: PluginModuleRef::NAME.to_owned(),
            expected: String::new(),
            found: String::new(),
        };
    };
    let mut name = Vec::new();
    for place in &first.stack_trace {
        if let TLFieldOrFunction::Field(field) = place.expected {
            // The module is reached through a pointer, whose only field has a number for a name.
            name.push(if field.name() == "0" {
                field.full_type().to_string()
            } else {
                field.name().to_owned()
            });
        }
    }
    let (expected, found) = match first.stack_trace.last() {
        Some(ExpectedFound {
            expected: TLFieldOrFunction::Function(expected),
            found: TLFieldOrFunction::Function(found),
        }) => (signature(expected), signature(found)),
        _ => {
            let report = first.to_string();
            (part(&report, "Expected:\n"), part(&report, "Found:\n"))
        }
    };
    DoorError::Layout { name: name.join("."), expected, found }
}

/// The types of a function: the names of its parameters may differ.
fn signature(function: &TLFunction) -> String {
    let name = |layout: extern "C" fn() -> &'static TypeLayout| layout().full_type().to_string();
    let parameters: Vec<_> = function.param_type_layouts.iter().map(name).collect();
    let answer = function.return_type_layout().map_or_else(|| "()".to_owned(), name);
    format!("fn({}) -> {answer}", parameters.join(", "))
}

/// What follows a heading of a report.
fn part(report: &str, heading: &str) -> String {
    let text = report.split_once(heading).map_or("something else", |(_, text)| text);
    let end = text.find("Found:\n").or_else(|| text.find("\n\n")).unwrap_or(text.len());
    one_line(&&text[..end])
}

/// Words without their line breaks and indentation, and not too many.
fn one_line(text: &dyn std::fmt::Display) -> String {
    text.to_string().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
