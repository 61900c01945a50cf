//! Jackfield's own virtual proxy: what it is to be like, and how to bring it there without touching anything else.
//!
//! An entity is written whole, as it was just read; one that somebody else changed meanwhile is refused with 409, and then read
//! again (Qlik help, "Updating an entry"). A virtual proxy does nothing until a proxy service lists it. Linking it, and changing one
//! that is linked, makes the proxy restart by itself, so nothing is written when nothing differs.

use super::{Client, Refusal, quoted};
use crate::settings::PREFIX;
use jackfield_plugin::{Blame, Failure, Request, Response, Stage, sdk::Row};
use serde_json::{Map, Value, json};

/// What is written: its name in paths, and for people.
type Entity = (&'static str, &'static str);
const VIRTUAL: Entity = ("virtualproxyconfig", "virtual proxy");
const SERVICE: Entity = ("proxyservice", "proxy service");
/// How often a write is tried that others get in the way of.
const ATTEMPTS: u32 = 3;
/// What the description of a virtual proxy begins with that Jackfield made.
pub(crate) const OURS: &str = "Jackfield";
/// What the mark of the installation stands behind there, up to a closing parenthesis.
const MARKED: &str = "(installation ";
/// How long a description may be, in characters (reference of the repository service).
const DESCRIPTION_LENGTH: usize = 500;
/// The member that holds the public half of Jackfield's key.
const CERTIFICATE: &str = "jwtPublicKeyCertificate";
/// The authentication method JWT.
const JWT: u64 = 4;

/// What Jackfield's virtual proxy is to be like.
pub(crate) struct VirtualProxy {
    /// Its prefix.
    pub(crate) prefix: String,
    /// The certificate of the key that Jackfield signs with, PEM.
    pub(crate) certificate: String,
    /// The mark of this installation of Jackfield, if it has one.
    pub(crate) installation: Option<String>,
}

/// Whose a virtual proxy is.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    /// This installation's, or that of whoever let its description begin with our name.
    Us,
    /// Another installation's.
    OtherInstallation,
    /// People's.
    Others,
}

/// What there is.
pub(crate) struct Proxies {
    found: Option<Map<String, Value>>,
    services: Vec<Value>,
    /// The host of the server URL.
    host: String,
}

impl VirtualProxy {
    /// The members that matter to Jackfield. What people may prefer otherwise (time-outs, cookies' attributes) is set once.
    fn members(&self) -> [(&'static str, Value); 5] {
        [
            ("sessionCookieHeaderName", json!(format!("X-Qlik-Session-{}", self.prefix))),
            ("authenticationMethod", json!(JWT)),
            (CERTIFICATE, json!(self.certificate)),
            ("jwtAttributeUserId", json!("userId")),
            ("jwtAttributeUserDirectory", json!("userDirectory")),
        ]
    }

    /// The names of the members in which an existing one differs.
    fn differences(&self, found: &Map<String, Value>) -> Vec<&'static str> {
        let same = |name: &str, wanted: &Value| {
            let there = found.get(name).unwrap_or(&Value::Null);
            match (name, wanted.as_str(), there.as_str()) {
                // Lines may have been broken otherwise on the way.
                (CERTIFICATE, Some(wanted), Some(there)) => unbroken(wanted).eq(unbroken(there)),
                ("authenticationMethod", _, Some(there)) => there.eq_ignore_ascii_case("JWT"),
                // It is named after the prefix, of which the site ignores the case.
                ("sessionCookieHeaderName", Some(wanted), Some(there)) => wanted.eq_ignore_ascii_case(there),
                _ => wanted == there,
            }
        };
        let members = self.members().into_iter();
        let mut names: Vec<_> =
            members.filter(|(name, wanted)| !same(name, wanted)).map(|(name, _)| name).collect();
        if found.get("loadBalancingServerNodes").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            names.push("loadBalancingServerNodes");
        }
        names
    }

    fn description(&self) -> String {
        let mark = self.installation.as_ref().map(|mark| format!(" {MARKED}{mark})")).unwrap_or_default();
        format!(
            "{OURS}{mark}: its own sessions, apart from those of the hub; kept in order by Jackfield's connection test"
        )
    }

    /// Puts the mark into a description that begins with our name: whoever let it be ours did not know it.
    fn mark(&self, entity: &mut Map<String, Value>) {
        let (Some(mark), Some(Value::String(text))) = (&self.installation, entity.get_mut("description"))
        else {
            return;
        };
        if let Some(rest) = text.strip_prefix(OURS).filter(|rest| !rest.contains(MARKED)) {
            *text = format!("{OURS} {MARKED}{mark}){rest}").chars().take(DESCRIPTION_LENGTH).collect();
        }
    }

    fn owner(&self, found: &Map<String, Value>) -> Owner {
        let text = found.get("description").and_then(Value::as_str).unwrap_or_default();
        if is_default(found) || !text.starts_with(OURS) {
            return Owner::Others;
        }
        let mark = text.split_once(MARKED).and_then(|(_, rest)| rest.split_once(')'));
        match mark.map(|(mark, _)| mark) {
            Some(mark) if Some(mark) != self.installation.as_deref() => Owner::OtherInstallation,
            _ => Owner::Us,
        }
    }

    fn new_entity(&self, nodes: &Value) -> Value {
        let mut entity = json!({
            "prefix": self.prefix,
            "description": self.description(),
            "sessionInactivityTimeout": 30,
            "defaultVirtualProxy": false,
            "loadBalancingServerNodes": nodes,
            "websocketCrossOriginWhiteList": [],
            "additionalResponseHeaders": "",
            "tags": [],
            "customProperties": [],
        });
        for (name, value) in self.members() {
            entity[name] = value;
        }
        entity
    }
}

impl Proxies {
    fn id(&self) -> Option<&str> {
        self.found.as_ref()?.get("id")?.as_str()
    }

    /// The proxy services at which the server URL may arrive and that do not list the virtual proxy yet.
    fn unlinked(&self) -> Vec<&str> {
        let here = |service: &&Value| {
            let name = service["serverNodeConfiguration"]["hostName"].as_str();
            name.is_some_and(|name| name.eq_ignore_ascii_case(&self.host))
        };
        // Where no node has this name, something distributes to them: any may get the request.
        let any = !self.services.iter().any(|service| here(&service));
        let services = self.services.iter().filter(|service| any || here(service));
        let unlinked = services.filter(|service| self.id().is_none_or(|id| !lists(service, id)));
        unlinked.filter_map(|service| service["id"].as_str()).collect()
    }
}

/// The characters of a text without its line breaks and blanks.
fn unbroken(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace())
}

/// Whether it is the one that people browse Qlik Sense through.
fn is_default(found: &Map<String, Value>) -> bool {
    found.get("defaultVirtualProxy").and_then(Value::as_bool) == Some(true)
}

/// Whether a proxy service lists a virtual proxy.
fn lists(service: &Value, id: &str) -> bool {
    let listed = service["settings"]["virtualProxies"].as_array().into_iter().flatten();
    listed.filter_map(|one| one["id"].as_str()).any(|one| one.eq_ignore_ascii_case(id))
}

impl Client<'_> {
    /// Reads what there is.
    pub(crate) async fn proxies(&self, wanted: &VirtualProxy) -> Result<Proxies, Failure> {
        let filter = format!("prefix eq {}", quoted(&wanted.prefix));
        let path = format!("{}/full", VIRTUAL.0);
        let answer = self.fetch(&path, &[("filter", &filter)], "the list of virtual proxies").await?;
        let found = answer.page::<Vec<Map<String, Value>>>()?;
        let is_it = |row: &Map<String, Value>| {
            row.get("prefix")
                .and_then(Value::as_str)
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case(&wanted.prefix))
        };
        let found = found.into_iter().find(is_it);
        let answer = self.fetch(&format!("{}/full", SERVICE.0), &[], "the list of proxy services").await?;
        let services = answer.page()?;
        Ok(Proxies { found, services, host: self.context.settings().host().to_owned() })
    }

    /// What would have to be done; nothing if all is as it should be.
    ///
    /// # Errors
    /// The prefix is somebody else's.
    pub(crate) fn missing(&self, wanted: &VirtualProxy, proxies: &Proxies) -> Result<Vec<String>, Failure> {
        let mut missing = Vec::new();
        match &proxies.found {
            None => missing.push("it does not exist".to_owned()),
            Some(found) => {
                let differences = wanted.differences(found);
                if !differences.is_empty() || is_default(found) {
                    self.is_ours(wanted, found)?;
                    missing.push(format!("it differs in {}", differences.join(", ")));
                }
            }
        }
        if !proxies.unlinked().is_empty() {
            missing.push("it is not linked to the proxy service".to_owned());
        }
        Ok(missing)
    }

    /// Refuses to change a virtual proxy that this Jackfield did not make.
    fn is_ours(&self, wanted: &VirtualProxy, found: &Map<String, Value>) -> Result<(), Failure> {
        let prefix = &wanted.prefix;
        let (message, remedy) = match wanted.owner(found) {
            Owner::Us => return Ok(()),
            Owner::OtherInstallation => (
                format!(
                    "the virtual proxy \"{prefix}\" is that of another installation of Jackfield, so it is not changed"
                ),
                "choose another \"Virtual proxy prefix\"; or, if that installation is gone, delete the virtual proxy in the QMC: this one is made again with the next test",
            ),
            Owner::Others => (
                format!("the virtual proxy \"{prefix}\" was not made by Jackfield, so it is not changed"),
                "choose another \"Virtual proxy prefix\"; or, if nobody uses that virtual proxy, delete it in the QMC, or let its description begin with \"Jackfield\"",
            ),
        };
        Err(Failure::you(message).at(Stage::Permission).remedy(remedy).field(PREFIX))
    }

    /// Makes what does not exist, changes what differs, links what is not linked. Yields what was done.
    pub(crate) async fn prepare(&self, wanted: &VirtualProxy, proxies: &Proxies) -> Result<String, Failure> {
        let mut done = Vec::new();
        let id = match (&proxies.found, proxies.id()) {
            (Some(found), Some(id)) => {
                let differences = wanted.differences(found);
                if !differences.is_empty() {
                    self.adjust(wanted, id).await?;
                    done.push(match differences.contains(&CERTIFICATE) {
                        true => "adjusted to this connection's key",
                        false => "adjusted",
                    });
                }
                id.to_owned()
            }
            _ => {
                done.push("created");
                self.create(wanted).await?
            }
        };
        let unlinked = proxies.unlinked();
        for service in &unlinked {
            self.link(service, &id).await?;
        }
        if !unlinked.is_empty() {
            done.push("linked to the proxy service");
        }
        Ok(done.join(" and "))
    }

    async fn create(&self, wanted: &VirtualProxy) -> Result<String, Failure> {
        let nodes = self.engines().await?;
        let request = self.request("POST", VIRTUAL.0, &[]).json(wanted.new_entity(&nodes));
        let response = self.send(request).await?;
        if response.status() == 400 {
            let summary = Refusal::of(&response).summary();
            return Err(Failure::new(Blame::You, format!("the virtual proxy \"{}\" could not be made ({summary})", wanted.prefix))
                .at(Stage::Answer)
                .status(400)
                .remedy("its prefix and its session cookie must be the only ones of their names on the site: choose another \"Virtual proxy prefix\"")
                .field(PREFIX));
        }
        let response = self.accept(response, "to make the virtual proxy")?;
        let made: Row<'_> = response.json()?;
        let id =
            made.text("id").ok_or_else(|| Failure::remote("the virtual proxy that was made has no id"))?;
        Ok(id.into_owned())
    }

    /// The nodes with an engine, to which sessions are distributed.
    async fn engines(&self) -> Result<Value, Failure> {
        let path = "servernodeconfiguration/full";
        let answer = self.fetch(path, &[], "the list of nodes").await?;
        let nodes: Vec<Row<'_>> = answer.page()?;
        let with_engine = nodes.iter().filter(|node| node.raw("engineEnabled") != Some("false"));
        let ids: Vec<Value> =
            with_engine.filter_map(|node| node.text("id")).map(|id| json!({ "id": id })).collect();
        if ids.is_empty() {
            return Err(Failure::remote(
                "the site has no node with an engine, so no virtual proxy can be made",
            )
            .remedy("look at the nodes in the QMC (Nodes)"));
        }
        Ok(Value::from(ids))
    }

    async fn adjust(&self, wanted: &VirtualProxy, id: &str) -> Result<(), Failure> {
        let nodes = self.engines().await?;
        self.write(VIRTUAL, id, |entity| {
            self.is_ours(wanted, entity)?;
            let differences = wanted.differences(entity);
            let members = wanted.members().into_iter().chain([("loadBalancingServerNodes", nodes.clone())]);
            for (name, value) in members.filter(|(name, _)| differences.contains(name)) {
                entity.insert(name.to_owned(), value);
            }
            wanted.mark(entity);
            Ok(!differences.is_empty())
        })
        .await
    }

    async fn link(&self, service: &str, id: &str) -> Result<(), Failure> {
        self.write(SERVICE, service, |entity| {
            if lists(&Value::Object(entity.clone()), id) {
                return Ok(false);
            }
            let listed = entity.get_mut("settings").and_then(|settings| settings.get_mut("virtualProxies"));
            match listed.and_then(Value::as_array_mut) {
                Some(listed) => listed.push(json!({ "id": id })),
                // To write a list of one would unlink the others.
                None => {
                    return Err(Failure::remote(
                        "the proxy service does not say which virtual proxies it has",
                    ));
                }
            }
            Ok(true)
        })
        .await
    }

    /// Reads an entity, changes it, and writes it whole; again from the reading on if somebody else was faster. `change` says
    /// whether there is anything to write.
    async fn write(
        &self,
        (kind, noun): Entity,
        id: &str,
        change: impl Fn(&mut Map<String, Value>) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let path = format!("{kind}/{id}");
        let mut refused = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                let jitter = self.context.random(1).await?.first().copied().unwrap_or_default();
                self.context.sleep(200 + 4 * u64::from(jitter)).await?;
            }
            let read: Response = self.fetch(&path, &[], "to read what is to be changed").await?;
            let mut entity: Map<String, Value> = read.json()?;
            if !change(&mut entity)? {
                return Ok(());
            }
            let request: Request = self.request("PUT", &path, &[]).json(Value::Object(entity));
            let response = self.send(request).await?;
            if response.status() != 409 {
                return self.accept(response, &format!("to change the {noun}")).map(drop);
            }
            refused = Some(Refusal::of(&response));
        }
        let summary = refused.map(|refusal| refusal.summary()).unwrap_or_default();
        Err(Failure::remote(format!(
            "the {noun} was changed by somebody else each time it was to be written ({summary})"
        ))
        .status(409)
        .remedy("try again when nobody works on the proxies in the QMC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_differs() {
        let wanted = VirtualProxy {
            prefix: "jackfield".to_owned(),
            certificate: "-----BEGIN\na b\n".to_owned(),
            installation: None,
        };
        let mut found = wanted.new_entity(&json!([{ "id": "n" }])).as_object().unwrap().clone();
        assert!(wanted.differences(&found).is_empty());
        found.insert("jwtPublicKeyCertificate".to_owned(), json!("-----BEGIN\r\na\r\nb"));
        found.insert("sessionInactivityTimeout".to_owned(), json!(5));
        found.insert("authenticationMethod".to_owned(), json!("Jwt"));
        assert!(wanted.differences(&found).is_empty(), "line ends and tastes are no differences");
        found.insert("jwtPublicKeyCertificate".to_owned(), json!("-----BEGIN\nc"));
        found.insert("authenticationMethod".to_owned(), json!(0));
        found.insert("loadBalancingServerNodes".to_owned(), json!([]));
        assert_eq!(
            wanted.differences(&found),
            ["authenticationMethod", "jwtPublicKeyCertificate", "loadBalancingServerNodes"]
        );
    }
}
