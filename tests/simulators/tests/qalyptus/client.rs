//! A small client: a base URL and headers.

use jackfield_simulators::qalyptus::{Config, NewKey, Simulator, Switches, Tls};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

/// A system over plain HTTP.
pub(crate) async fn start(config: Config) -> Simulator {
    Simulator::start(Config { tls: Tls::Off, ..config }).await.unwrap()
}

/// Throws switches that are right.
pub(crate) fn switch(simulator: &Simulator, switches: Switches) {
    simulator.switch(switches).unwrap();
}

/// Follows no redirect and trusts the given authority only.
pub(crate) fn http(ca_pem: &str) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if !ca_pem.is_empty() {
        builder = builder.tls_certs_only([reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap()]);
    }
    builder.build().unwrap()
}

/// A client with headers of its own.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Client {
    /// With headers.
    pub(crate) fn new(simulator: &Simulator, headers: Vec<(&'static str, String)>) -> Self {
        let base = simulator.base_url().to_owned();
        Self { http: http(simulator.ca_pem()), base, headers }
    }

    /// With a key or a token.
    pub(crate) fn bearing(simulator: &Simulator, key: &str) -> Self {
        Self::new(simulator, vec![("authorization", format!("Bearer {key}"))])
    }

    /// With a key of a generated user: 0 administers, 1 develops, 2 uses.
    pub(crate) fn of_user(simulator: &Simulator, owner: u64) -> Self {
        let key = simulator.create_api_key(&NewKey { owner, ..NewKey::default() }).unwrap();
        Self::bearing(simulator, &key.key)
    }

    /// Sends a request to a path below `/api/v1/`, or to one that begins with a slash.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") };
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request.send().await.unwrap()
    }

    /// Status and body of a request.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        read(self.send(method, path, body).await).await
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, None).await
    }

    /// Status of a GET.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.get(path).await.0.as_u16()
    }

    /// The rows of a list that comes at once.
    pub(crate) async fn rows(&self, path: &str) -> Vec<Value> {
        let (status, mut body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body["data"].as_array_mut().map(std::mem::take).unwrap_or_else(|| panic!("{path}: {body}"))
    }
}

/// Status and body.
pub(crate) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}
