//! A small client: a base URL, a bearer and a way to read a list to its end.

use std::time::Duration;

use jackfield_simulators::qlik_cloud::{ClientCredentials, Config, Limits, Population, Simulator};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// A client with a bearer token.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) bearer: String,
}

/// A tenant without limits whose sizes follow from the number of apps.
pub(crate) async fn tenant(apps: u64) -> Simulator {
    let config = Config { population: Population::of(apps), limits: Limits::off(), ..Config::default() };
    Simulator::start(config).await.unwrap()
}

/// Follows no redirect and trusts the simulator's authority.
pub(crate) fn http(ca_pem: &str) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if !ca_pem.is_empty() {
        builder = builder.tls_certs_only([reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap()]);
    }
    builder.build().unwrap()
}

impl Client {
    /// With a token.
    pub(crate) fn new(simulator: &Simulator, bearer: &str) -> Self {
        let base = simulator.base_url().to_owned();
        Self { http: http(simulator.ca_pem()), base, bearer: bearer.to_owned() }
    }

    /// With an API key of a generated user.
    pub(crate) fn of_user(simulator: &Simulator, index: u64) -> Self {
        let key = simulator.create_api_key(&simulator.user_id(index), Duration::from_secs(3600)).unwrap();
        Self::new(simulator, &key.token)
    }

    /// With an access token of an OAuth client.
    pub(crate) async fn of_machine(simulator: &Simulator, credentials: &ClientCredentials) -> Self {
        let (status, body) = token(simulator, credentials).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        Self::new(simulator, body["access_token"].as_str().unwrap())
    }

    /// Sends a request.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method, url).bearer_auth(&self.bearer);
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

    /// Reads a list to its end and gives its rows and the last `links`.
    pub(crate) async fn all(&self, path: &str) -> (Vec<Value>, Value) {
        let (mut rows, mut next) = (Vec::new(), path.to_owned());
        loop {
            let (status, mut body) = self.get(&next).await;
            assert_eq!(status, StatusCode::OK, "{next}: {body}");
            rows.append(body["data"].as_array_mut().unwrap());
            match body["links"]["next"]["href"].as_str().filter(|href| !href.is_empty()) {
                Some(href) => next = href.to_owned(),
                None => return (rows, body["links"].take()),
            }
        }
    }
}

/// Status and body.
pub(crate) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Asks for a token as Qlik's documentation does.
pub(crate) async fn token(simulator: &Simulator, credentials: &ClientCredentials) -> (StatusCode, Value) {
    let body = json!({
        "client_id": credentials.client_id, "client_secret": credentials.client_secret,
        "grant_type": "client_credentials",
    });
    let request = http(simulator.ca_pem()).post(format!("{}/oauth/token", simulator.base_url()));
    read(request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap())
        .await
}
