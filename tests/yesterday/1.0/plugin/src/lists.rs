//! Refreshing: all items the first time, from then on what changed; the users if they are shown.

use crate::{Pages, SERVER, Settings, sign_in::ask};
use jackfield_plugin::{
    Context, Failure, Object, Request, Stage,
    contract::{hooks::RefreshReport, run::Level},
    sdk::{Row, link::path_of},
};
use serde::Deserialize;

type Asked = Context<Settings>;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Row<'a>>,
    total: Option<u64>,
    next: Option<String>,
    /// From where on to ask for changes the next time.
    mark: Option<u64>,
    #[serde(default)]
    deleted: Vec<String>,
}

pub(crate) async fn refresh(context: &Asked) -> Result<RefreshReport, Failure> {
    let (runs, mark): (Option<u64>, Option<u64>) =
        (context.state("runs").await?, context.state("mark").await?);
    let items = items(context, mark).await?;
    let users = match users(context).await {
        Err(failure) if failure.stage == Some(Stage::Permission) => {
            context.log(Level::Warning, format!("the users are kept as they were: {failure}")).await?;
            context.catalog().kept("user", failure.message).await?;
            0
        }
        other => other?,
    };
    let runs = runs.unwrap_or_default() + 1;
    context.set_state("runs", &runs).await?;
    Ok(RefreshReport { summary: format!("run {runs}: {items} items, {users} users") })
}

async fn items(context: &Asked, mark: Option<u64>) -> Result<u64, Failure> {
    let settings = context.settings();
    let limit = match settings.pages {
        Pages::Small => 2,
        Pages::Large => settings.page_size,
    };
    let since = mark.map(|mark| format!("&since={mark}")).unwrap_or_default();
    let mut next = Some(format!("/api/items?limit={limit}{since}"));
    let (mut count, mut deleted) = (0, Vec::new());
    while let Some(path) = next {
        let answer = ask(context, Request::get(SERVER, path.as_str()).list()).await?;
        let page: Page<'_> = answer.json()?;
        count += page.data.len() as u64;
        let objects: Result<_, _> = page.data.iter().map(item).collect();
        context.catalog().put("item", objects?, answer.exchange()).await?;
        context.progress("item", count, page.total).await?;
        deleted.extend(page.deleted);
        if let Some(mark) = page.mark {
            context.set_state("mark", &mark).await?;
        }
        next = page.next.map(|link| path_of(&link, [settings.server.authority()])).transpose()?;
    }
    match mark {
        Some(_) => context.catalog().delta("item", deleted).await?,
        None => context.catalog().complete("item").await?,
    }
    Ok(count)
}

fn item(row: &Row<'_>) -> Result<Object, Failure> {
    let id = row.text("id").ok_or_else(|| Failure::remote("an item without an id"))?;
    let object = Object::new(id, row.text("name").unwrap_or_default())
        .parent(row.text("shelf/id"))
        .modified(row.text("updated_at"))
        .link("owner", "user", row.text("owner"));
    Ok(Object { attributes: row.pick(&[("tags", "tags")]), ..object })
}

async fn users(context: &Asked) -> Result<u64, Failure> {
    let answer = ask(context, Request::get(SERVER, "/api/users").list()).await?;
    let page: Page<'_> = answer.json()?;
    let user =
        |row: &Row<'_>| Object::new(row.text("id").unwrap_or_default(), row.text("name").unwrap_or_default());
    let users: Vec<_> = page.data.iter().map(user).collect();
    let count = users.len() as u64;
    context.catalog().put("user", users, answer.exchange()).await?;
    context.catalog().complete("user").await?;
    Ok(count)
}
