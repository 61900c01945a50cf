//! A connector for Almanac, a made-up system whose API uses every capability of contract 1.0 and every place for a secret.
//!
//! It is built from the frozen sources beside it, and stands for every plugin that a vendor built in those days.
//!
//! | call | for |
//! |---|---|
//! | `POST /token` | signing in: the token is captured and kept across runs |
//! | `GET /api/me` | whose token it is |
//! | `/api/try/*` | every other place for a secret, every body, every capture |
//! | `GET /api/items?limit=…` | the items, page by page; with `since=…` only what changed |
//! | `GET /api/users` | the users; needs a right that not every token has |

mod lists;
mod sign_in;
mod trying;

use jackfield_plugin::{
    Checks, Connector, Context, Description, Failure, Origin, Secret, Stage,
    contract::{
        description::RotationMode,
        hooks::{Purpose, RefreshReport},
        http::Place,
    },
    schemars::{self, JsonSchema},
};
use serde::Deserialize;

jackfield_plugin::export!(Almanac, id: "almanac", name: "Almanac");

/// The settings field with the address.
const SERVER: &str = "server";

/// The connector.
struct Almanac;

/// What the operator fills in.
#[derive(Deserialize, JsonSchema)]
struct Settings {
    /// Where Almanac answers.
    #[schemars(
        title = "Server",
        extend("x-origin" = { "schemes": ["https", "http"] }, "x-placeholder" = "https://almanac.example.com", "x-order" = 1)
    )]
    server: Origin,
    /// The secret of the client that signs in.
    #[schemars(title = "Client secret", extend("x-credential" = "client", "x-order" = 2))]
    client_secret: Secret,
    /// How the client is known.
    #[serde(default = "default_client")]
    #[schemars(title = "Client id", length(min = 1))]
    client_id: String,
    /// A second secret.
    #[schemars(title = "PIN", extend("x-credential" = "pin"))]
    pin: Secret,
    /// Signs what is to be signed; nothing is signed without it.
    #[serde(default)]
    #[schemars(title = "Private key", extend("x-credential" = "key", "x-widget" = "multiline"))]
    private_key: Option<Secret>,
    /// How rows are asked for.
    #[serde(default)]
    #[schemars(title = "Pages", extend("x-labels" = { "small": "Small pages", "large": "Large pages" }))]
    pages: Pages,
    /// How many rows make a large page.
    #[serde(default = "default_size")]
    #[schemars(title = "Page size", range(min = 1, max = 1000), extend("x-when" = { "pages": ["large"] }))]
    page_size: u16,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Pages {
    #[default]
    Small,
    Large,
}

fn default_client() -> String {
    "almanac".to_owned()
}

fn default_size() -> u16 {
    100
}

impl Connector for Almanac {
    type Settings = Settings;

    fn describe() -> Description {
        let pin = [
            ("pin", Place::Header { name: "x-pin".to_owned() }, "/api/*"),
            ("pin", Place::Basic { user: String::new() }, "/api/try/basic"),
            ("pin", Place::Json { pointer: "/who/pin".to_owned() }, "/api/try/json"),
        ];
        let client = [("client_secret", Place::Form { field: "client_secret".to_owned() }, "/token")];
        Description::of::<Settings>("almanac", "Almanac", env!("CARGO_PKG_VERSION"))
            .summary("Items and users of an Almanac, as it was in the days of contract 1.0.")
            .help("In Almanac, make a client and a PIN.\n\nGive both here.")
            .source()
            .target()
            .object("item", "item", "items")
            .object("user", "user", "users")
            .object("page", "page", "pages")
            .check("Server reachable", "The server answers, and what answers is Almanac")
            .check("Authentication", "The server accepts the client")
            .check("Everything else", "Every other way of asking works")
            .check("Writing", "Never tried: Almanac is read only")
            .refresh_word("Sync the almanac")
            .credential("client", "Client", RotationMode::Automatic, client)
            .credential("pin", "PIN", RotationMode::Supplied, pin)
            .credential("key", "Key", RotationMode::Assisted, [("private_key", Place::Signature, "*")])
            .host("weather", "https://weather.example.com", "it is in every almanac")
            .default_cap(2)
            .build()
    }

    async fn test(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
        if context.purpose() != Purpose::Interactive || !context.may_write() || context.subject().is_some() {
            return Err(Failure::plugin("a person's test is not announced as one"));
        }
        match sign_in::me(context).await {
            Err(failure) if failure.stage == Some(Stage::SignIn) => {
                checks.pass("Server reachable", "it answered");
                checks.fail("Authentication", failure);
                return Ok(());
            }
            me => {
                let told = me.map(|me| {
                    checks.pass("Authentication", format!("as {me}"));
                    format!("contract {}", context.contract())
                });
                if !checks.result("Server reachable", told) {
                    return Ok(());
                }
            }
        }
        checks.result("Everything else", trying::everything(context).await);
        checks.skip("Writing", "an almanac is printed once");
        Ok(())
    }

    async fn refresh(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
        lists::refresh(context).await
    }
}
