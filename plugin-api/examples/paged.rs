//! A connector for Shelf, a made-up system with an ordinary paged REST API.
//!
//! | call | for |
//! |---|---|
//! | `GET /api/v1/me` | whose token it is |
//! | `GET /api/v1/items?limit=…` | the items, page by page; `next` leads to the next page |
//! | `GET /api/v1/users?limit=…` | the users, likewise; needs a right that not every token has |

use jackfield_plugin::{
    Blame, Checks, Connector, Context, Description, Failure, Object, Origin, Request, Response, Secret,
    contract::{Stage, description::RotationMode, hooks::RefreshReport, http::Place, run::Level},
    schemars::{self, JsonSchema},
    sdk::link::path_of,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

jackfield_plugin::export!(Shelf, id: "paged", name: "Shelf");

/// The connector.
pub struct Shelf;

/// What the operator fills in; the descriptions and titles are those of the form.
#[derive(Deserialize, JsonSchema)]
pub struct Settings {
    /// Where Shelf answers.
    #[schemars(title = "Server", extend("x-placeholder" = "https://shelf.example.com"))]
    server: Origin,
    /// A token that may read items. The user list is shown if it may read users, too.
    #[schemars(title = "API token", extend("x-credential" = "token"))]
    token: Secret,
    /// How many rows to ask for at once.
    #[serde(default = "default_page_size")]
    #[schemars(title = "Page size", range(min = 1, max = 1000))]
    page_size: u16,
}

fn default_page_size() -> u16 {
    100
}

impl Connector for Shelf {
    type Settings = Settings;

    fn describe() -> Description {
        let uses = [("token", Place::Bearer, "/api/v1/*")];
        Description::of::<Settings>("paged", "Shelf", env!("CARGO_PKG_VERSION"))
            .summary("Items and users of a Shelf server.")
            .help("In Shelf, open Profile → API tokens, and make one with the right \"items:read\".")
            .object("item", "item", "items")
            .object("user", "user", "users")
            .check("Server reachable", "The server answers, and what answers is Shelf")
            .check("Authentication", "The server accepts the token")
            .credential("token", "API token", RotationMode::Supplied, uses)
            .build()
    }

    async fn test(context: &Context<Settings>, checks: &mut Checks) -> Result<(), Failure> {
        let me = match ask(context, Request::get("server", "/api/v1/me"), "its owner").await {
            Ok(answer) => answer.json::<User>(),
            Err(failure) if failure.blame == Blame::Credential => {
                checks.pass("Server reachable", "it answered");
                checks.fail("Authentication", failure);
                return Ok(());
            }
            Err(failure) => Err(failure),
        };
        let name = me.as_ref().map(|me| me.name.clone()).unwrap_or_default();
        if checks.result("Server reachable", me.map(|_| "it is Shelf")) {
            checks.pass("Authentication", format!("as {name}"));
        }
        Ok(())
    }

    async fn refresh(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
        let items = list(context, "item", "/api/v1/items", Item::object).await?;
        let users = match list(context, "user", "/api/v1/users", User::object).await {
            Err(failure) if failure.stage == Some(Stage::Permission) => {
                // Not being shown the users does not mean that there are none: the last ones stay.
                context.log(Level::Warning, format!("the users are kept as they were: {failure}")).await?;
                context.catalog().kept("user", failure.message).await?;
                0
            }
            other => other?,
        };
        Ok(RefreshReport { summary: format!("{items} items, {users} users") })
    }
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    total: Option<u64>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    name: String,
    updated_at: Option<String>,
    owner: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Item {
    fn object(self) -> Result<Object, Failure> {
        Object::new(self.id, self.name)
            .modified(self.updated_at)
            .link("owner", "user", self.owner)
            .attributes(&self.rest)
    }
}

#[derive(Deserialize)]
struct User {
    id: String,
    name: String,
}

impl User {
    fn object(self) -> Result<Object, Failure> {
        Ok(Object::new(self.id, self.name))
    }
}

/// Puts a whole list into the catalog, page by page.
async fn list<T: DeserializeOwned + Send>(
    context: &Context<Settings>,
    kind: &str,
    path: &str,
    object: fn(T) -> Result<Object, Failure>,
) -> Result<u64, Failure> {
    let settings = context.settings();
    let mut count = 0;
    let mut next = Some(format!("{path}?limit={}", settings.page_size));
    while let Some(path) = next {
        let answer = ask(context, Request::get("server", path.as_str()).list(), kind).await?;
        let page: Page<T> = answer.json()?;
        let objects = page.data.into_iter().map(object).collect::<Result<Vec<_>, _>>()?;
        count += objects.len() as u64;
        context.catalog().put(kind, objects, answer.exchange()).await?;
        context.progress(kind, count, page.total).await?;
        next = page.next.map(|link| path_of(&link, [settings.server.authority()])).transpose()?;
        if next.as_ref() == Some(&path) {
            return Err(Failure::remote(format!("the page after {path} is the same page again")));
        }
    }
    context.catalog().complete(kind).await?;
    Ok(count)
}

/// Asks with the token, and says in plain words what the server would not do.
async fn ask(context: &Context<Settings>, request: Request, what: &str) -> Result<Response, Failure> {
    let answer = context.http().send(&request.bearer(&context.settings().token)).await?;
    let refused = match answer.status() {
        200..300 => return Ok(answer),
        401 => Failure::credential("Shelf does not accept the API token")
            .field("token")
            .remedy("make a new token in Shelf under Profile → API tokens"),
        403 => Failure::credential(format!("the API token may not read {what}"))
            .at(Stage::Permission)
            .remedy("give it the right in Shelf under Profile → API tokens"),
        status => Failure::remote(format!("Shelf answered with status {status}")),
    };
    Err(refused.status(answer.status()))
}
