//! What the export macro expands to: the two entries for a connector, the library's header, and the manifest's bytes.

use super::{HostObject, PluginModule, PluginModuleRef, guard};
use crate::{
    contract::{
        Failure, hooks,
        manifest::MAGIC,
        wire::{decode, encode},
    },
    sdk::{Connector, Context, Host},
};
use abi_stable::{
    library::{__call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult},
    prefix_type::PrefixTypeTrait,
    std_types::{RString, RVec},
};
use async_ffi::{FfiFuture, FutureExt};

pub use abi_stable::library::LibHeader as Header;

/// What a library consists of.
pub trait Library {
    /// The connector.
    type Connector: Connector;

    /// The bytes of the manifest's section.
    fn manifest() -> &'static [u8];
}

/// The header of a plugin's library.
#[expect(unsafe_code, reason = "the header promises the type of the module that the constructor returns")]
pub const fn header<L: Library>() -> LibHeader {
    // SAFETY: `construct` hands a function that returns a `PluginModuleRef` to `abi_stable`, which erases just that type;
    // and it is the type named here.
    unsafe { LibHeader::from_constructor::<PluginModuleRef>(construct::<L>, CheckTypeLayout::Yes) }
}

/// Makes the module of a library.
extern "C" fn construct<L: Library>() -> RootModuleResult {
    // Or a linker that drops what nobody refers to might drop the manifest.
    std::hint::black_box(L::manifest());
    __call_root_module_loader(module::<L::Connector>)
}

/// The module of a connector.
pub(super) fn module<C: Connector>() -> PluginModuleRef {
    PluginModule { describe: describe::<C>, invoke: invoke::<C> }.leak_into_prefix()
}

extern "C" fn describe<C: Connector>() -> RVec<u8> {
    let described = guard::guard(C::describe).map_err(|panic| panicked("describe", &panic));
    encode(&described).into()
}

extern "C" fn invoke<C: Connector>(
    hook: RString,
    message: RVec<u8>,
    host: HostObject,
) -> FfiFuture<RVec<u8>> {
    let name = hook.to_string();
    let work = guard::Guarded::new(async move { run::<C>(&hook, &message, host).await });
    async move {
        let outcome = work.await.unwrap_or_else(|panic| encode(&Err::<(), _>(panicked(&name, &panic))));
        RVec::from(outcome)
    }
    .into_ffi()
}

/// Runs one hook; the answer is an encoded `Result<answer, Failure>`.
async fn run<C: Connector>(hook: &str, message: &[u8], host: HostObject) -> Vec<u8> {
    let context = decode::<hooks::Invocation>(message, hook, crate::contract::Blame::Jackfield)
        .and_then(|invocation| Context::new(invocation, Host::new(host)));
    let context = match context {
        Ok(context) => context,
        Err(failure) => return encode(&Err::<(), _>(failure)),
    };
    match hook {
        hooks::TEST => encode(&crate::sdk::checks::run::<C>(&context).await),
        hooks::REFRESH => encode(&C::refresh(&context).await),
        hooks::STAGE => encode(&C::stage(&context).await),
        hooks::RETIRE => encode(&C::retire(&context).await),
        hooks::SWEEP => encode(&C::sweep(&context).await),
        hooks::EXPIRY => encode(&C::expiry(&context).await),
        unknown => {
            encode(&Err::<(), _>(Failure::plugin(format!("this connector has no hook \"{unknown}\""))))
        }
    }
}

fn panicked(hook: &str, message: &str) -> Failure {
    Failure::plugin(format!("the plugin panicked in its hook \"{hook}\": {message}"))
        .remedy("this is a defect of the plugin; report it to its vendor")
}

/// Length of the manifest's section for a JSON text.
pub const fn manifest_length(json: &str) -> usize {
    MAGIC.len() + json.len()
}

/// The manifest's section, made at compile time.
///
/// # Panics
/// At compile time, if `N` is not [`manifest_length`] of the same text.
pub const fn manifest_section<const N: usize>(json: &str) -> [u8; N] {
    assert!(N == manifest_length(json), "the length must be that of the text");
    let mut section = [0; N];
    let mut at = 0;
    while at < N {
        section[at] = if at < MAGIC.len() { MAGIC[at] } else { json.as_bytes()[at - MAGIC.len()] };
        at += 1;
    }
    section
}

/// Makes a connector the content of this dynamic library: `export!(MyConnector, id: "my-system", name: "My System");`
///
/// The library exports one symbol, and carries its manifest in a section of its own. `needs: "1.0"` may be added to run in
/// hosts older than this SDK, as long as nothing newer than that is used.
#[macro_export]
macro_rules! export {
    ($connector:ty, id: $id:literal, name: $name:literal $(,)?) => {
        $crate::export!($connector, id: $id, name: $name, needs: $crate::contract::VERSION_TEXT);
    };
    ($connector:ty, id: $id:literal, name: $name:literal, needs: $needs:expr $(,)?) => {
        const _: () = {
            struct Library;

            impl $crate::abi::export::Library for Library {
                type Connector = $connector;

                fn manifest() -> &'static [u8] {
                    &MANIFEST
                }
            }

            #[unsafe(no_mangle)]
            pub static _1as_0lib_1header_0root_bmodule_bloader: $crate::abi::export::Header =
                $crate::abi::export::header::<Library>();

            const PANIC: &str = if cfg!(panic = "abort") { "abort" } else { "unwind" };

            const JSON: &str = $crate::abi::export::text!(
                "{\"id\":\"", $id, "\",\"name\":\"", $name, "\",\"version\":\"", env!("CARGO_PKG_VERSION"),
                "\",\"needs\":\"", $needs, "\",\"panic\":\"", PANIC, "\",\"platform\":\"",
                $crate::abi::export::ARCHITECTURE, "-", $crate::abi::export::SYSTEM, "\"}"
            );

            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__jackfield"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".jackfield"))]
            static MANIFEST: [u8; $crate::abi::export::manifest_length(JSON)] =
                $crate::abi::export::manifest_section(JSON);
        };
    };
}

/// `std::env::consts::ARCH`, where the macro can reach it.
pub const ARCHITECTURE: &str = std::env::consts::ARCH;

/// `std::env::consts::OS`, where the macro can reach it.
pub const SYSTEM: &str = std::env::consts::OS;

/// Length of texts written one after the other.
pub const fn text_length(parts: &[&str]) -> usize {
    let mut length = 0;
    let mut part = 0;
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

/// Texts written one after the other.
pub const fn text_bytes<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let text = parts[part].as_bytes();
        let mut from = 0;
        while from < text.len() {
            bytes[at] = text[from];
            at += 1;
            from += 1;
        }
        part += 1;
    }
    bytes
}

/// `concat!` for constants that are not literals.
#[doc(hidden)]
#[macro_export]
macro_rules! __text {
    ($($part:expr),+ $(,)?) => {{
        const PARTS: &[&str] = &[$($part),+];
        const BYTES: [u8; $crate::abi::export::text_length(PARTS)] = $crate::abi::export::text_bytes(PARTS);
        match ::core::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("texts are UTF-8"),
        }
    }};
}

pub use __text as text;

#[cfg(test)]
mod tests {
    #[test]
    fn the_exported_symbol_is_the_one_that_abi_stable_looks_for() {
        assert_eq!("_1as_0lib_1header_0root_bmodule_bloader", abi_stable::library::ROOT_MODULE_LOADER_NAME);
    }
}
