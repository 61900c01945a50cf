//! Jackfield's connector for Qalyptus Server.
//!
//! | file | what |
//! |---|---|
//! | `settings` | what the operator fills in, and the help beside it |
//! | `client`, `map.json` | the endpoint map: every path and column of the remote API, each with its evidence |
//! | `test` | the checks *Server reachable*, *Qalyptus API* and *Authentication* |
//! | `refresh` | the kinds of object that are listed |
//! | `rotate` | the API key, and how it is renewed |
//!
//! What it shares with Qalyptus Cloud (asking by the map, the refresh, the key) is the library `jackfield-qalyptus`.
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

struct QalyptusServer;

impl Connector for QalyptusServer {
    type Settings = Settings;

    fn describe() -> Description {
        let described = Description::of::<Settings>(PRODUCT.id, PRODUCT.name, env!("CARGO_PKG_VERSION"))
            .summary("A Qalyptus Server, by an API key.")
            .help(settings::HELP)
            .source()
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

export!(QalyptusServer, id: "qalyptus-server", name: "Qalyptus Server");
