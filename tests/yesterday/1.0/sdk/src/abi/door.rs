//! The host's side of the door.
#![expect(unsafe_code, reason = "the trait object's v-table, which the macro writes, casts erased pointers")]
#![expect(non_local_definitions, reason = "the macro of abi_stable 0.11.3 puts its impls into a constant")]

use abi_stable::{
    sabi_trait,
    std_types::{RBox, RString, RVec},
};
use async_ffi::FfiFuture;

/// One entry, through which a plugin asks for everything.
#[sabi_trait]
pub trait HostDoor: Send + Sync {
    /// Asks for a capability by name with an encoded message; yields an encoded `Result<answer, Failure>`.
    fn call(&self, capability: RString, message: RVec<u8>) -> FfiFuture<RVec<u8>>;
}

/// The trait object of [`HostDoor`] that a plugin is handed.
pub type HostObject = HostDoor_TO<'static, RBox<()>>;
