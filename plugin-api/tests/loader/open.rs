//! Opening libraries: their code runs here.

use crate::files::{Bench, c_manifest, example};
use jackfield_plugin::{
    Failure,
    abi::host_from_fn,
    contract::{
        Blame, VERSION, hooks,
        wire::{decode, encode},
    },
    loader::{LoadError, Plugin},
};
use std::{
    future::Future,
    path::Path,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Runs a hook against a host that answers everything with nothing.
fn invoke(plugin: &Plugin, hook: &str, settings: serde_json::Value) -> Result<Vec<u8>, LoadError> {
    let invocation = hooks::Invocation {
        contract: VERSION,
        run: "run".to_owned(),
        settings,
        purpose: hooks::Purpose::Interactive,
        may_write: false,
        subject: None,
        installation: None,
        rotation: None,
    };
    let host = host_from_fn(|_, _| async { encode(&Ok::<i64, Failure>(0)) });
    let answer = plugin.invoke(hook, encode(&invocation), host);
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the host always answers at once"),
    }
}

fn failure(plugin: &Plugin, hook: &str) -> Failure {
    let answer = invoke(plugin, hook, serde_json::json!({})).unwrap();
    decode::<Result<serde_json::Value, Failure>>(&answer, hook, Blame::Plugin).unwrap().unwrap_err()
}

fn refused(path: &Path) -> LoadError {
    let error = Plugin::open(path).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "it names the file: {text}");
    assert!(!text.contains('\n'), "it is one line: {text}");
    error
}

#[test]
fn a_plugin_describes_itself() {
    let plugin = Plugin::open(&example("paged")).unwrap();
    let description = plugin.describe().unwrap();
    assert_eq!(description.id, plugin.manifest().id);
    assert_eq!(description.settings["required"], serde_json::json!(["server", "token"]));
    assert_eq!(description.settings["properties"]["token"]["x-secret"], true);
}

#[test]
fn two_plugins_in_one_process_stay_two() {
    let paged = Plugin::open(&example("paged")).unwrap();
    let speechless = Plugin::open(&example("speechless")).unwrap();
    assert_eq!(failure(&speechless, "test").message, "speechless was asked");
    assert!(failure(&paged, "test").message.contains("missing field `server`"));
    assert_eq!(paged.describe().unwrap().display_name, "Shelf");
}

#[test]
fn a_name_without_a_slash_is_a_file_here_and_not_one_of_the_systems_libraries() {
    let error = Plugin::open(Path::new("libc.so.6")).unwrap_err();
    assert!(matches!(error, LoadError::Unreadable { .. }), "{error}");
}

#[test]
fn a_library_that_misses_a_symbol_is_refused_when_it_is_opened() {
    let bench = Bench::new();
    let source =
        format!("{}\nint missing_thing(void); int call(void) {{ return missing_thing(); }}", c_manifest());
    let error = refused(&bench.c_library(&source));
    assert!(
        matches!(&error, LoadError::CannotOpen { detail, .. } if detail.contains("missing_thing")),
        "{error}"
    );
}

#[test]
fn a_library_with_a_manifest_and_nothing_behind_it() {
    let error = refused(&Bench::new().c_library(&c_manifest()));
    assert!(matches!(error, LoadError::NoRootModule { .. }), "{error}");
}

#[test]
fn a_symbol_of_the_right_name_that_is_no_header() {
    let source = format!("{}\nchar _1as_0lib_1header_0root_bmodule_bloader[64] = \"boo\";", c_manifest());
    let error = refused(&Bench::new().c_library(&source));
    assert!(matches!(&error, LoadError::DoorVersion { .. }), "{error}");
}

#[test]
fn another_layout_names_the_type_that_differs() {
    let error = refused(&example("misfit"));
    let LoadError::Layout { name, expected, found, .. } = &error else { panic!("{error}") };
    assert_eq!(name, "PluginModule.invoke");
    assert_eq!(expected, "fn(RString, RVec, HostDoor_TO<'lt>) -> BorrowingFfiFuture<'a>");
    assert_eq!(found, "fn(u64) -> RVec");
}

#[test]
fn a_library_that_panics_while_it_starts() {
    let error = refused(&example("stillborn"));
    assert!(matches!(&error, LoadError::Constructor { detail, .. } if detail == "it panicked"), "{error}");
}

#[test]
fn a_description_that_panics_is_the_plugins_fault() {
    let error = Plugin::open(&example("speechless")).unwrap().describe().unwrap_err();
    let LoadError::Describe { failure, .. } = &error else { panic!("{error}") };
    assert!(failure.message.ends_with("\"describe\": no words for it"), "{failure}");
    assert_eq!(error.blame(), Blame::Plugin);
}

#[test]
fn a_description_that_contradicts_the_manifest_names_both() {
    let bench = Bench::new();
    let error = Plugin::open(&bench.patched("\"paged\"", "\"waged\"")).unwrap().describe().unwrap_err();
    let LoadError::Disagrees { on: "id", manifest, description, .. } = &error else { panic!("{error}") };
    assert_eq!((manifest.as_str(), description.as_str()), ("waged", "paged"));
}

#[test]
fn a_panic_in_a_poll_is_a_failure_with_its_words() {
    let speechless = Plugin::open(&example("speechless")).unwrap();
    let failure = failure(&speechless, "refresh");
    assert_eq!(failure.blame, Blame::Plugin);
    assert!(failure.message.ends_with("\"refresh\": in the middle of a poll"), "{failure}");
}

#[test]
fn what_is_not_a_message_is_a_failure_too() {
    let paged = Plugin::open(&example("paged")).unwrap();
    let answer = paged.invoke("test", b"nonsense".to_vec(), host_from_fn(|_, _| async { Vec::new() }));
    let Poll::Ready(answer) = pin!(answer).poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
    let outcome =
        decode::<Result<serde_json::Value, Failure>>(&answer.unwrap(), "test", Blame::Plugin).unwrap();
    assert!(outcome.unwrap_err().message.contains("\"test\" could not be read"));
    assert!(
        failure(&Plugin::open(&example("speechless")).unwrap(), "levitate")
            .message
            .contains("no hook \"levitate\"")
    );
}
