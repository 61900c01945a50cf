//! Identity providers: those for tokens, which hold one public key each, and the interactive one.

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::kit::clock;
use crate::qlik_cloud::data::ids;
use crate::qlik_cloud::sign_in::OwnProvider;

const SMALLEST_KEY: usize = 2048;

/// An identity provider.
#[derive(Clone)]
pub(crate) struct Provider {
    /// As shown.
    pub(crate) view: Value,
    /// The key of a provider for tokens.
    pub(crate) key: Option<TokenKey>,
}

/// What tokens of a provider are checked with.
#[derive(Clone)]
pub(crate) struct TokenKey {
    /// Issuer of the tokens.
    pub(crate) issuer: String,
    /// Id of the key.
    pub(crate) kid: String,
    /// The key.
    pub(crate) key: DecodingKey,
    /// By how many seconds clocks may differ.
    pub(crate) tolerance: i64,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.view)
    }
}

impl Provider {
    /// A provider for tokens, from the body of a request; members that the schema does not list are ignored, as the
    /// documentation's own examples have them.
    pub(crate) fn for_tokens(body: &Value, tenant_id: &str) -> anyhow::Result<Self> {
        ensure!(body["provider"] == "external", "provider must be external");
        let tenants = body["tenantIds"].as_array();
        let foreign = tenants.is_some_and(|ids| ids.len() != 1 || ids[0] != tenant_id);
        ensure!(!foreign, "tenantIds must be those of the tenant");
        let options = &body["options"];
        let text = |value: &Value, name: &str| {
            let text = value[name].as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned).with_context(|| format!("options must have {name}"))
        };
        let issuer = text(options, "issuer")?;
        let keys = options["staticKeys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [key] = keys else { bail!("staticKeys must hold exactly one key") };
        let (kid, pem) = (text(key, "kid")?, text(key, "pem")?);
        let tolerance = match &body["clockToleranceSec"] {
            Value::Null => 5,
            number => number.as_u64().filter(|seconds| *seconds <= 3600).context("clockToleranceSec")?,
        };
        let now = clock::text_ms(clock::now_ms());
        let view = json!({
            "id": ids::new_object_id(), "active": true, "protocol": "jwtAuth", "provider": "external",
            "interactive": false, "tenantIds": [tenant_id], "created": now, "lastUpdated": now,
            "description": body["description"].as_str().unwrap_or_default(), "clockToleranceSec": tolerance,
            "createNewUsersOnLogin": true, "options": {"issuer": issuer, "staticKeys": [{"kid": kid, "pem": pem}]},
        });
        let key = TokenKey { issuer, kid, key: public_key(&pem)?, tolerance: tolerance as i64 };
        Ok(Self { view, key: Some(key) })
    }

    /// The tenant's own interactive provider.
    pub(crate) fn interactive(own: &OwnProvider, tenant_id: &str) -> Self {
        let view = json!({
            "id": "5f0000000000000000000001", "active": true, "protocol": "OIDC", "provider": own.provider,
            "interactive": true, "tenantIds": [tenant_id], "created": "2021-01-01T00:00:00.000Z",
            "lastUpdated": "2021-01-01T00:00:00.000Z", "description": "Single sign-on", "clockToleranceSec": 5,
            "createNewUsersOnLogin": true,
            "options": {"realm": "example", "clientId": "qlik", "openid_configuration":
                {"authorization_endpoint": own.authorize_url}},
        });
        Self { view, key: None }
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        self.view["id"].as_str().unwrap_or_default()
    }
}

/// An RSA key in PEM: a certificate or a public key, with line breaks or on one line, as the documentation sends it.
fn public_key(pem: &str) -> anyhow::Result<DecodingKey> {
    let (label, der) = unwrap(pem).context("pem is no PEM")?;
    let data = match label.as_str() {
        "CERTIFICATE" => {
            let (_, certificate) =
                x509_parser::parse_x509_certificate(&der).context("pem is no certificate")?;
            rsa(certificate.public_key())?
        }
        "PUBLIC KEY" => rsa(&SubjectPublicKeyInfo::from_der(&der).context("pem is no public key")?.1)?,
        other => bail!("pem holds a {other}, not a public key"),
    };
    Ok(DecodingKey::from_rsa_der(&data))
}

fn rsa(info: &SubjectPublicKeyInfo<'_>) -> anyhow::Result<Vec<u8>> {
    let PublicKey::RSA(key) = info.parsed().context("pem holds no readable key")? else {
        bail!("the key must be an RSA key");
    };
    ensure!(key.key_size() >= SMALLEST_KEY, "the key must have {SMALLEST_KEY} bits or more");
    Ok(info.subject_public_key.data.to_vec())
}

fn unwrap(pem: &str) -> Option<(String, Vec<u8>)> {
    let rest = pem.trim().strip_prefix("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END")?;
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    Some((label.to_owned(), STANDARD.decode(body).ok()?))
}
