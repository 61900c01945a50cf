//! A server's certificate that is not trusted: shown, and accepted by whoever has compared it.

use super::{Desk, output::moment, terminal};
use crate::{
    model::{
        certificate::ServerCertificate,
        connection::Connection,
        run::{Run, RunState},
        text::{printable, shell_word},
    },
    runs::notice::{Notice, Watcher},
};
use jackfield_plugin::contract::Failure;
use std::{
    io::{self, IsTerminal},
    sync::{Arc, Mutex, PoisonError},
};

/// Keeps the certificate that was refused in a run.
#[derive(Clone, Default)]
pub(super) struct Refused(Arc<Mutex<Option<ServerCertificate>>>);

impl Refused {
    /// Watches for it, and passes all notices on.
    pub(super) fn watching(&self, others: Watcher) -> Watcher {
        let kept = self.0.clone();
        Arc::new(move |notice| {
            if let Notice::Refused { certificate } = &notice {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate.clone());
            }
            others(notice);
        })
    }

    /// The last one, if there was one.
    pub(super) fn last(&self) -> Option<ServerCertificate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Shows a refused certificate to a person at a terminal, and asks whether to trust it. Yields what to pin, if so.
pub(super) fn ask(desk: &Desk, certificate: &ServerCertificate) -> Result<Option<String>, Failure> {
    if desk.output.json || !io::stdin().is_terminal() {
        return Ok(None);
    }
    for line in shown(certificate) {
        desk.output.warn(&printable(&line));
    }
    let trusted = terminal::confirm("Trust this certificate for this connection?")?;
    Ok(trusted.then(|| certificate.sha256.clone()))
}

fn shown(certificate: &ServerCertificate) -> Vec<String> {
    let ServerCertificate { server, subject, issuer, names, not_before, not_after, sha256, pinned } =
        certificate;
    let names = if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") };
    let issuer = if issuer == subject { "itself" } else { issuer };
    let mut lines = vec![String::new(), format!("{server} shows this certificate, which is not trusted:")];
    let rows = [
        ("Subject", subject.clone()),
        ("Issued by", issuer.to_owned()),
        ("Valid", format!("from {} to {}{}", day(*not_before), day(*not_after), expired(*not_after))),
        ("For", names),
        ("SHA-256", ServerCertificate::in_pairs(sha256)),
        ("Pinned", pinned.as_deref().map(ServerCertificate::in_pairs).unwrap_or_default()),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    lines.extend(rows.map(|(name, value)| format!("  {name:9}  {value}")));
    lines.push(match pinned {
        Some(_) => {
            "It is another one than before. It may have been renewed, or somebody else may be answering."
                .to_owned()
        }
        None => "Nobody vouches for it: somebody else may be answering.".to_owned(),
    });
    lines.push("Compare the SHA-256 with that of the certificate on the server itself: in a browser that is opened there, or with".to_owned());
    lines.push("  openssl x509 -in CERTIFICATE.pem -noout -fingerprint -sha256".to_owned());
    lines.push("If both are the same to the last digit, it is the right one. Once trusted, no other is accepted for this connection.".to_owned());
    lines
}

fn day(seconds: i64) -> String {
    moment(seconds.saturating_mul(1000)).split(' ').next().unwrap_or_default().to_owned()
}

fn expired(not_after: i64) -> &'static str {
    match jiff::Timestamp::now().as_second() > not_after {
        true => ", which is over",
        false => "",
    }
}

/// Says how to accept the certificate for which a run of a connection has failed. It is said last, beneath what it is about.
pub(super) fn tell_how(desk: &Desk, connection: &Connection, run: &Run, refused: Option<&ServerCertificate>) {
    let (RunState::Failed, Some(certificate), false) = (run.state, refused, desk.output.json) else { return };
    let name = shell_word(&connection.name);
    desk.output.warn(&format!(
        "To trust this certificate, once you have compared its SHA-256 with that on the server:\n  \
         jackfield connection edit {name} --tls-pin {}",
        certificate.sha256
    ));
}
