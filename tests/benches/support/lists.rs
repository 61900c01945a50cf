//! Floors of other systems: their lists, fetched and read as directly as a short program can, and stored row by row.

use super::floor::open;
use futures_util::{StreamExt, stream};
use reqwest::{Client, RequestBuilder};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use sqlx::{Connection, SqliteConnection};
use std::path::Path;

/// How many requests are under way at once where lists belong to rows of another: as many as a connection has by default.
const AT_ONCE: usize = 4;
/// A key of 16 characters, as the repository wants.
const XRFKEY: &str = "abcdefghijklmnop";

#[derive(Deserialize)]
struct Table<'a> {
    #[serde(borrow)]
    rows: Vec<Vec<&'a RawValue>>,
}

/// Copies the apps of a site: a table, whose next page is fetched while the former is stored.
pub(crate) async fn site(
    repository: &str,
    ca: &str,
    certificate: &str,
    (directory, user): &(String, String),
    database: &Path,
) {
    let client = client(ca, Some(certificate));
    let mut store = open(database).await;
    let columns = [
        "id",
        "name",
        "createdDate",
        "modifiedDate",
        "owner.id",
        "stream.id",
        "description",
        "stream.name",
        "published",
        "publishTime",
        "lastReloadTime",
        "fileSize",
        "savedInProductVersion",
        "availabilityStatus",
    ];
    let columns: Vec<_> = columns
        .iter()
        .map(|path| json!({ "name": path, "columnType": "Property", "definition": path }))
        .collect();
    let body = json!({ "entity": "App", "columns": columns }).to_string();
    let page = |skip: usize| {
        let place = "sortcolumn=id&orderascending=true";
        let url = format!("{repository}/qrs/app/table?xrfkey={XRFKEY}&skip={skip}&take=500&{place}");
        let request = client.post(url).header("x-qlik-xrfkey", XRFKEY);
        let request = request.header("x-qlik-user", format!("UserDirectory={directory}; UserId={user}"));
        fetch(request.header("content-type", "application/json").body(body.clone()))
    };
    let mut transaction = store.begin().await.expect("a transaction can begin");
    let (mut skip, mut answer) = (0, page(0).await);
    loop {
        let rows = serde_json::from_slice::<Table<'_>>(&answer).expect("a table").rows;
        if rows.is_empty() {
            break;
        }
        skip += rows.len();
        let rows = rows.iter().map(|row| (row[0], row[1], row));
        let rows = serde_json::to_string(&rows.collect::<Vec<_>>()).expect("rows");
        let (_, next) = tokio::join!(insert(&mut transaction, "app", rows), page(skip));
        answer = next;
    }
    transaction.commit().await.expect("the transaction can end");
    store.close().await.expect("the database can be closed");
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
}

/// Copies the lists of a tenant, and those of each of its reports and tasks.
pub(crate) async fn tenant(url: &str, ca: &str, key: &str, database: &Path) {
    let client = client(ca, None);
    let mut store = open(database).await;
    let mut transaction = store.begin().await.expect("a transaction can begin");
    let get = |path: String| {
        let request = client.get(format!("{url}/api/v1{path}")).bearer_auth(key);
        fetch(request.header("accept", "application/json"))
    };
    let lists =
        ["organizations", "projects", "connections", "filters", "users", "groups", "roles", "qlik-apps"];
    for list in lists {
        let answer = get(format!("/{list}")).await;
        insert(&mut transaction, list, rows(&answer)).await;
    }
    let (tasks, reports) = (get("/tasks".to_owned()).await, get("/reports".to_owned()).await);
    insert(&mut transaction, "tasks", rows(&tasks)).await;
    insert(&mut transaction, "reports", rows(&reports)).await;
    let of_tasks = ids(&tasks)
        .into_iter()
        .flat_map(|id| ["recipients", "reports", "triggers"].map(|list| format!("/tasks/{id}/{list}")));
    let of_reports = ids(&reports)
        .into_iter()
        .flat_map(|id| [format!("/filters/report/{id}"), format!("/reports/{id}/template-items")]);
    let paths: Vec<String> = of_tasks.chain(of_reports).collect();
    let mut answers = stream::iter(paths).map(get).buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        insert(&mut transaction, "child", rows(&answer)).await;
    }
    transaction.commit().await.expect("the transaction can end");
    store.close().await.expect("the database can be closed");
}

/// The rows of an answer as they are stored: an id, a name, everything.
fn rows(answer: &[u8]) -> String {
    let data = data(answer);
    let rows = data.iter().map(|row| (Named::of(row), "", row));
    serde_json::to_string(&rows.collect::<Vec<_>>()).expect("rows")
}

fn ids(answer: &[u8]) -> Vec<String> {
    data(answer).iter().map(|row| Named::of(row)).collect()
}

/// The rows of an answer; one that is no list is a row.
fn data(answer: &[u8]) -> Vec<&RawValue> {
    let data = serde_json::from_slice::<Data<'_>>(answer).expect("an answer").data;
    serde_json::from_str(data.get()).unwrap_or_else(|_| vec![data])
}

impl Named {
    fn of(row: &RawValue) -> String {
        serde_json::from_str::<Named>(row.get()).expect("a row is an object").id
    }
}

async fn insert(store: &mut SqliteConnection, kind: &str, rows: String) {
    let insert = sqlx::query(
        "INSERT INTO apps (space, id, name, attributes)
         SELECT $1, value ->> 0, value ->> 1, value -> 2 FROM json_each($2)",
    );
    insert.bind(kind).bind(rows).execute(store).await.expect("rows can be stored");
}

async fn fetch(request: RequestBuilder) -> Vec<u8> {
    let response = request.send().await.expect("an answer").error_for_status().expect("a good answer");
    response.bytes().await.expect("a body").into()
}

fn client(ca: &str, certificate: Option<&str>) -> Client {
    // Another bench of this process may have done it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("a certificate")).expect("an authority");
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots);
    let mut tls = match certificate {
        None => tls.with_no_client_auth(),
        Some(pem) => {
            let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>();
            let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("a key");
            tls.with_client_auth_cert(chain.expect("certificates"), key).expect("a client certificate")
        }
    };
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder().no_proxy().tls_backend_preconfigured(tls).build().expect("a client can be built")
}
