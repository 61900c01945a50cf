//! Calling a plugin's entries, without naming the types that cross.

use super::{
    HostDoor, HostObject, PluginModuleRef, export,
    guard::{Guarded, guard},
    host_object,
};
use crate::{
    contract::{Failure, wire::encode},
    sdk::Connector,
};
use abi_stable::std_types::{RString, RVec};
use async_ffi::{FfiFuture, FutureExt};
use std::future::Future;

/// A plugin's side of the door, ready to be called.
#[derive(Clone, Copy)]
pub struct Door {
    pub(super) module: PluginModuleRef,
}

impl Door {
    /// The door of a connector that is linked into this program.
    pub fn of<C: Connector>() -> Door {
        Door { module: export::module::<C>() }
    }

    /// Calls the entry *describe*: an encoded `Result<Description, Failure>`.
    pub fn describe(&self) -> Vec<u8> {
        self.module.describe()().into_vec()
    }

    /// Calls the entry *invoke*: an encoded `Result<answer, Failure>`; a panic that the plugin let through is an error with
    /// its words.
    pub fn invoke(
        &self,
        hook: &str,
        message: Vec<u8>,
        host: HostObject,
    ) -> impl Future<Output = Result<Vec<u8>, String>> + Send + use<> {
        let answer = self.module.invoke()(hook.into(), message.into(), host);
        // A future that panicked on the other side panics anew on this one, where it can be caught.
        let guarded = Guarded::new(answer);
        async move { guarded.await.map(|answer| answer.into_vec()) }
    }
}

/// Makes the object that a plugin is handed from a function: capability name and encoded request in, encoded answer out. A
/// panic of the function, or of its future, must not reach the door: it is answered as a failure of the host.
pub fn host_from_fn<F, A>(call: F) -> HostObject
where
    F: Fn(String, Vec<u8>) -> A + Send + Sync + 'static,
    A: Future<Output = Vec<u8>> + Send + 'static,
{
    host_object(FromFn(call))
}

struct FromFn<F>(F);

impl<F, A> HostDoor for FromFn<F>
where
    F: Fn(String, Vec<u8>) -> A + Send + Sync,
    A: Future<Output = Vec<u8>> + Send + 'static,
{
    fn call(&self, capability: RString, message: RVec<u8>) -> FfiFuture<RVec<u8>> {
        let name = capability.to_string();
        let work = guard(|| (self.0)(capability.into_string(), message.into_vec())).map(Guarded::new);
        async move {
            let answer = match work {
                Ok(work) => work.await,
                Err(panic) => Err(panic),
            };
            let panicked = |panic| Failure::jackfield(format!("the capability \"{name}\" panicked: {panic}"));
            answer.unwrap_or_else(|panic| encode(&Err::<(), _>(panicked(panic)))).into()
        }
        .into_ffi()
    }
}
