//! Jackfield's connector for Qlik Cloud tenants.
//!
//! | file | what |
//! |---|---|
//! | `settings` | what the operator fills in, and the help beside it |
//! | `client` | the remote system: its paths, sign-in, errors, paging, and which right each list needs |
//! | `test` | the checks *Server reachable* and *Authentication* |
//! | `refresh` | the catalog: apps, spaces and whatever else the caller may read |
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
    Checks, Connector, Context, Description, Failure,
    contract::hooks::{Expiry, RefreshReport, Staged, Swept},
    export,
};
use settings::Settings;

struct QlikCloud;

impl Connector for QlikCloud {
    type Settings = Settings;

    fn describe() -> Description {
        let described = Description::of::<Settings>("qlik-cloud", "Qlik Cloud", env!("CARGO_PKG_VERSION"))
            .summary("A Qlik Cloud tenant, by an OAuth machine-to-machine client, as any of its users, or by an API key.")
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

    async fn expiry(context: &Context<Settings>) -> Result<Expiry, Failure> {
        rotate::expiry(context).await
    }

    async fn stage(context: &Context<Settings>) -> Result<Staged, Failure> {
        rotate::stage(context).await
    }

    async fn retire(context: &Context<Settings>) -> Result<(), Failure> {
        rotate::retire(context).await
    }

    async fn sweep(context: &Context<Settings>) -> Result<Swept, Failure> {
        rotate::sweep(context).await
    }
}

export!(QlikCloud, id: "qlik-cloud", name: "Qlik Cloud");
