//! A small client: a certificate, a user, the key against forged requests.

use jackfield_simulators::qlik_onprem::{Config, Simulator};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

/// A key of the right shape.
pub(crate) const KEY: &str = "abcdefghij012345";

/// A site.
pub(crate) async fn site() -> Simulator {
    Simulator::start(Config::default()).await.unwrap()
}

/// Trusts the site, shows a certificate or not, follows no redirect.
pub(crate) fn http(simulator: &Simulator, identity: bool) -> reqwest::Client {
    let certificate = simulator.client_certificate();
    let pem = format!("{}{}", certificate.certificate_pem, certificate.key_pem);
    http_as(simulator, identity.then_some(pem.as_str()))
}

/// Shows a certificate, if there is one (certificate and key, PEM).
pub(crate) fn http_as(simulator: &Simulator, identity: Option<&str>) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(simulator.root_pem().as_bytes()).unwrap();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([root])
        .tls_info(true);
    if let Some(pem) = identity {
        builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

/// A value in a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A client with headers of its own, at a port of the site.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Client {
    /// At the repository, as a user.
    pub(crate) fn named(simulator: &Simulator, directory: &str, id: &str) -> Self {
        let headers = vec![
            ("x-qlik-xrfkey", KEY.to_owned()),
            ("x-qlik-user", format!("UserDirectory={directory}; UserId={id}")),
        ];
        Self { http: http(simulator, true), base: simulator.repository_url().to_owned(), headers }
    }

    /// At the repository, as a generated user.
    pub(crate) fn of_user(simulator: &Simulator, index: u64) -> Self {
        let (directory, id) = simulator.user(index);
        Self::named(simulator, &directory, &id)
    }

    /// At the repository, as a RootAdmin.
    pub(crate) fn admin(simulator: &Simulator) -> Self {
        Self::of_user(simulator, 0)
    }

    /// At the proxy, with headers.
    pub(crate) fn outside(simulator: &Simulator, headers: &[(&'static str, String)]) -> Self {
        let mut all = vec![("x-qlik-xrfkey", KEY.to_owned())];
        all.extend_from_slice(headers);
        Self { http: http(simulator, false), base: simulator.proxy_url().to_owned(), headers: all }
    }

    /// Sends a request to a path below `/qrs/`, or to one that begins with a slash; the key is added.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<Response> {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/qrs/{path}") };
        let glue = if path.contains('?') { '&' } else { '?' };
        let mut request = self.http.request(method, format!("{}{path}{glue}Xrfkey={KEY}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request.send().await
    }

    /// Status and body of a request; a body that is no JSON is a text.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        read(self.send(method, path, body).await.unwrap()).await
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, None).await
    }

    /// Status of a GET.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.get(path).await.0.as_u16()
    }

    /// The rows of a list.
    pub(crate) async fn rows(&self, path: &str) -> Vec<Value> {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body.as_array().unwrap().clone()
    }

    /// The rows that a filter finds.
    pub(crate) async fn found(&self, entity: &str, filter: &str) -> Vec<Value> {
        self.rows(&format!("{entity}/full?filter={}", encoded(filter))).await
    }

    /// How many rows.
    pub(crate) async fn count(&self, path: &str) -> u64 {
        self.get(path).await.1["value"].as_u64().unwrap()
    }
}

/// Status and body; a body that is no JSON is a text.
pub(crate) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
