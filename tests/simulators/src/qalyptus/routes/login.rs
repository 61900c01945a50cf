//! Sign-in of the server product, as its vendor's client does it.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::kit::json::Json;
use crate::qalyptus::call::{Call, bytes};
use crate::qalyptus::config::{ErrorBody, ErrorDetails};
use crate::qalyptus::data::Kind;
use crate::qalyptus::problem::{Answer, Problem};
use crate::qalyptus::sessions::Pair;

/// `{"username", "password"}`; the message of a refusal stands in `status.message`, whatever other errors look like.
pub(crate) fn password(call: &Call) -> Answer {
    let world = &call.world;
    let body = call.object()?;
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let catalog = world.catalog();
    let found = text("username").strip_suffix("@example.com").and_then(|name| name.strip_prefix("user"));
    let user = found.and_then(|number| number.parse::<u64>().ok()).filter(|user| {
        catalog.exists(Kind::User, *user)
            && catalog.email(*user) == text("username")
            && !catalog.is_recipient(*user)
            && world.is_active(*user)
    });
    match user.filter(|_| text("password") == world.config.password) {
        Some(user) => Ok(tokens(&world.sessions().open(user))),
        None => {
            Ok(Problem::new(401, "Invalid username or password")
                .answer(ErrorBody::Status, ErrorDetails::Null))
        }
    }
}

fn tokens(pair: &Pair) -> Response {
    let mut out = Json::default();
    out.value(&json!({"data": {"token": pair.token, "refreshToken": pair.refresh}, "status": {"message": Value::Null}}));
    bytes(out)
}

/// The exchange itself is not there.
pub(crate) fn windows() -> Answer {
    let challenge = |name| (header::WWW_AUTHENTICATE, HeaderValue::from_static(name));
    let ((negotiate, first), (ntlm, second)) = (challenge("Negotiate"), challenge("NTLM"));
    Err(Problem::unauthorized().header(negotiate, first).header(ntlm, second))
}

pub(crate) fn refresh(call: &Call) -> Answer {
    let refresh = call.query.get("refreshToken").unwrap_or_default();
    let pair = call.world.sessions().renew(refresh);
    Ok(tokens(&pair.ok_or_else(Problem::unauthorized)?))
}
