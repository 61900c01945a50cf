//! The pool of connections: one for the run, and one more for each client certificate that it shows, because a certificate
//! belongs to a connection and must not be lent to a request that did not ask for it.

use super::{limits::Limits, policy::Policy, resolver::Resolver, tls};
use crate::model::{connection::TlsTrust, secret::SecretValue};
use jackfield_plugin::contract::{Failure, failure::Stage};
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

/// The connections of one run.
pub(super) struct Pool {
    recipe: Recipe,
    plain: reqwest::Client,
    /// By the digest of the PEM.
    identified: Mutex<HashMap<[u8; 32], reqwest::Client>>,
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

    /// The client that shows this certificate, or none.
    pub(super) fn client(&self, identity: Option<&SecretValue>) -> Result<reqwest::Client, Failure> {
        let Some(identity) = identity else { return Ok(self.plain.clone()) };
        let digest = Sha256::digest(identity.reveal().as_bytes()).into();
        let mut identified = self.identified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = identified.get(&digest) {
            return Ok(client.clone());
        }
        let client = self.recipe.client(Some(identity))?;
        identified.insert(digest, client.clone());
        Ok(client)
    }
}

impl Recipe {
    fn client(&self, identity: Option<&SecretValue>) -> Result<reqwest::Client, Failure> {
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
