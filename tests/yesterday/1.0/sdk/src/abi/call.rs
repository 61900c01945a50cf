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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Blame, wire::decode};
    use abi_stable::prefix_type::PrefixTypeTrait;
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    extern "C" fn silent() -> RVec<u8> {
        RVec::new()
    }

    /// What a plugin made without the SDK could do: nobody catches the panic on its side.
    extern "C" fn panics(_: RString, _: RVec<u8>, _: HostObject) -> FfiFuture<RVec<u8>> {
        async { panic!("uncaught") }.into_ffi()
    }

    /// What a plugin could do with the host: its answer is the host's.
    extern "C" fn asks(hook: RString, _: RVec<u8>, host: HostObject) -> FfiFuture<RVec<u8>> {
        async move { host.call(hook, RVec::new()).await }.into_ffi()
    }

    type Invoke = extern "C" fn(RString, RVec<u8>, HostObject) -> FfiFuture<RVec<u8>>;

    fn invoke(invoke: Invoke, hook: &str) -> Result<Vec<u8>, String> {
        let door = Door { module: crate::abi::PluginModule { describe: silent, invoke }.leak_into_prefix() };
        let host = host_from_fn(|capability, _| {
            assert_ne!(capability, "now", "at once");
            async move { panic!("later: {capability}") }
        });
        let answer = pin!(door.invoke(hook, Vec::new(), host)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(answer) = answer else { panic!("nothing waits here") };
        answer
    }

    #[test]
    fn a_panic_that_the_plugin_let_through_is_an_error() {
        assert!(invoke(panics, "test").is_err());
    }

    #[test]
    fn a_panic_of_the_host_is_the_hosts_failure() {
        for (capability, words) in [("now", "at once"), ("soon", "later: soon")] {
            let answer = invoke(asks, capability).unwrap();
            let failure =
                decode::<Result<(), Failure>>(&answer, "answer", Blame::Jackfield).unwrap().unwrap_err();
            assert_eq!(failure.blame, Blame::Jackfield);
            assert!(failure.message.contains(words), "{failure}");
        }
    }
}
