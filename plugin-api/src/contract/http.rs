//! HTTP: the plugin says what to ask; the host decides whether it may, fills the secrets in, and asks.

use super::{Call, secrets::SecretRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One HTTP exchange. The answer is given for every status; only what never became an answer is a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The method, in capitals.
    pub method: String,
    /// Where to.
    pub target: Target,
    /// Query parameters, not yet encoded; added to those that the path has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// Headers without secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body, in which slots may be filled.
    #[serde(default)]
    pub body: Body,
    /// Which secret goes where. The host fills them after it has checked the destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<Slot>,
    /// What of the answer is kept as a handle instead of being shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<Capture>,
    /// Name of the cookie jar to use, if any. Cookies of the answer go there and are never shown. Every origin has its own jar
    /// of the name, so none goes to another origin, by a redirect neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jar: Option<String>,
    /// Whether it may be repeated when it is not known if it arrived. By the method if absent: GET, HEAD and OPTIONS may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeatable: Option<bool>,
    /// Answers after which a repeatable request is tried again; 429, 502, 503 and 504 if absent. After a 429 every request
    /// is repeated, because the remote system says that it did nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_on: Option<Vec<u16>>,
    /// The answer is a list, whose rows the plugin will report with the objects it puts.
    #[serde(default)]
    pub list: bool,
    /// Within [`STAGE`](super::hooks::STAGE), a name for what this request changes, unique within the hook. Its answer is stored
    /// before anybody sees it, and if the hook has to run again, that answer is given again and nothing is sent. A request that
    /// changes something there must have one; it is never repeated by itself. Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Time for the whole exchange, in milliseconds; the host's default if absent, its maximum if greater.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
}

impl Call for HttpRequest {
    const NAME: &'static str = "http.send";
    type Answer = HttpResponse;
}

/// Where a request goes. Either way the host checks it against the origins that the operator's settings allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Target {
    /// A path on the origin in a settings field (or of a fixed host, by its name).
    Path {
        /// The settings field that is the origin.
        origin: String,
        /// Path and query, beginning with `/`.
        path: String,
    },
    /// A whole URL, as remote systems give them for the next page.
    Url {
        /// The URL.
        url: String,
    },
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// JSON.
    Json(Value),
    /// A form: `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// Bytes of a stated type.
    Bytes {
        /// The `Content-Type`.
        content_type: String,
        /// The bytes.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
}

/// A secret and its place in the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Which secret.
    pub secret: SecretRef,
    /// Where it goes.
    pub place: Place,
}

/// Where in a request a secret can go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// The password of HTTP Basic; the user name is not secret and stands in the slot of the request, not in the
    /// description (an empty one in a description allows any).
    Basic {
        /// The user name.
        #[serde(default)]
        user: String,
    },
    /// A header of its own.
    Header {
        /// The header's name.
        name: String,
    },
    /// A field of a form body.
    Form {
        /// The field's name.
        field: String,
    },
    /// A member of a JSON body.
    Json {
        /// JSON pointer, such as `/client_secret`.
        pointer: String,
    },
    /// The client certificate of the TLS connection, PEM: certificate chain and private key.
    TlsIdentity,
    /// None: the secret is a private key that signs JWTs inside the host. Only for descriptions; no request has such a place.
    Signature,
    /// A place that this side does not know yet; never allowed.
    #[serde(other)]
    Other,
}

/// Something in the answer that becomes a handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Where it stands.
    pub from: CaptureFrom,
    /// The handle's name, used as [`SecretRef::Captured`].
    pub name: String,
    /// Keep it across runs, as the session of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
}

/// Where in an answer a value to capture stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CaptureFrom {
    /// A string in a JSON body.
    Json {
        /// JSON pointer.
        pointer: String,
    },
    /// A header.
    Header {
        /// The header's name.
        name: String,
    },
    /// A cookie that the answer sets.
    Cookie {
        /// The cookie's name.
        name: String,
        /// Whether its value is percent-encoded and wanted decoded.
        #[serde(default)]
        percent_decode: bool,
    },
    /// A place that this side does not know yet.
    #[serde(other)]
    Other,
}

/// How long a captured value lives, and what may be known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The credential that it was got with; when that changes, the value is dropped.
    pub credential: String,
    /// JSON pointers to its life in seconds, or its end as RFC 3339; the first that is there counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expiry: Vec<String>,
    /// Its life in seconds if the answer does not say.
    pub default_seconds: u64,
    /// JSON pointers to public members of the answer that are remembered with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
}

/// The answer to an [`HttpRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Number of the exchange within the run.
    pub exchange: u64,
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case; never `set-cookie`.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed, with every known secret value replaced.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Names of the captures that found something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captured: Vec<String>,
}
