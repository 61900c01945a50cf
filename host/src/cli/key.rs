//! `key`: key pairs for systems that check JWTs.

use super::output::Output;
use crate::secrets::generate::{JwtKeyPair, jwt_key_pair};
use clap::Subcommand;
use jackfield_plugin::contract::Failure;
use serde_json::json;
use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an RSA key pair: a certificate to register with the remote system, and the private key for the connection
    Generate {
        /// Where the private key goes; made with mode 0600, never overwritten
        #[arg(long, value_name = "FILE", default_value = "jackfield-jwt-key.pem")]
        private_key: PathBuf,
        /// The name in the certificate
        #[arg(long, value_name = "NAME", default_value = "Jackfield")]
        common_name: String,
        /// Size of the key in bits: 2048, 3072 or 4096
        #[arg(long, default_value_t = 2048)]
        bits: u16,
        /// Days for which the certificate is valid
        #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=7300))]
        days: u32,
        /// Print the private key as well, instead of writing a file
        #[arg(long, conflicts_with = "private_key")]
        stdout: bool,
    },
}

pub(super) fn run(command: &Command, output: &Output) -> Result<ExitCode, Failure> {
    let Command::Generate { private_key, common_name, bits, days, stdout } = command;
    let pair = jwt_key_pair(common_name, *bits, *days)?;
    if *stdout {
        print_both(&pair, output)?;
    } else {
        keep(private_key, &pair)?;
        if output.json {
            output.json(&json!({ "certificate": pair.certificate, "private_key_file": private_key }))?;
        } else {
            output.line(pair.certificate.trim_end());
        }
        forget_if_cut(private_key, output)?;
        if !output.json {
            output.warn(&format!("The private key is in {} (mode 0600).", private_key.display()));
        }
    }
    output.warn(
        "Register the certificate with the remote system; the private key goes into the connection (--secret private_key=@FILE).\n\
         Keep the private key safe: whoever has it can sign in as anybody whom the remote system matches by it. Delete the file\n\
         when the connection has it, or keep it where your other keys are.",
    );
    Ok(ExitCode::SUCCESS)
}

fn print_both(pair: &JwtKeyPair, output: &Output) -> Result<(), Failure> {
    let private_key = pair.private_key.reveal();
    if output.json {
        return output.json(&json!({ "certificate": pair.certificate, "private_key": private_key }));
    }
    output.line(pair.certificate.trim_end());
    output.line(private_key.trim_end());
    Ok(())
}

/// Removes a private key whose certificate could not be printed: without that it is worth nothing, and it would be in the
/// way of the next.
fn forget_if_cut(path: &Path, output: &Output) -> Result<(), Failure> {
    if !output.is_cut() {
        return Ok(());
    }
    let what = match std::fs::remove_file(path) {
        Ok(()) => "was not kept either".to_owned(),
        Err(error) => format!("is in {}, and cannot be removed: {error}", path.display()),
    };
    Err(Failure::jackfield(format!("the certificate could not be printed, and the private key {what}"))
        .remedy("let the output go where it can be written, and make another pair"))
}

/// Writes the private key where nobody else can read it, and where nothing was.
fn keep(path: &Path, pair: &JwtKeyPair) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::you(format!("the private key cannot be written to {}: {error}", path.display()))
            .remedy("name another file with --private-key, or print it with --stdout")
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(failed)?;
    file.write_all(pair.private_key.reveal().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
