//! The floor: fetches the apps page by page, reads what the connector reads of each, and stores it, as directly as a
//! program of a hundred lines can. The next page is fetched while the former is stored.

use super::remote::Tenant;
use reqwest::Client;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions, sqlite::SqliteJournalMode};
use std::{borrow::Cow, path::Path};

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Item<'a>>,
    #[serde(borrow)]
    links: Links<'a>,
}

#[derive(Deserialize)]
struct Links<'a> {
    #[serde(borrow)]
    next: Option<Link<'a>>,
}

#[derive(Deserialize)]
struct Link<'a> {
    #[serde(borrow)]
    href: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    resource_id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    space_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    owner_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resource_updated_at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    updated_at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_sub_type: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_reload_status: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_reload_end_time: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_size: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Attributes<'a> {
    item: &'a RawValue,
    description: Option<&'a RawValue>,
    sub_type: Option<&'a RawValue>,
    created: Option<&'a RawValue>,
    reload_status: Option<&'a RawValue>,
    reloaded: Option<&'a RawValue>,
    size: Option<&'a RawValue>,
}

type Row<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>, String);

/// Copies all apps of the tenant into a new database.
pub(crate) async fn run(tenant: &Tenant, database: &Path) {
    let mut store = open(database).await;
    let client = client(tenant);
    let token = sign_in(&client, tenant).await;
    let first = "/api/v1/items?resourceType=app&noActions=true&sort=%2BcreatedAt&limit=100";
    let mut body = fetch(&client, &token, &format!("{}{first}", tenant.base_url)).await;
    let mut transaction = store.begin().await.expect("a transaction can begin");
    loop {
        let page: Page<'_> = serde_json::from_slice(&body).expect("a page");
        let rows = serde_json::to_string(&page.data.iter().map(row).collect::<Vec<_>>()).expect("rows");
        let insert = sqlx::query(
            "INSERT INTO apps SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
             FROM json_each($1)",
        );
        let insert = insert.bind(rows).execute(&mut *transaction);
        let Some(next) = page.links.next.and_then(|next| next.href).filter(|href| !href.is_empty()) else {
            insert.await.expect("rows can be stored");
            break;
        };
        let (stored, next) = tokio::join!(insert, fetch(&client, &token, &next));
        stored.expect("rows can be stored");
        body = next;
    }
    transaction.commit().await.expect("the transaction can end");
    store.close().await.expect("the database can be closed");
}

fn row<'a>(item: &'a Item<'_>) -> Row<'a> {
    let attributes = Attributes {
        item: item.id,
        description: item.description,
        sub_type: item.resource_sub_type,
        created: item.resource_created_at,
        reload_status: item.resource_reload_status,
        reloaded: item.resource_reload_end_time,
        size: item.resource_size,
    };
    let modified = item.resource_updated_at.as_deref().max(item.updated_at.as_deref());
    let attributes = serde_json::to_string(&attributes).expect("raw values have a JSON form");
    (&item.resource_id, &item.name, item.space_id.as_deref(), item.owner_id.as_deref(), modified, attributes)
}

/// A new database with a table of apps.
pub(crate) async fn open(database: &Path) -> SqliteConnection {
    let _ = std::fs::remove_file(database);
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let mut store = SqliteConnection::connect_with(&options).await.expect("a database can be made");
    let table =
        "CREATE TABLE apps (id TEXT, name TEXT, space TEXT, owner TEXT, modified TEXT, attributes TEXT)";
    sqlx::query(table).execute(&mut store).await.expect("a table can be made");
    store
}

/// A client that trusts the tenant's authority and speaks HTTP/2, as ours does.
pub(crate) fn client(tenant: &Tenant) -> Client {
    // Another bench of this process may have done it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(tenant.ca_pem.as_bytes()).expect("a certificate");
    roots.add(authority).expect("a certificate of an authority");
    let mut tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder().no_proxy().tls_backend_preconfigured(tls).build().expect("a client can be built")
}

/// Gets a token.
pub(crate) async fn sign_in(client: &Client, tenant: &Tenant) -> String {
    let body = serde_json::json!({
        "client_id": tenant.client_id, "client_secret": tenant.client_secret, "grant_type": "client_credentials",
    });
    let request = client.post(format!("{}/oauth/token", tenant.base_url));
    let request = request.header("content-type", "application/json").body(body.to_string());
    let answer = request.send().await.expect("an answer").bytes().await.expect("a body");
    let answer: serde_json::Value = serde_json::from_slice(&answer).expect("a token's answer");
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// Fetches something.
pub(crate) async fn fetch(client: &Client, token: &str, url: &str) -> Vec<u8> {
    let request = client.get(url).bearer_auth(token).header("accept", "application/json");
    let response = request.send().await.expect("an answer").error_for_status().expect("a good answer");
    response.bytes().await.expect("a body").into()
}
