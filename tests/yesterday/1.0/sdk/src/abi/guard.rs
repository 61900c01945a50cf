//! Catching panics on the plugin's side, where alone they can be caught: the plugin carries its own standard library, so
//! the host would see a foreign exception and abort.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

/// Runs `work`, and turns a panic into its message.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| message(payload.as_ref()))
}

/// A future that yields the message of a panic in any of its polls instead of passing the panic on.
pub struct Guarded<F> {
    /// Dropped after a panic, inside a guard, because the drop may panic as well.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Guarded<F> {
    /// Guards a future.
    pub fn new(future: F) -> Self {
        Guarded { future: Some(Box::pin(future)) }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.future.as_mut() else {
            return Poll::Ready(Err("polled again after its end".to_owned()));
        };
        let outcome = match guard(|| future.as_mut().poll(context)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(panic) => Err(panic),
        };
        let future = self.future.take();
        Poll::Ready(match guard(move || drop(future)) {
            Ok(()) => outcome,
            Err(panic) => outcome.and(Err(panic)),
        })
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct DropPanics;

    impl Drop for DropPanics {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
        std::pin::pin!(future).poll(&mut Context::from_waker(std::task::Waker::noop()))
    }

    #[test]
    fn a_panic_in_a_poll_becomes_its_message() {
        let outcome = poll_once(Guarded::new(async { panic!("no {}", "way") }));
        assert_eq!(outcome, Poll::Ready(Err::<(), _>("no way".to_owned())));
    }

    #[test]
    fn a_panic_while_the_future_is_dropped_becomes_its_message() {
        let held = DropPanics;
        let outcome = poll_once(Guarded::new(async move {
            let _held = &held;
        }));
        assert_eq!(outcome, Poll::Ready(Err("in drop".to_owned())));
    }

    #[test]
    fn what_does_not_panic_passes() {
        assert_eq!(poll_once(Guarded::new(async { 7 })), Poll::Ready(Ok(7)));
    }
}
