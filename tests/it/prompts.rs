//! Private keys at a terminal: many lines, of which neither the screen nor the shell behind it gets one.

use crate::nprinting::{Server, small};
use jackfield_tests::Terminal;
use std::fs;

/// Asks for the private key of "N" in a shell.
fn asked(server: &Server) -> Terminal {
    let url = format!("server_url={}", server.simulator.base_url());
    let email = format!("email={}", server.simulator.user_email(0));
    let adding =
        ["connection", "add", "nprinting", "N", "--set", &url, "--set", &email, "--tls-ca", "ca.pem"];
    let mut terminal = Terminal::in_shell(&server.host, adding);
    terminal.shows("paste it");
    terminal.shows("\n");
    terminal
}

/// What the shell reads behind the command, and everything that was on the screen.
fn then(mut terminal: Terminal, code: &str) -> String {
    terminal.shows(&format!("ended: {code}"));
    terminal.types("typed behind it\r");
    terminal.shows("next: ");
    terminal.shows("\n");
    let (_, screen) = terminal.finish();
    assert!(screen.contains("next: typed behind it\n"), "something else is left for the shell:\n{screen}");
    screen
}

#[test]
fn a_pasted_private_key_is_read_to_its_last_line() {
    let server = Server::new(small());
    let key = fs::read_to_string(server.host.work().join("key.pem")).unwrap();
    let certificate = server.simulator.ca_pem();
    for pasted in [key.clone(), format!("{key}{certificate}and more"), "@key.pem\n".to_owned()] {
        let mut terminal = asked(&server);
        terminal.types(&pasted.replace('\n', "\r"));
        let screen = then(terminal, "0");
        let on_screen = key.lines().chain(certificate.lines()).any(|line| screen.contains(line));
        assert!(!on_screen && screen.contains("Saved \"N\""), "{screen}");
        server.host.run(["connection", "delete", "N", "--yes"]).expect_success();
    }
}

#[test]
fn nothing_of_a_wrong_answer_is_left_for_the_shell() {
    let server = Server::new(small());
    let key = fs::read_to_string(server.host.work().join("key.pem")).unwrap();
    let body: String =
        key.lines().filter(|line| !line.starts_with('-')).map(|line| format!("{line}\r")).collect();
    for pasted in
        [body.clone(), format!("hello\r{body}"), format!("\r{body}"), format!("@missing.pem\r{body}")]
    {
        let mut terminal = asked(&server);
        terminal.types(&pasted);
        let screen = then(terminal, "2");
        assert!(!body.split('\r').any(|line| line.len() > 16 && screen.contains(line)), "{screen}");
    }
}
