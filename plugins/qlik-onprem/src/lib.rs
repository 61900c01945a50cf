//! Jackfield's connector for Qlik Sense Enterprise on Windows.
//!
//! | file | what |
//! |---|---|
//! | `settings` | what the operator fills in, and the help beside it |
//! | `client` | the remote system: its paths, the certificate and the identity, errors, pages, virtual proxies |
//! | `test` | the five checks, from *Server reachable* to *Virtual proxy ready* |
//! | `refresh` | the catalog: apps, streams, tasks, users, roles and the rest of the site |
//! | `rotate` | the credentials and how they are renewed |
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

struct QlikOnprem;

impl Connector for QlikOnprem {
    type Settings = Settings;

    fn describe() -> Description {
        let name = "Qlik Sense Enterprise on Windows";
        let described = Description::of::<Settings>("qlik-onprem", name, env!("CARGO_PKG_VERSION"))
            .summary("A Qlik Sense Enterprise on Windows site, by a client certificate.")
            .help(settings::HELP)
            .refresh_word("Sync apps")
            .remains(settings::REMAINS)
            .default_cap(4);
        rotate::credentials(test::checks(refresh::objects(described))).build()
    }

    async fn test(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
        test::run(context, checks).await
    }

    async fn refresh(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
        refresh::run(context).await
    }
}

export!(QlikOnprem, id: "qlik-onprem", name: "Qlik Sense Enterprise on Windows");
