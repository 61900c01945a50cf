//! The door: the binary interface between the host and a plugin's dynamic library, and the only room that names `abi_stable`.
//!
//! One root module with two entries, *describe* and *invoke*; one trait object with one entry, *call*. What crosses is
//! strings, bytes and futures; all meaning is in the bytes ([`contract`](crate::contract)). So the door never has to change,
//! and a plain `repr(C)` door could replace it without any plugin's source noticing.
//!
//! Whoever allocates frees: `RVec`, `RString` and the futures carry their own deallocators. A panic must not reach the door
//! (it would end the process): the plugin's side catches in every entry and in every poll ([`guard`]).

pub mod call;
mod door;
pub mod export;
pub mod guard;
#[cfg(feature = "loader")]
pub mod open;

use abi_stable::{
    StableAbi,
    library::RootModule,
    sabi_trait,
    sabi_types::VersionStrings,
    std_types::{RString, RVec},
};
use async_ffi::FfiFuture;

pub use call::{Door, host_from_fn};
pub use door::{HostDoor, HostDoor_TO, HostObject};

/// The plugin's side of the door.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModuleRef)))]
#[sabi(missing_field(panic))]
pub struct PluginModule {
    /// Encoded `Result<Description, Failure>`. Does no I/O.
    pub describe: extern "C" fn() -> RVec<u8>,
    /// Runs the hook of a name with an encoded message, and yields the encoded answer.
    #[sabi(last_prefix_field)]
    pub invoke: extern "C" fn(hook: RString, message: RVec<u8>, host: HostObject) -> FfiFuture<RVec<u8>>,
}

impl RootModule for PluginModuleRef {
    abi_stable::declare_root_module_statics! {PluginModuleRef}
    const BASE_NAME: &'static str = "jackfield_plugin";
    const NAME: &'static str = "jackfield_plugin";
    /// The version of the door, which is not the version of this package: `abi_stable` compares it, and every plugin ever
    /// built must pass. It stays 1.0.0 until the door itself changes its shape.
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}

/// Makes the object that a plugin is handed.
pub fn host_object(host: impl HostDoor + 'static) -> HostObject {
    HostDoor_TO::from_value(host, sabi_trait::TD_Opaque)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_package_is_the_one_that_plugins_were_built_with() {
        // With the layout of a type, `abi_stable` compares the name and the major version of the package that it comes from. So
        // under another name, or as 2.0.0, this package would refuse every plugin that there is.
        assert_eq!(env!("CARGO_PKG_NAME"), "jackfield-plugin");
        let major: u16 = env!("CARGO_PKG_VERSION_MAJOR").parse().unwrap();
        assert_eq!(major, crate::contract::VERSION.major);
    }
}
