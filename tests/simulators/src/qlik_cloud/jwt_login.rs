//! Signing in with a token of an identity provider: what is checked of it, and whom it stands for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use crate::kit::clock;
use crate::qlik_cloud::data::ids;
use crate::qlik_cloud::directory::Person;
use crate::qlik_cloud::identity::TokenKey;
use crate::qlik_cloud::problem::{Problem, Style};
use crate::qlik_cloud::sign_in::KnownEmail;
use crate::qlik_cloud::world::World;

/// The audience of such a token.
const AUDIENCE: &str = "qlik.api/login/jwt-session";
/// In the order in which they are missed.
const CLAIMS: [&str; 11] =
    ["iss", "aud", "sub", "subType", "name", "email", "email_verified", "jti", "iat", "nbf", "exp"];
/// Seconds from `nbf` to `exp`.
const LONGEST: i64 = 3600;

fn refused() -> Problem {
    Problem::unauthorized().style(Style::TextStatus)
}

/// A problem with a claim, as it was seen in a real tenant.
fn invalid(what: String) -> Problem {
    Problem::new(400, "INTERNAL-TOKEN-1", "Invalid token request")
        .detail(format!("JWT_LOGIN_VALIDATIONS {what}"))
        .style(Style::TextStatus)
}

/// The user whom a token signs in.
pub(crate) fn sign_in(world: &World, token: &str) -> Result<String, Problem> {
    if !world.sign_in().accepts_tokens() {
        return Err(refused());
    }
    let (provider, claims) = claims(world, token).ok_or_else(refused)?;
    check(&provider, &claims)?;
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    if !world.sessions().spend(&provider.issuer, text("jti")) {
        return Err(invalid("Claim jti was used before".to_owned()));
    }
    person(world, text("sub"), text("email"), text("name"))
}

/// The claims of a token whose signature is right, and the key that says so.
fn claims(world: &World, token: &str) -> Option<(TokenKey, Value)> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    if header.alg != Algorithm::RS256 {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let payload = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let key = world.directory().providers.iter().filter_map(|provider| provider.key.clone()).find(|key| {
        claims["iss"] == key.issuer.as_str() && header.kid.as_deref() == Some(key.kid.as_str())
    })?;
    let genuine = jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key.key, header.alg).ok()?;
    genuine.then_some((key, claims))
}

fn check(provider: &TokenKey, claims: &Value) -> Result<(), Problem> {
    let missing = CLAIMS.iter().find(|name| claims[**name].is_null() || claims[**name] == "");
    if let Some(name) = missing {
        return Err(invalid(format!("Missing required claim: {name}")));
    }
    let time = |name: &str| claims[name].as_i64().ok_or_else(|| invalid(format!("Invalid claim: {name}")));
    let (issued, from, until) = (time("iat")?, time("nbf")?, time("exp")?);
    let audience = &claims["aud"];
    let for_us =
        audience == AUDIENCE || audience.as_array().is_some_and(|all| all.iter().any(|one| one == AUDIENCE));
    for (name, right) in [
        ("aud", for_us),
        ("subType", claims["subType"] == "user"),
        ("email_verified", claims["email_verified"].is_boolean()),
        ("exp", until - from <= LONGEST),
    ] {
        if !right {
            return Err(invalid(format!("Invalid claim: {name}")));
        }
    }
    let (now, tolerance) = (clock::now_seconds(), provider.tolerance);
    let in_time = now + tolerance >= from && now + tolerance >= issued && now - tolerance < until;
    if in_time { Ok(()) } else { Err(refused()) }
}

/// A tenant knows people by their subject; whom it does not know, it makes.
fn person(world: &World, subject: &str, email: &str, name: &str) -> Result<String, Problem> {
    if let Some(user) = world.user_with_subject(subject) {
        return welcome(world, user);
    }
    let taken = !world.users_with_email(email).is_empty();
    if taken && world.sign_in().known_email == KnownEmail::Refused {
        return Err(refused().detail("The identity is in conflict with a user of this tenant"));
    }
    let person = Person {
        id: ids::new_object_id(),
        name: name.to_owned(),
        subject: subject.to_owned(),
        email: Some(email.to_owned()),
        client_id: None,
        status: "active",
        created: clock::now_ms(),
    };
    let user = person.id.clone();
    world.directory().people.push(person);
    Ok(user)
}

/// Whoever was invited is now active; whoever was disabled stays out.
fn welcome(world: &World, user: String) -> Result<String, Problem> {
    let mut directory = world.directory();
    match world.user_status(&directory, &user).as_deref() {
        Some("active") => {}
        Some("invited") => drop(directory.statuses.insert(user.clone(), "active".to_owned())),
        _ => return Err(refused()),
    }
    Ok(user)
}
