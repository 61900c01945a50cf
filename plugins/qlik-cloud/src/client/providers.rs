//! The tenant's identity providers: the one that trusts Jackfield's key, and what the others tell.
//!
//! A provider for JWTs holds one public key and the name of an issuer (`POST /api/v1/identity-providers`; TenantAdmin). Both are
//! taken from the certificate of the key pair that the host made for this connection, so the provider is found again by them, and
//! two connections never share one.

use super::{ORIGIN, Page, Refusal, as_user::AsUser, get};
use crate::settings::{QLIK_SENSE_API_KEY, SIGNING_KEY};
use jackfield_plugin::{
    Blame, Failure, Request, Stage,
    sdk::{Row, link},
};
use serde_json::json;

const PROVIDERS_PATH: &str = "/api/v1/identity-providers";
const LICENCE_PATH: &str = "/api/v1/licenses/overview";
/// By how many seconds the tenant lets the clocks differ.
const TOLERANCE: u32 = 60;
/// A tenant has a handful of providers; more pages than this are no list of them.
const MOST_PAGES: u32 = 20;

/// What the sign-in as a user needs beyond the key, told where it is missing.
const ACTIVATE: &str = "JWT authorization is off by default, and comes with Qlik Sense Enterprise only. To see whether it is on: Administration activity center, Identity provider, \"Create new\" offers the type JWT only where it is. If it is off, ask your account manager at Qlik to activate the JWT capability for embedded analytics and reporting; until then choose another sign-in";

/// The public half of Jackfield's key pair, as a tenant knows it.
pub(super) struct PublicKey {
    /// The issuer of its tokens.
    pub(super) issuer: String,
    /// Its id.
    pub(super) id: String,
    /// Its certificate, PEM.
    certificate: String,
}

/// What there is.
#[derive(Default)]
pub(super) struct Providers {
    /// The one for Jackfield's key, and whether it is active.
    ours: Option<bool>,
    /// The kind of the one that people sign in with, if it is not Qlik's.
    own: Option<String>,
}

impl Providers {
    /// Takes in a row of the list.
    fn add(&mut self, row: &Row<'_>, key: &PublicKey) {
        let active = row.raw("active") != Some("false");
        let kid = |one: &Row<'_>| one.text("kid").is_some_and(|kid| kid == key.id);
        if row.text("options/issuer").is_some_and(|issuer| issuer == key.issuer)
            && row.rows("options/staticKeys").iter().any(kid)
        {
            self.ours = Some(active || self.ours == Some(true));
        }
        let kind = row.text("provider").unwrap_or_default();
        if active && row.raw("interactive") == Some("true") && kind != "qlik" {
            self.own = Some(kind.into_owned());
        }
    }
}

impl AsUser<'_> {
    /// The public half of the key pair.
    pub(super) async fn public_key(&self) -> Result<PublicKey, Failure> {
        let certificate = self.context.inspect(self.pair).await?.certificate;
        let Some((sha256, pem)) = certificate.and_then(|it| Some((it.sha256, it.pem?))) else {
            return Err(Failure::you("the signing key pair has no certificate that can be registered")
                .at(Stage::Settings)
                .remedy("give the RSA private key followed by its certificate, both as PEM")
                .field(SIGNING_KEY));
        };
        let short = sha256.get(..16).unwrap_or(&sha256);
        Ok(PublicKey { issuer: format!("jackfield-{short}"), id: sha256, certificate: pem })
    }

    /// The identity providers that there are.
    pub(super) async fn providers(&self, key: &PublicKey) -> Result<Providers, Failure> {
        let own = self.context.settings().tenant_url.authority();
        let mut providers = Providers::default();
        let mut next = Some(get(PROVIDERS_PATH).query("limit", 100));
        for _ in 0..MOST_PAGES {
            let Some(request) = next.take() else { break };
            let response = self.context.http().send(&request.bearer(self.key)).await?;
            if !response.is_success() {
                return Err(self.may_not(&Refusal::of(&response)));
            }
            let page: Page<'_> = response.page()?;
            page.data.iter().for_each(|row| providers.add(row, key));
            next = page.next().map(|next| link::path_of(&next, [own])).transpose()?.map(get);
        }
        Ok(providers)
    }

    /// Sees to it that the tenant knows the key. Yields whether it had to be registered.
    pub(super) async fn register(&self, tenant: Option<&str>) -> Result<bool, Failure> {
        let key = self.public_key().await?;
        let providers = self.providers(&key).await?;
        match providers.ours {
            Some(true) => return Ok(false),
            Some(false) => {
                return Err(Failure::credential(format!(
                    "the identity provider of Jackfield's key (issuer {}) is turned off in the tenant",
                    key.issuer
                ))
                .remedy("delete it there (Administration activity center, Identity provider), and test again: that makes it anew")
                .field(SIGNING_KEY));
            }
            None if !self.context.may_write() => return Err(unknown_key(&key)),
            None => {}
        }
        let request = Request::post(ORIGIN, PROVIDERS_PATH)
            .header("accept", "application/json")
            .json(json!({
                "protocol": "jwtAuth",
                "provider": "external",
                "tenantIds": tenant.map(|tenant| vec![tenant]),
                "interactive": false,
                "active": true,
                "description": "Jackfield: signs users in for one of its connections; its key never leaves Jackfield",
                "clockToleranceSec": TOLERANCE,
                "options": {
                    "jwtLoginEnabled": true,
                    "issuer": key.issuer,
                    "staticKeys": [{ "kid": key.id, "pem": key.certificate }],
                },
            }))
            .bearer(self.key);
        let response = self.context.http().send(&request).await?;
        if response.is_success() {
            return Ok(true);
        }
        let refusal = Refusal::of(&response);
        if let Some(failure) = refusal.common() {
            return Err(failure);
        }
        let doing = "the tenant takes no identity provider for Jackfield's key";
        Err(self.unavailable(&refusal, &providers, doing, "").await)
    }

    /// Why a token was not accepted, as far as the tenant's settings tell.
    pub(super) async fn why_refused(&self, refusal: &Refusal, who: &str) -> Failure {
        let key = match self.public_key().await {
            Ok(key) => key,
            Err(failure) => return failure,
        };
        // Users who may not see the providers are not told more.
        let providers = match self.providers(&key).await {
            Ok(Providers { ours: None, .. }) => return unknown_key(&key).status(refusal.status),
            Ok(providers) => providers,
            Err(failure) if failure.cancelled => return failure,
            Err(_) => Providers::default(),
        };
        let doing = format!("the tenant does not accept Jackfield's token for {who}");
        let otherwise = "; if it is on, check that the clock of this machine is right";
        self.unavailable(refusal, &providers, &doing, otherwise).await
    }

    /// The three reasons for which a tenant takes no tokens, each with its remedy; `otherwise` ends the one for the most likely.
    async fn unavailable(
        &self,
        refusal: &Refusal,
        providers: &Providers,
        doing: &str,
        otherwise: &str,
    ) -> Failure {
        let product = match self.product().await {
            Err(failure) if failure.cancelled => return failure,
            product => product.ok().flatten(),
        };
        let summary = refusal.summary();
        let failure = |reason: String| {
            refusal
                .failure(Blame::Remote, Stage::SignIn, format!("{doing}: {reason} ({summary})"))
                .field("sign_in")
        };
        match (product, &providers.own) {
            (Some(product), _) if !product.to_lowercase().contains("enterprise") => failure(format!(
                "JWT authorization comes with Qlik Sense Enterprise only, and the tenant's licence is \"{product}\""
            ))
            .remedy("choose another sign-in: OAuth machine-to-machine, or \"API key\", which acts as its owner"),
            (_, Some(own)) => failure(format!(
                "people sign in by an identity provider of the tenant's own (\"{own}\"), and tokens of another one seem not to be accepted beside it"
            ))
            .remedy(format!("ask whoever looks after that identity provider whether JWT may be used beside it. {ACTIVATE}")),
            (_, None) => failure("JWT authorization is probably not active there".to_owned()).remedy(format!("{ACTIVATE}{otherwise}")),
        }
    }

    /// The product of the tenant's licence, if the key may see it.
    async fn product(&self) -> Result<Option<String>, Failure> {
        let response = self.context.http().send(&get(LICENCE_PATH).bearer(self.key)).await?;
        let licence = super::fields(&response);
        Ok(licence.text("product").filter(|_| response.is_success()).map(|product| product.into_owned()))
    }

    fn may_not(&self, refusal: &Refusal) -> Failure {
        refusal.common().unwrap_or_else(|| {
            let message =
                format!("the API key may not look after the tenant's identity providers ({})", refusal.summary());
            refusal
                .failure(Blame::Credential, Stage::Permission, message)
                .remedy("\"Qlik Sense API key\" takes a key of a user with the role Tenant Admin: add the role (Administration activity center, Manage users, All users), or give a key of another user")
                .field(QLIK_SENSE_API_KEY)
        })
    }
}

/// The tenant does not have the provider, and this run may not make it.
fn unknown_key(key: &PublicKey) -> Failure {
    Failure::credential(format!(
        "the tenant has no identity provider for Jackfield's key (issuer {})",
        key.issuer
    ))
    .remedy("test the connection by hand: such a test registers the key")
    .field(SIGNING_KEY)
}
