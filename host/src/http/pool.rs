//! The pool of connections: one for the run, and one more for each client certificate and each origin that it is shown to,
//! because a certificate belongs to a connection and must not be lent to a request that did not ask for it.

use super::{
    limits::Limits,
    policy::Policy,
    resolver::Resolver,
    tls::{self, Shown},
};
use crate::model::{connection::TlsTrust, secret::SecretValue};
use jackfield_plugin::contract::{Failure, failure::Stage};
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The connections of one run.
pub(super) struct Pool {
    recipe: Recipe,
    plain: reqwest::Client,
    /// By the digest of the PEM, and the origin.
    identified: Mutex<HashMap<([u8; 32], String), Lent>>,
}

/// A client for one request.
#[derive(Clone)]
pub(super) struct Lent {
    /// The client.
    pub(super) client: reqwest::Client,
    /// Whether its origin has asked for the certificate that it shows. The first handshake tells; later ones may go on
    /// from that without asking again.
    asked: Option<Arc<AtomicBool>>,
}

impl Lent {
    /// It has a certificate to show, and has talked to a server that did not want to see it.
    pub(super) fn was_not_asked(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| !asked.load(Ordering::Relaxed))
    }
}

/// How connections are made.
struct Recipe {
    limits: Limits,
    tls: TlsTrust,
    trusted: HashSet<String>,
    idle: usize,
}

impl Pool {
    /// A pool that keeps as many idle connections as can be in flight.
    pub(super) fn new(limits: &Limits, policy: &Policy, tls: &TlsTrust, cap: usize) -> Result<Self, Failure> {
        let mut trusted = policy.trusted_names();
        // The operator named the proxy too.
        trusted.extend(limits.proxy.as_ref().and_then(|proxy| proxy.host_str()).map(str::to_owned));
        let recipe = Recipe { limits: limits.clone(), tls: tls.clone(), trusted, idle: cap };
        let plain = recipe.client(None)?;
        Ok(Pool { recipe, plain, identified: Mutex::default() })
    }

    /// The client that shows this certificate to an origin, or none.
    pub(super) fn client(&self, identity: Option<&SecretValue>, origin: &str) -> Result<Lent, Failure> {
        let Some(pem) = identity else { return Ok(Lent { client: self.plain.clone(), asked: None }) };
        let digest = Sha256::digest(pem.reveal().as_bytes()).into();
        let mut identified = self.identified.lock().unwrap_or_else(PoisonError::into_inner);
        match identified.entry((digest, origin.to_owned())) {
            Entry::Occupied(lent) => Ok(lent.get().clone()),
            Entry::Vacant(place) => {
                let asked = Arc::default();
                let client = self.recipe.client(Some(Shown { pem, asked: &asked }))?;
                Ok(place.insert(Lent { client, asked: Some(asked) }).clone())
            }
        }
    }
}

impl Recipe {
    fn client(&self, identity: Option<Shown<'_>>) -> Result<reqwest::Client, Failure> {
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(&self.limits.user_agent)
            .connect_timeout(self.limits.connect_timeout)
            .pool_max_idle_per_host(self.idle)
            .dns_resolver(Resolver::new(self.trusted.clone(), self.limits.connect_timeout))
            .tls_backend_preconfigured(tls::config(&self.tls, identity)?);
        let builder = match &self.limits.proxy {
            None => builder,
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.clone()).map_err(|error| {
                Failure::you(format!("the proxy cannot be used: {}", error.without_url())).at(Stage::Settings)
            })?),
        };
        builder.build().map_err(|error| Failure::jackfield(format!("HTTP could not be set up: {error}")))
    }
}
