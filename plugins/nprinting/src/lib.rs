//! Jackfield's connector for Qlik NPrinting servers.
//!
//! | file | what |
//! |---|---|
//! | `settings` | what the operator fills in, and the help beside it |
//! | `client` | the remote system: its paths, the signed token, errors, pages, and who the caller is |
//! | `test` | the checks *Server reachable* and *Authentication* |
//! | `refresh` | the catalog: apps, connections, filters, reports, tasks, users, groups, roles, executions |
//! | `rotate` | the key pair and how it is renewed |
#![forbid(unsafe_code)]

mod client;
mod refresh;
mod rotate;
#[cfg(test)]
mod scenarios;
mod settings;
mod test;

use jackfield_plugin::{
    Checks, Connector, Context, Description, Failure, contract::hooks::RefreshReport, export,
};
use settings::Settings;

struct NPrinting;

impl Connector for NPrinting {
    type Settings = Settings;

    fn describe() -> Description {
        // Web Engine is a single service that shares its host with the making of reports.
        let described = Description::of::<Settings>("nprinting", "Qlik NPrinting", env!("CARGO_PKG_VERSION"))
            .summary("A Qlik NPrinting server, by tokens signed with a private key.")
            .help(settings::HELP)
            .source()
            .default_cap(2);
        rotate::credentials(test::checks(refresh::objects(described))).build()
    }

    async fn test(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
        test::run(context, checks).await
    }

    async fn refresh(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
        refresh::run(context).await
    }
}

export!(NPrinting, id: "nprinting", name: "Qlik NPrinting");
