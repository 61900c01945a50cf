//! A small client: a base URL, a bearer and a way to read a list to its end.

use std::sync::OnceLock;

use jackfield_simulators::nprinting::{Config, JwtPair, Simulator, Tls};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// One pair for all tests: RSA keys take their time.
pub(crate) fn pair() -> &'static JwtPair {
    static PAIR: OnceLock<JwtPair> = OnceLock::new();
    PAIR.get_or_init(|| JwtPair::generate().unwrap())
}

/// A server over plain HTTP that knows the pair's certificate.
pub(crate) async fn server(config: Config) -> Simulator {
    let simulator = Simulator::start(Config { tls: Tls::Off, ..config }).await.unwrap();
    simulator.register_jwt_certificate(&pair().certificate_pem).unwrap();
    simulator
}

/// Follows no redirect, keeps no cookies and trusts the given authority only.
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

    /// With a token.
    pub(crate) fn bearing(simulator: &Simulator, token: &str) -> Self {
        Self::new(simulator, vec![("authorization", format!("Bearer {token}"))])
    }

    /// With a token that has these claims.
    pub(crate) fn claiming(simulator: &Simulator, claims: &Value) -> Self {
        Self::bearing(simulator, &pair().token(claims).unwrap())
    }

    /// With a token of a generated user.
    pub(crate) fn of_user(simulator: &Simulator, index: u64) -> Self {
        Self::claiming(simulator, &json!({"email": simulator.user_email(index)}))
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

    /// Reads a list to its end.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let glue = if path.contains('?') { '&' } else { '?' };
        loop {
            let (status, mut body) = self.get(&format!("{path}{glue}limit=37&offset={}", rows.len())).await;
            assert_eq!(status, StatusCode::OK, "{path}: {body}");
            let page = body["data"]["items"].as_array_mut().unwrap();
            let empty = page.is_empty();
            rows.append(page);
            if empty || rows.len() as u64 >= body["data"]["totalItems"].as_u64().unwrap() {
                return rows;
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
