//! The settings of a connection: the form, and the help beside it.

use jackfield_plugin::{Failure, Origin, Secret, Stage, schemars};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What has to be set up beforehand: a key pair, and NPrinting's trust in it.
pub(crate) const HELP: &str = "\
NPrinting has to accept JWT authentication before this connection can work. That takes a key pair: NPrinting gets the public \
half as an X.509 certificate, Jackfield keeps the private half and signs short-lived tokens with it.

Key pair. Jackfield can make one: `jackfield key generate` prints the public half, the certificate, and writes the private \
half into a file; keep both in a safe place. A pair made elsewhere will do as well, if the key is RSA and its PEM is not \
encrypted.

In NPrinting. Sign in to the web console as an administrator. Open Admin, then Settings, Authentication. Turn on the JWT \
authentication. Paste the public half into \"JWT certificate\", as a PEM certificate (it begins with BEGIN CERTIFICATE; a bare \
public key will not do). Choose \"Match user by email\" and give email as the name of the JWT attribute. Click \"Update \
authentication settings\".

Here. Give the server's address, the email of an NPrinting user, and the private half of the pair. If the console has another \
attribute name than email, or matches users by Domain\\Name, say so here too: both sides must agree to the letter.

User. NPrinting shows every user only what that user's roles allow, and says nothing about the rest. Use a user with the role \
Administrator, or with a role of its own that may see apps, connections, filters, reports, tasks, users, groups and roles in \
all apps.

Address. NPrinting listens on port 4993 unless it was changed, and a host name by itself means that port. With another one, \
give it as in https://nprinting.example.com:8443. \
Its certificate is self-signed unless it was replaced, so the connection may have to be told to trust it.";

/// The settings of a connection to a Qlik NPrinting server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
pub(crate) struct Settings {
    #[schemars(
        title = "Server URL",
        description = "The server's address: a host name, which means port 4993 there, or an https URL with its port.",
        extend(
            "x-order" = 1,
            "x-placeholder" = "nprinting.example.com",
            "x-origin" = { "schemes": ["https"], "port": crate::client::USUAL_PORT }
        )
    )]
    pub(crate) server_url: Origin,

    #[serde(default)]
    #[schemars(
        title = "Match user by",
        description = "How NPrinting finds the user of a token: the same choice as in its authentication settings.",
        extend(
            "x-order" = 2,
            "x-widget" = "select",
            "x-labels" = { "email": "Email", "domain_name": "Domain\\Name" }
        )
    )]
    pub(crate) matching: Matching,

    #[schemars(
        title = "Email",
        description = "The email of the NPrinting user to sign in as. It decides what a refresh can see.",
        extend(
            "x-order" = 3,
            "x-when" = { "matching": ["email"] },
            "x-required" = true,
            "x-placeholder" = "jackfield@example.com"
        )
    )]
    pub(crate) email: Option<String>,

    #[schemars(
        title = "User name",
        description = "The name in the domain account of the NPrinting user: what follows the backslash.",
        extend("x-order" = 4, "x-when" = { "matching": ["domain_name"] }, "x-required" = true)
    )]
    pub(crate) user: Option<String>,

    #[schemars(
        title = "Domain",
        description = "The domain in the domain account of the NPrinting user: what stands before the backslash.",
        extend("x-order" = 5, "x-when" = { "matching": ["domain_name"] }, "x-required" = true)
    )]
    pub(crate) domain: Option<String>,

    #[schemars(
        title = "JWT Private key",
        description = "The private half of the pair whose certificate stands in NPrinting: an RSA key as PEM, not encrypted.",
        extend(
            "x-order" = 6,
            "x-widget" = "multiline",
            "x-credential" = "jwt_key",
            "x-private-key" = ["rsa"],
            "x-placeholder" = "-----BEGIN PRIVATE KEY-----"
        )
    )]
    pub(crate) private_key: Secret,

    #[serde(default = "email_claim")]
    #[schemars(
        title = "JWT attribute",
        description = "The name of the JWT attribute for the email, exactly as in NPrinting's authentication settings.",
        extend("x-order" = 7, "x-when" = { "matching": ["email"] })
    )]
    pub(crate) claim: String,

    #[serde(default = "user_claim")]
    #[schemars(
        title = "JWT attribute for the user ID",
        description = "Exactly as in NPrinting's authentication settings.",
        extend("x-order" = 8, "x-when" = { "matching": ["domain_name"] })
    )]
    pub(crate) user_claim: String,

    #[serde(default = "domain_claim")]
    #[schemars(
        title = "JWT attribute for the user directory",
        description = "Exactly as in NPrinting's authentication settings.",
        extend("x-order" = 9, "x-when" = { "matching": ["domain_name"] })
    )]
    pub(crate) domain_claim: String,

    #[serde(default)]
    #[schemars(
        title = "Signature",
        description = "The algorithm of the tokens. NPrinting accepts all three.",
        extend("x-order" = 10, "x-widget" = "select")
    )]
    pub(crate) algorithm: Algorithm,

    #[serde(default)]
    #[schemars(
        title = "Newest executions",
        description = "Also read the newest execution of each task: one request for every task.",
        extend("x-order" = 11)
    )]
    pub(crate) newest_executions: bool,
}

fn email_claim() -> String {
    "email".to_owned()
}

fn user_claim() -> String {
    "name".to_owned()
}

fn domain_claim() -> String {
    "domain".to_owned()
}

// Comments on the variants would turn the schema's plain enums into lists of alternatives.
/// How NPrinting finds the user of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Matching {
    #[default]
    Email,
    DomainName,
}

/// The algorithms that NPrinting accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
pub(crate) enum Algorithm {
    #[default]
    RS256,
    RS384,
    RS512,
}

impl Algorithm {
    /// Its name in a token's header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::RS256 => "RS256",
            Algorithm::RS384 => "RS384",
            Algorithm::RS512 => "RS512",
        }
    }
}

impl Settings {
    /// The claims by which NPrinting finds the user.
    ///
    /// # Errors
    /// A setting is missing, or an attribute has a name that cannot be.
    pub(crate) fn claims(&self) -> Result<Map<String, Value>, Failure> {
        let pairs = match self.matching {
            Matching::Email => vec![("claim", &self.claim, "email", "Email", &self.email)],
            Matching::DomainName => vec![
                ("user_claim", &self.user_claim, "user", "User name", &self.user),
                ("domain_claim", &self.domain_claim, "domain", "Domain", &self.domain),
            ],
        };
        let wrong =
            |field: &str, what: String| Err(Failure::you(what).at(Stage::Settings).field(field.to_owned()));
        let mut claims = Map::new();
        for (claim_field, claim, field, title, value) in pairs {
            let (claim, value) = (claim.trim(), value.as_deref().unwrap_or_default().trim());
            if value.is_empty() {
                return wrong(field, format!("the setting \"{title}\" is missing"));
            }
            if claim.is_empty() {
                return wrong(claim_field, "the JWT attribute has no name".to_owned());
            }
            if ["exp", "nbf", "iat"].contains(&claim) {
                return wrong(
                    claim_field,
                    format!("every token has its times in \"{claim}\": no user can stand there"),
                );
            }
            if claims.insert(claim.to_owned(), Value::from(value)).is_some() {
                return wrong(claim_field, format!("both JWT attributes have the name \"{claim}\""));
            }
        }
        Ok(claims)
    }

    /// The user, as a person writes it.
    pub(crate) fn caller(&self) -> String {
        let trimmed = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        match self.matching {
            Matching::Email => trimmed(&self.email),
            Matching::DomainName => format!("{}\\{}", trimmed(&self.domain), trimmed(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_plugin::{Connector, contract::description::annotations};
    use serde_json::json;

    fn settings(more: Value) -> Settings {
        let mut all = json!({ "server_url": "https://n:4993", "private_key": Secret::handle("private_key") });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn the_form_is_asked_for_in_the_documents_order() {
        let description = crate::NPrinting::describe();
        let properties = description.settings["properties"].as_object().unwrap();
        let mut fields: Vec<_> = properties
            .values()
            .map(|field| (field[annotations::ORDER].as_u64().unwrap(), field["title"].as_str().unwrap()))
            .collect();
        fields.sort_unstable();
        let titles: Vec<_> = fields.into_iter().map(|(_, title)| title).collect();
        let expected = [
            "Server URL",
            "Match user by",
            "Email",
            "User name",
            "Domain",
            "JWT Private key",
            "JWT attribute",
            "JWT attribute for the user ID",
            "JWT attribute for the user directory",
            "Signature",
            "Newest executions",
        ];
        assert_eq!(titles, expected);
        assert_eq!(description.settings["required"], json!(["server_url", "private_key"]));
        assert_eq!(properties["email"][annotations::REQUIRED], true);
        assert_eq!(properties["claim"]["default"], "email");
        assert_eq!(properties["algorithm"]["enum"], json!(["RS256", "RS384", "RS512"]));
        assert_eq!(properties["algorithm"]["default"], "RS256");
        assert_eq!(properties["private_key"][annotations::SECRET], true);
        assert_eq!(
            properties["server_url"][annotations::ORIGIN],
            json!({ "schemes": ["https"], "port": 4993 })
        );
        assert!(description.roles.source && !description.roles.target);
    }

    #[test]
    fn the_claims_name_the_user_as_the_console_expects() {
        let claims = |more| settings(more).claims().map(Value::from).map_err(|failure| failure.message);
        assert_eq!(claims(json!({ "email": " a@b.c " })), Ok(json!({ "email": "a@b.c" })));
        assert_eq!(
            claims(json!({ "email": "a@b.c", "claim": "mailaddress" })),
            Ok(json!({ "mailaddress": "a@b.c" }))
        );
        let domain =
            json!({ "matching": "domain_name", "user": "anna", "domain": "ACME", "email": "unused" });
        assert_eq!(claims(domain.clone()), Ok(json!({ "name": "anna", "domain": "ACME" })));
        assert_eq!(settings(domain).caller(), "ACME\\anna");
    }

    #[test]
    fn what_cannot_be_is_named_with_its_field() {
        for (more, field) in [
            (json!({}), "email"),
            (json!({ "email": " " }), "email"),
            (json!({ "email": "a@b.c", "claim": "" }), "claim"),
            (json!({ "email": "a@b.c", "claim": "exp" }), "claim"),
            (json!({ "matching": "domain_name", "user": "anna" }), "domain"),
            (
                json!({ "matching": "domain_name", "user": "a", "domain": "d", "domain_claim": "name" }),
                "domain_claim",
            ),
        ] {
            assert_eq!(settings(more).claims().unwrap_err().field.as_deref(), Some(field));
        }
    }
}
