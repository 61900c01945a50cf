//! The modes that repeat what a server says, everywhere a plugin can: whatever the server echoes of a secret must have been
//! taken out before it comes here.

use super::{Asked, Level, leak, put};
use jackfield_plugin::{
    Failure, Object, Request, Secret,
    contract::{
        http::{Body, HttpRequest, HttpResponse, Place, Slot, Target},
        secrets::SecretRef,
    },
};
use serde_json::json;

/// Asks the server for what it has to say, and says it again. The ending is the mode's.
pub(super) async fn repeat(context: &Asked, mode: &str, refresh: bool) -> Result<String, Failure> {
    let mut all = String::new();
    for path in paths(context).await? {
        let said = ask(context, &path).await;
        say(context, &path, &said, refresh).await?;
        all.push_str(&said);
        all.push('\n');
    }
    match mode {
        "parrot_fail" => {
            Err(Failure::remote(all.as_str()).remedy(all.as_str()).reference(all.as_str()).field(all))
        }
        "parrot_panic" => panic!("{all}"),
        "parrot_kept" if refresh => context.catalog().kept("thing", all.clone()).await.map(|()| all),
        _ => Ok(all),
    }
}

/// What there is to be asked for: the server lists it, a path a line.
async fn paths(context: &Asked) -> Result<Vec<String>, Failure> {
    let list = context.http().send(&Request::get("server_url", "/paths")).await?;
    Ok(String::from_utf8_lossy(list.body()).lines().map(str::to_owned).collect())
}

/// Shows the secret as the path wants it, and yields everything that came back.
async fn ask(context: &Asked, path: &str) -> String {
    match context.host().call(&asking(&context.settings().token, path)).await {
        Ok(HttpResponse { status, headers, body, .. }) => {
            // As any connector does that reads JSON: what was escaped is not any more.
            let decoded = serde_json::from_slice::<serde_json::Value>(&body).map(|json| texts(&json));
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}; ")).collect();
            let body = String::from_utf8_lossy(&body);
            format!("{path} {status} {headers} {body} {}", decoded.unwrap_or_default())
        }
        Err(failure) => format!("{path} {failure:?}"),
    }
}

/// The texts of a JSON value, keys included.
fn texts(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(texts).collect(),
        serde_json::Value::Object(members) => {
            members.iter().map(|(key, value)| format!("{key} {}", texts(value))).collect()
        }
        other => other.to_string(),
    }
}

fn asking(token: &Secret, path: &str) -> HttpRequest {
    let (body, place) = match path.split('/').nth(1) {
        Some("json") => (Body::Json(json!({})), Place::Json { pointer: "/key".to_owned() }),
        Some("form") => (Body::Form(Vec::new()), Place::Form { field: "key".to_owned() }),
        _ => (Body::Empty, Place::Bearer),
    };
    HttpRequest {
        method: if body == Body::Empty { "GET" } else { "POST" }.to_owned(),
        target: Target::Path { origin: "server_url".to_owned(), path: path.to_owned() },
        body,
        slots: vec![Slot { secret: SecretRef::Setting(token.field().to_owned()), place }],
        jar: Some("jar".to_owned()),
        ..leak(token)
    }
}

async fn say(context: &Asked, path: &str, said: &str, refresh: bool) -> Result<(), Failure> {
    for level in [Level::Debug, Level::Info, Level::Warning, Level::Error] {
        context.log(level, said).await?;
    }
    println!("{said}");
    eprintln!("{said}");
    context.progress(said, 1, None).await?;
    context.set_state(&format!("said {path}"), &json!({ "text": said, said: 1 })).await?;
    if refresh {
        let one_line: String = said.chars().filter(|c| !c.is_control()).take(900).collect();
        let object = Object::new(&one_line, said)
            .parent(Some(&one_line))
            .modified(Some(said))
            .link(said, said, Some(&one_line))
            .attributes(&json!({ "text": said, said: said }))?;
        put(context, "thing", vec![object]).await?;
    }
    Ok(())
}
