//! How the hooks of a rotation are run: each in a worker of its own, with the secrets that it is to have.

use super::{
    capabilities,
    execution::Execution,
    run::{Subject, Work},
};
use crate::{
    connections::secrets::{self, Opened},
    model::{
        rotation::{Rotation, RotationState},
        secret::SecretValue,
    },
    rotation::escrow::Vault,
};
use jackfield_plugin::contract::{
    Blame, Failure,
    hooks::{self, KnownVersion, Purpose},
    wire,
};
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, sync::Arc};

/// What a hook of rotation runs with besides the connection.
pub(super) struct Means<'a> {
    pub(super) rotation: &'a Rotation,
    pub(super) purpose: Purpose,
    pub(super) may_write: bool,
    pub(super) opened: Opened,
    pub(super) escrow: Option<Arc<Vault>>,
}

/// Secrets that a hook has captured.
pub(super) type Captured = BTreeMap<String, SecretValue>;

impl Work<'_> {
    /// What most hooks of rotation run with: the secrets that are in use.
    pub(super) async fn means<'a>(
        &self,
        subject: &Subject<'_>,
        rotation: &'a Rotation,
    ) -> Result<Means<'a>, Failure> {
        let opened = secrets::open_current(self.app, &subject.connection.id).await?;
        Ok(Means { rotation, purpose: Purpose::Interactive, may_write: true, opened, escrow: None })
    }

    /// Runs a hook and reads its answer.
    pub(super) async fn hook<T: DeserializeOwned>(
        &self,
        subject: &Subject<'_>,
        hook: &str,
        means: Means<'_>,
    ) -> Result<(T, Captured), Failure> {
        let (answer, captured) = self.answer(subject, hook, means).await?;
        let answer = wire::decode::<Result<T, Failure>>(&answer, hook, Blame::Plugin)??;
        Ok((answer, captured))
    }

    /// Runs a hook in a worker of its own.
    pub(super) async fn answer(
        &self,
        subject: &Subject<'_>,
        hook: &str,
        means: Means<'_>,
    ) -> Result<(Vec<u8>, Captured), Failure> {
        let mut execution = Execution::start(self.app, subject.plugin, self.orders, self.log).await?;
        let mut surroundings = self.surroundings(subject, means.opened).await?;
        if let (Some(escrow), Some(own)) = (means.escrow, Arc::get_mut(&mut surroundings)) {
            own.keep_answers(escrow);
        }
        let mut invocation = self.invocation(subject, &surroundings.desk);
        invocation.purpose = means.purpose;
        invocation.may_write = means.may_write;
        invocation.rotation = (hook != hooks::TEST).then_some(self.told(means.rotation).await?);
        let handler = capabilities::handler(surroundings.clone());
        let answer = execution.invoke(hook, wire::encode(&invocation), handler).await;
        execution.stop().await;
        Ok((answer?, surroundings.desk.captures()))
    }

    /// What a plugin is told of a rotation.
    async fn told(&self, rotation: &Rotation) -> Result<hooks::Rotation, Failure> {
        let base = self.known(rotation, rotation.base_version).await?;
        let swapped = rotation.state == RotationState::CleanupPending;
        let (current, other) = match swapped {
            true => (self.known(rotation, rotation.new_version).await?, Some(base)),
            false => (base, None),
        };
        let (credential, attempt) = (rotation.credential.clone(), rotation.id.to_string());
        Ok(hooks::Rotation { credential, attempt, current, other })
    }

    pub(super) async fn known(&self, rotation: &Rotation, version: i64) -> Result<KnownVersion, Failure> {
        let known = self.app.store.credentials(&rotation.connection).await?;
        let found = known
            .into_iter()
            .find(|known| known.credential == rotation.credential && known.version == version);
        let (remote_id, expires_at) =
            found.map(|found| (found.remote_id, found.expires_at)).unwrap_or_default();
        Ok(KnownVersion { version, remote_id, expires_at })
    }
}
