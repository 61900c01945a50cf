//! API keys: making them, signing them, and durations as the API writes them.

use crate::kit::clock;
use crate::qlik_cloud::data::ids;
use crate::qlik_cloud::directory::ApiKey;
use crate::qlik_cloud::tokens::{API_KEYS, Claims};
use crate::qlik_cloud::world::World;

/// Seconds of an ISO 8601 duration; a day is 24 hours.
pub(crate) fn seconds(duration: &str) -> Option<i64> {
    let span: jiff::Span = duration.parse().ok()?;
    let total = span.total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours())).ok()?;
    Some(total as i64)
}

/// A new key.
pub(crate) fn make(sub: &str, sub_type: &str, description: &str, expires: i64, created_by: &str) -> ApiKey {
    let now = clock::now_ms();
    ApiKey {
        id: ids::random_hex(32),
        sub: sub.to_owned(),
        sub_type: sub_type.to_owned(),
        description: description.to_owned(),
        expires,
        revoked: false,
        created_by: created_by.to_owned(),
        created: now,
        updated: now,
    }
}

/// The key as its holder has it: a signed JWT.
pub(crate) fn token(world: &World, key: &ApiKey) -> jsonwebtoken::errors::Result<String> {
    world.signer.sign(&Claims {
        iss: API_KEYS.to_owned(),
        aud: "qlik.api".to_owned(),
        sub: key.sub.clone(),
        sub_type: key.sub_type.clone(),
        tenant_id: world.tenant_id.clone(),
        jti: key.id.clone(),
        iat: key.created / 1000,
        exp: key.expires,
        client_id: None,
        scope: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(seconds("PT24H"), Some(86_400));
        assert_eq!(seconds("P7D"), Some(604_800));
        assert_eq!(seconds("P365D"), Some(31_536_000));
        assert_eq!(seconds("tomorrow"), None);
    }
}
