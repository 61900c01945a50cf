//! Jackfield's connector for Qalyptus Cloud.
//!
//! | file | what |
//! |---|---|
//! | `settings` | what the operator fills in, and the help beside it |
//! | `client`, `map.json` | the endpoint map: every path and column of the remote API, each with its evidence |
//! | `test` | the checks *Authentication* and *Qlik Sense connected* |
//! | `refresh` | the kinds of object that are listed |
//! | `rotate` | the API key, and how it is renewed |
//!
//! What it shares with Qalyptus Server (asking by the map, the refresh, the key) is the library `jackfield-qalyptus`.
#![forbid(unsafe_code)]

#[cfg(test)]
mod scenarios;

mod client;
mod refresh;
mod rotate;
mod settings;
mod test;

use client::PRODUCT;
use jackfield_plugin::{
    Checks, Connector, Context, Description, Failure, contract::hooks::RefreshReport, export,
};
use settings::Settings;

struct QalyptusCloud;

impl Connector for QalyptusCloud {
    type Settings = Settings;

    fn describe() -> Description {
        let described = Description::of::<Settings>(PRODUCT.id, PRODUCT.name, env!("CARGO_PKG_VERSION"))
            .summary("A Qalyptus Cloud tenant, by an API key.")
            .help(settings::HELP)
            .target();
        rotate::credentials(test::checks(refresh::objects(described))).build()
    }

    async fn test(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
        test::run(context, checks).await
    }

    async fn refresh(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
        refresh::run(context).await
    }
}

export!(QalyptusCloud, id: "qalyptus-cloud", name: "Qalyptus Cloud");
