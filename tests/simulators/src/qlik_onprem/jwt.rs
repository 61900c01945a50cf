//! Tokens at a virtual proxy: RS256 against the certificate that it holds, for the audience that it asks for, with the
//! claims that it names.

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use x509_parser::pem::Pem;

use crate::kit::clock;
use crate::qlik_onprem::cell::{Cell, Row};

const OID_RSA: &str = "1.2.840.113549.1.1.1";

/// Whom a token names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Directory.
    pub(crate) directory: String,
    /// Id.
    pub(crate) user: String,
    /// Attributes that the virtual proxy takes over.
    pub(crate) attributes: Value,
}

/// Checks a token as a virtual proxy does; the error says what is wrong with it, for the journal of the proxy.
pub(crate) fn check(proxy: &Row, token: &str) -> Result<Named, &'static str> {
    let claims = claims(proxy.text("jwtPublicKeyCertificate"), token)?;
    let audience = proxy.text("jwtAudience");
    if !audience.is_empty() && !is_for(&claims, audience) {
        return Err("the audience is another");
    }
    let user =
        claim(&claims, proxy.text("jwtAttributeUserId")).ok_or("the claim with the user is missing")?;
    let directory = proxy.text("jwtAttributeUserDirectory");
    // In brackets it is the directory itself.
    let fixed = directory.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::to_owned);
    let directory = fixed.or_else(|| claim(&claims, directory));
    let directory = directory.ok_or("the claim with the directory is missing")?;
    Ok(Named { directory, user, attributes: attributes(proxy, &claims)? })
}

/// The claims of a token that is valid now.
fn claims(certificate: &str, token: &str) -> Result<Map<String, Value>, &'static str> {
    let key = key(certificate).ok_or("the certificate of the virtual proxy is none")?;
    let header = jsonwebtoken::decode_header(token).map_err(|_| "this is no token")?;
    if header.alg != Algorithm::RS256 {
        return Err("the algorithm is not RS256");
    }
    let (signed, signature) = token.rsplit_once('.').ok_or("this is no token")?;
    let verified = jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key, Algorithm::RS256);
    if !verified.unwrap_or_default() {
        return Err("the signature is another's");
    }
    let payload = signed.split_once('.').and_then(|(_, payload)| URL_SAFE_NO_PAD.decode(payload).ok());
    let claims: Map<String, Value> =
        payload.and_then(|payload| serde_json::from_slice(&payload).ok()).ok_or("this is no token")?;
    let now = clock::now_seconds() as f64;
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    if time("exp").is_some_and(|exp| now >= exp) {
        return Err("the token has expired");
    }
    if time("nbf").is_some_and(|nbf| now < nbf) {
        return Err("the token is not valid yet");
    }
    Ok(claims)
}

fn key(certificate: &str) -> Option<DecodingKey> {
    let block = Pem::iter_from_buffer(certificate.as_bytes()).next()?.ok()?;
    let certificate = block.parse_x509().ok()?;
    let key = certificate.public_key();
    (key.algorithm.algorithm.to_id_string() == OID_RSA)
        .then(|| DecodingKey::from_rsa_der(&key.subject_public_key.data))
}

fn is_for(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(own)) => own == audience,
        Some(Value::Array(all)) => all.iter().any(|own| own == audience),
        _ => false,
    }
}

fn claim(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name).filter(|_| !name.is_empty()).and_then(Value::as_str);
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn attributes(proxy: &Row, claims: &Map<String, Value>) -> Result<Value, &'static str> {
    let mut taken = Vec::new();
    for mapping in proxy.list("jwtAttributeMap") {
        let Cell::Row(mapping) = mapping else { continue };
        match claims.get(mapping.text("jwtAttribute")) {
            Some(value) => taken.push(Value::Object(
                [(mapping.text("senseAttribute").to_owned(), value.clone())].into_iter().collect(),
            )),
            None if mapping.flag("isMandatory") => return Err("a mandatory claim is missing"),
            None => {}
        }
    }
    Ok(Value::Array(taken))
}
