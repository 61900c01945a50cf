//! Plugin files, as an operator meets them.

use jackfield_tests::Host;

#[test]
fn a_dropped_file_is_listed() {
    let host = Host::with_plugins(&["qlik-cloud"]);
    let listed = host.json(["plugin", "list"]);
    assert_eq!(listed[0]["plugin"]["manifest"]["id"], "qlik-cloud");
}
