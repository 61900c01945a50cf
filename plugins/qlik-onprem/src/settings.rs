//! The settings of a connection: the form, and the help beside it.

use jackfield_plugin::{Failure, Origin, Secret, Stage, schemars};
use schemars::JsonSchema;
use serde::Deserialize;

/// What an administrator of the site has to set up beforehand.
pub(crate) const HELP: &str = "\
Everything here is set up on the Qlik Sense side, by an administrator of the site, before the connection is made.

Service account. Choose a user of the site for Jackfield, best one of its own, and note its user directory and user ID as the \
QMC shows them under Users. Give it the role RootAdmin there (Users, Edit, Admin roles). If the account or its rights are changed \
later, bring \"User directory\" and \"Service account user\" into line here.

Client certificate. In the QMC open Certificates. Enter the name of the machine that Jackfield runs on, give a certificate \
password, tick \"Include secret key\", and choose the file format: Windows makes client.pfx, platform independent makes \
client.pem and client_key.pem. Click \"Export certificates\". The files lie on the Qlik Sense server (the central node) under \
%ProgramData%\\Qlik\\Sense\\Repository\\Exported Certificates, in a folder with the machine's name. Whoever has these files \
has all rights on the site: copy them over a safe way and delete the copies afterwards.

Trust. root.pem (root.cer) in the same folder is the site's own certificate authority, which also issued the certificate of the \
repository service: let the connection trust it. The name in that certificate is the machine's name as it was when Qlik Sense \
was installed; if the server URL has another, tell the connection which name to expect.

Network. Jackfield needs the proxy (the server URL, usually port 443) and the repository service (port 4242) on the same host: \
the central node, if there are several.

Virtual proxy. The first successful test makes a virtual proxy of its own for Jackfield, with JWT authentication, and links it to \
the proxy service; later tests change it only where something differs. Jackfield's sessions so stay apart from those of people, \
who use the default virtual proxy: that one is never touched. When it is made or changed, the proxy restarts by itself, which \
ends the sessions of everybody on that proxy: make the first test at a quiet hour.

Renewal. Put a new client certificate in before the old one ends, and test. If the site's certificates are recreated, its root \
changes too, and every exported copy stops to work at once.";

/// The settings field that is the site's origin.
pub(crate) const ORIGIN: &str = "server_url";
/// The settings field that is the client certificate.
pub(crate) const CERTIFICATE: &str = "client_certificate";
/// The settings field that is the user directory.
pub(crate) const DIRECTORY: &str = "user_directory";
/// The settings field that is the service account.
pub(crate) const USER: &str = "service_user";
/// The settings field that is the prefix of the virtual proxy.
pub(crate) const PREFIX: &str = "proxy_prefix";
/// The settings field that is the key pair of the virtual proxy.
pub(crate) const PROXY_KEY: &str = "proxy_key";

/// Paths that are Qlik Sense's own at every proxy: a virtual proxy of such a prefix would stand in their way. Seen in the
/// addresses of the hub, the QMC, the APIs and the forms; Qlik publishes no list.
const QLIKS_OWN: [&str; 17] = [
    "hub",
    "qmc",
    "qrs",
    "qps",
    "sense",
    "api",
    "app",
    "content",
    "tempcontent",
    "resources",
    "extensions",
    "engine",
    "dev-hub",
    "devhub",
    "form",
    "single",
    "printing",
];

/// What stays at the site when a connection is deleted.
pub(crate) const REMAINS: &str = "\
The virtual proxy that Jackfield made on the site stays there. If no connection uses it any more, delete it in the QMC (Virtual \
proxies; its description begins with \"Jackfield\"): the proxy then restarts, which ends the sessions on it.";

/// The settings of a connection to a Qlik Sense site.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars", extend("x-unique" = ["server_url", "proxy_prefix"]))]
pub(crate) struct Settings {
    #[schemars(
        title = "Server URL",
        description = "Base URL of the Qlik Sense proxy, with https://: the address of the hub, without anything behind the host and port.",
        extend(
            "x-order" = 1,
            "x-placeholder" = "https://qlik.example.com",
            "x-origin" = { "schemes": ["https"], "whole": true }
        )
    )]
    pub(crate) server_url: Origin,

    #[schemars(
        title = "User directory",
        description = "The user directory of the service account, as the QMC shows it under Users.",
        extend("x-order" = 2, "x-placeholder" = "EXAMPLE")
    )]
    pub(crate) user_directory: String,

    #[schemars(
        title = "Service account user",
        description = "The user ID of the service account, as the QMC shows it under Users. It needs the role RootAdmin.",
        extend("x-order" = 3, "x-placeholder" = "svc-jackfield")
    )]
    pub(crate) service_user: String,

    #[schemars(
        title = "Client certificate",
        description = "QMC, Certificates, \"Export certificates\" with \"Include secret key\": the file client.pfx, or client.pem together with client_key.pem.",
        extend(
            "x-order" = 4,
            "x-widget" = "file",
            "x-credential" = "client_certificate",
            "x-tls-identity" = { "password": "certificate_password" }
        )
    )]
    pub(crate) client_certificate: Secret,

    #[schemars(
        title = "Certificate password",
        description = "The password that was given when the certificate was exported; nothing if there was none.",
        extend("x-order" = 5, "x-credential" = "client_certificate")
    )]
    #[expect(dead_code, reason = "Jackfield opens the certificate file with it")]
    pub(crate) certificate_password: Option<Secret>,

    #[serde(default = "repository_port")]
    #[schemars(
        title = "Repository port",
        description = "The port of the Qlik Sense Repository Service: 4242 unless it was changed.",
        range(min = 1, max = 65535),
        extend("x-order" = 6, "x-port-of" = "server_url")
    )]
    pub(crate) repository_port: u16,

    #[serde(default = "prefix")]
    #[schemars(
        title = "Virtual proxy prefix",
        description = "The prefix of Jackfield's own virtual proxy. No other tool or person should use it.",
        length(min = 1, max = 100),
        regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
        extend("x-order" = 7)
    )]
    pub(crate) proxy_prefix: String,

    #[schemars(
        title = "Virtual proxy key pair",
        description = "The key pair with which Jackfield signs in at its virtual proxy: an RSA private key and its certificate as PEM, one behind the other.",
        extend(
            "x-order" = 8,
            "x-widget" = "multiline",
            "x-credential" = "proxy_key_pair",
            "x-generated" = { "kind": "rsa_key_pair" }
        )
    )]
    pub(crate) proxy_key: Option<Secret>,
}

fn repository_port() -> u16 {
    4242
}

fn prefix() -> String {
    "jackfield".to_owned()
}

impl Settings {
    /// The service account as a person writes it: `DIRECTORY\user`.
    pub(crate) fn account(&self) -> String {
        format!("{}\\{}", self.user_directory.trim(), self.service_user.trim())
    }

    /// The prefix of Jackfield's virtual proxy.
    ///
    /// # Errors
    /// It is a path of Qlik Sense itself.
    pub(crate) fn prefix(&self) -> Result<&str, Failure> {
        let prefix = self.proxy_prefix.trim();
        if QLIKS_OWN.iter().all(|own| !own.eq_ignore_ascii_case(prefix)) {
            return Ok(prefix);
        }
        Err(Failure::you(format!(
            "\"{prefix}\" is a path of Qlik Sense itself, so it cannot be a virtual proxy's prefix"
        ))
        .at(Stage::Settings)
        .remedy("choose another \"Virtual proxy prefix\", such as the default \"jackfield\"")
        .field(PREFIX))
    }

    /// The account as the two parts of the identity header.
    ///
    /// # Errors
    /// A part is missing or has a character that the header cannot carry.
    pub(crate) fn identity(&self) -> Result<(&str, &str), Failure> {
        let part = |field: &str, title: &str, text| {
            let text = str::trim(text);
            let wrong = |what: String| Failure::you(what).at(Stage::Settings).field(field.to_owned());
            if text.is_empty() {
                return Err(wrong(format!("the setting \"{title}\" is missing")));
            }
            match text.chars().find(|c| !matches!(c, ' '..='~') || *c == ';') {
                None => Ok(text),
                Some(c) => Err(wrong(format!(
                    "the setting \"{title}\" has the character {c:?}, with which no user can be named to the repository service"
                ))
                .remedy("use a service account whose directory and user ID are plain ASCII without a semicolon")),
            }
        };
        Ok((
            part(DIRECTORY, "User directory", &self.user_directory)?,
            part(USER, "Service account user", &self.service_user)?,
        ))
    }

    /// The host of the server URL, without its port.
    pub(crate) fn host(&self) -> &str {
        let authority = self.server_url.authority();
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_plugin::{Connector, contract::description::annotations};
    use serde_json::json;

    fn settings(changes: serde_json::Value) -> Settings {
        let mut all = json!({ "server_url": "https://qlik.example.com", "user_directory": "EXAMPLE",
            "service_user": "svc", "client_certificate": Secret::handle(CERTIFICATE) });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn the_form_is_asked_for_in_the_documents_order() {
        let schema = crate::QlikOnprem::describe().settings;
        let properties = schema["properties"].as_object().unwrap();
        let mut fields: Vec<_> = properties
            .values()
            .map(|field| (field[annotations::ORDER].as_u64().unwrap(), field["title"].as_str().unwrap()))
            .collect();
        fields.sort_unstable();
        let titles: Vec<_> = fields.into_iter().map(|(_, title)| title).collect();
        let expected = [
            "Server URL",
            "User directory",
            "Service account user",
            "Client certificate",
            "Certificate password",
            "Repository port",
            "Virtual proxy prefix",
            "Virtual proxy key pair",
        ];
        assert_eq!(titles, expected);
        assert_eq!(
            schema["required"],
            json!(["server_url", "user_directory", "service_user", "client_certificate"])
        );
        for secret in [CERTIFICATE, "certificate_password", PROXY_KEY] {
            assert_eq!(properties[secret][annotations::SECRET], true, "{secret}");
        }
        assert_eq!(properties[CERTIFICATE]["x-tls-identity"]["password"], "certificate_password");
        assert_eq!(properties["repository_port"][annotations::PORT_OF], ORIGIN);
        assert_eq!(properties[PREFIX]["default"], "jackfield");
        assert_eq!(properties["repository_port"]["default"], 4242);
    }

    #[test]
    fn the_host_is_that_of_the_proxy_whatever_its_port() {
        for (url, host) in [
            ("https://qlik.example.com", "qlik.example.com"),
            ("https://qlik.example.com:8443", "qlik.example.com"),
            ("https://[2001:db8::1]", "[2001:db8::1]"),
            ("https://[2001:db8::1]:8443", "[2001:db8::1]"),
        ] {
            assert_eq!(settings(json!({ "server_url": url })).host(), host);
        }
    }

    #[test]
    fn an_account_that_no_header_can_carry_is_refused() {
        assert_eq!(settings(json!({ "service_user": " svc " })).identity().unwrap(), ("EXAMPLE", "svc"));
        for (field, value) in [(DIRECTORY, "A;B"), (DIRECTORY, " "), (USER, "jörg"), (USER, "a\nb")] {
            let failure = settings(json!({ field: value })).identity().unwrap_err();
            assert_eq!(failure.field.as_deref(), Some(field), "{value}");
        }
    }
}
