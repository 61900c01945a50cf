//! What the site says of itself: versions, health, and what its API looks like.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::qlik_onprem::call::{Call, json, member, ok, one, scalar};
use crate::qlik_onprem::entities::{ENTITIES, ENUMS};
use crate::qlik_onprem::gate::kind;
use crate::qlik_onprem::problem::{Answer, Problem};
use crate::qlik_onprem::routes::answer;
use crate::qlik_onprem::world::World;
use crate::qlik_onprem::writes;

const EXPORTED: &str = r"C:\ProgramData\Qlik\Sense\Repository\Exported Certificates";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/qrs/about", get(about))
        .route("/qrs/about/api/enums", get(enums))
        .route("/qrs/about/api/relations", get(relations))
        .route("/qrs/about/api/description", get(description))
        .route("/qrs/about/api/default/{entity}", get(default))
        .route("/qrs/about/openapi", get(async || ok(json!(["main"]))))
        .route("/qrs/health", get(async || scalar(StatusCode::OK, "Service is healthy")))
        .route("/qrs/ssl/ping", get(async || scalar(StatusCode::OK, "Ping successful")))
        .route("/qrs/systeminfo/full", get(system))
        .route("/qrs/certificatedistribution/exportcertificates", post(export))
        .route("/qrs/certificatedistribution/exportcertificatespath", get(exported))
        .route("/engine/healthcheck", get(engine))
        .route("/v1/systeminfo", get(release))
        .route("/", get(page))
        .route("/hub", get(page))
        .route("/qmc", get(page))
}

async fn about(_: Call) -> Response {
    ok(json!({
        "buildVersion": "38.22.0.0", "buildDate": "9/20/2013 10:09:00 AM",
        "databaseProvider": "Devart.Data.PostgreSql", "nodeType": 1, "sharedPersistence": true,
        "requiresBootstrap": false, "singleNodeOnly": false, "schemaPath": "About",
    }))
}

async fn enums(_: Call) -> Response {
    let one = |(at, (usages, values)): (usize, &(&[&str], &[&str]))| {
        let name = usages[0].replace('.', "");
        let values: Vec<String> =
            values.iter().enumerate().map(|(number, value)| format!("{number}: {value}")).collect();
        (format!("{name}{at}"), json!({"values": values, "usages": usages}))
    };
    ok(Value::Object(ENUMS.iter().enumerate().map(one).collect::<Map<_, _>>()))
}

/// Which members are rows of another type.
async fn relations(_: Call) -> Response {
    let relations = [
        "App.owner > UserCondensed",
        "App.stream > StreamCondensed",
        "App.tags > TagCondensed",
        "App.customProperties > CustomPropertyValue",
        "Stream.owner > UserCondensed",
        "ReloadTask.app > AppCondensed",
        "ReloadTask.operational > ReloadTaskOperational",
        "VirtualProxyConfig.loadBalancingServerNodes > ServerNodeConfigurationCondensed",
        "ProxyService.settings > ProxyServiceSettings",
        "ProxyServiceSettings.virtualProxies > VirtualProxyConfigCondensed",
    ];
    ok(json!(relations))
}

async fn description(_: Call) -> Response {
    let mut lines = BTreeSet::new();
    for entity in ENTITIES {
        for (method, tail) in
            [("GET", ""), ("GET", "/full"), ("GET", "/count"), ("GET", "/{id}"), ("PUT", "/{id}")]
        {
            lines.insert(format!("{method} /qrs/{}{tail}", entity.path));
        }
        if entity.open {
            lines.insert(format!("POST /qrs/{}", entity.path));
            lines.insert(format!("DELETE /qrs/{}/{{id}}", entity.path));
        }
    }
    ok(json!(lines))
}

async fn default(call: Call, Path(entity): Path<String>) -> Response {
    answer(kind(&entity).map(|kind| one(StatusCode::OK, &writes::blank(&call.world, kind))))
}

async fn system(_: Call) -> Response {
    ok(
        json!([{"seedDataVersion": 119, "productVersion": "14.97.8", "defaultAppVersion": "1.0", "schemaPath": "SystemInfo"}]),
    )
}

/// Writes files on the server's own disk, where nobody reads them from here; the answer says where.
async fn export(call: Call, body: Bytes) -> Response {
    let export = || -> Answer {
        if !call.caller.is_root() {
            return Err(Problem::forbidden());
        }
        let body = json(&body)?;
        let names = member(&body, "machineNames").as_array().is_some_and(|names| !names.is_empty());
        let format = member(&body, "exportFormat");
        let known = match format {
            Value::Null => true,
            Value::Number(number) => matches!(number.as_i64(), Some(0 | 1)),
            Value::String(name) => ["windows", "pem"].contains(&name.to_ascii_lowercase().as_str()),
            _ => false,
        };
        if !names || !known {
            return Err(Problem::invalid("Invalid machineNames or exportFormat"));
        }
        Ok(scalar(StatusCode::CREATED, EXPORTED))
    };
    answer(export())
}

async fn exported(_: Call) -> Response {
    scalar(StatusCode::OK, EXPORTED)
}

async fn engine() -> Response {
    ok(json!({
        "version": "12.1477.0", "started": "20261101T080000.000Z",
        "mem": {"committed": 345.5, "allocated": 1024.25, "free": 30_000.5}, "cpu": {"total": 3},
        "session": {"active": 0, "total": 0},
        "apps": {"active_docs": [], "loaded_docs": [], "in_memory_docs": [], "calls": 0, "selections": 0},
        "users": {"active": 0, "total": 0},
        "cache": {"hits": 0, "lookups": 0, "added": 0, "replaced": 0, "bytes_added": 0}, "saturated": false,
    }))
}

async fn release() -> Response {
    ok(json!({
        "productName": "Qlik Sense", "deploymentType": "QlikSenseServer", "version": "14.97.8",
        "releaseLabel": "November 2022 Patch 2",
    }))
}

/// A page for people, for whoever is signed in.
async fn page(State(_): State<Arc<World>>, _: Call) -> Response {
    axum::response::Html("<!DOCTYPE html><title>Qlik Sense</title><p>Hub</p>").into_response()
}
