//! The run of a rotation: what the state machine says is to be done next is done, until there is nothing more to do now.
//!
//! Every hook runs in a worker of its own, so a plugin that dies in one takes nothing with it. What a hook has changed on the
//! remote side is in escrow before the plugin hears of it; what it decided is a fenced compare-and-set. So whoever takes this
//! up after a crash goes on from what is stored, in the same words.

use super::{
    capabilities,
    execution::Execution,
    run::{Subject, Work, tested},
};
use crate::{
    connections::secrets::{self, Opened},
    model::{
        credential::{CredentialVersion, VersionState},
        rotation::{EvidenceKind, Rotation, RotationState},
        run::Ending,
        secret::SecretValue,
    },
    plugins::Plugin,
    rotation::{
        escrow::Vault,
        machine::{self, Happening, Step},
    },
    store::{Decision, SealedField, VersionChange},
};
use jackfield_plugin::contract::{
    Blame, Failure,
    description::RotationMode,
    hooks::{self, Expiry, KnownVersion, Purpose, Staged, Swept},
    wire,
};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// How often one run asks the remote side for the new version, sweeping in between, before it leaves that to a later one.
const TRIES: u32 = 3;

/// What a hook of rotation runs with besides the connection.
struct Means<'a> {
    rotation: &'a Rotation,
    purpose: Purpose,
    opened: Opened,
    escrow: Option<Arc<Vault>>,
}

/// Secrets that a hook has captured.
type Captured = BTreeMap<String, SecretValue>;

impl Work<'_> {
    /// Works on every rotation of the connection that is not at its end, as far as it goes now.
    ///
    /// # Errors
    /// Nothing could be decided: the store failed, or the lease was lost.
    pub(super) async fn rotate(&self, subject: &Subject<'_>, plugin: &Plugin) -> Result<Ending, Failure> {
        let open = self.app.store.open_rotations(Some(&subject.connection.id)).await?;
        let mut done = Vec::new();
        for rotation in open {
            done.push(self.bring_forward(subject, plugin, rotation).await?);
        }
        let failure = done.iter().find_map(|rotation| rotation.failure.clone());
        let result = json!({ "rotations": done });
        Ok(match failure {
            Some(failure) => Ending::Failed(failure, Some(result)),
            None => Ending::Succeeded(result),
        })
    }

    /// Does what is to be done with a rotation until it rests: at its end, or because it has to wait.
    async fn bring_forward(
        &self,
        subject: &Subject<'_>,
        plugin: &Plugin,
        mut rotation: Rotation,
    ) -> Result<Rotation, Failure> {
        let mut tries = 0;
        loop {
            let evidence = self.app.store.evidence(&rotation.id).await?;
            let step = machine::step(rotation.state, rotation.mode, &evidence);
            let (next, rests) = match step {
                Step::Begin => self.begin(subject, plugin, &rotation).await?,
                Step::Sweep | Step::Stage if tries == TRIES => (rotation, true),
                Step::Sweep => self.sweep(subject, plugin, &rotation).await?,
                Step::Stage => {
                    tries += 1;
                    self.stage(subject, plugin, &rotation).await?
                }
                Step::Verify => self.verify(subject, plugin, &rotation).await?,
                Step::Swap => self.swap(subject, &rotation).await?,
                Step::Retire if self.must_wait(&rotation).await? => (rotation, true),
                Step::Retire => self.retire(subject, plugin, &rotation).await?,
                Step::Offer | Step::Wait | Step::Nothing => (rotation, true),
            };
            rotation = next;
            if rests {
                return Ok(rotation);
            }
        }
    }

    /// Asks what the remote side knows of the version in use, and commits that it is about to be asked for a new one.
    async fn begin(
        &self,
        subject: &Subject<'_>,
        plugin: &Plugin,
        rotation: &Rotation,
    ) -> Result<(Rotation, bool), Failure> {
        let means = Means { escrow: None, ..self.means(subject, rotation).await? };
        let known = match self.hook::<Expiry>(subject, plugin, hooks::EXPIRY, means).await {
            Ok((known, _)) => known,
            Err(failure) => return self.give_up(rotation, &failure).await,
        };
        if let Some(failure) = known.not_by_itself {
            return self.give_up(rotation, &failure).await;
        }
        let (connection, credential) = (&rotation.connection, rotation.credential.as_str());
        let store = &self.app.store;
        store
            .note_version(
                connection,
                credential,
                rotation.base_version,
                known.remote_id.as_deref(),
                known.expires_at,
            )
            .await?;
        Ok((
            self.decide(rotation, Happening::Begun, "the remote system is asked for a new version").await?,
            false,
        ))
    }

    /// Removes what may have been made without our knowing, and voids what is in escrow.
    async fn sweep(
        &self,
        subject: &Subject<'_>,
        plugin: &Plugin,
        rotation: &Rotation,
    ) -> Result<(Rotation, bool), Failure> {
        let means = Means { escrow: None, ..self.means(subject, rotation).await? };
        match self.hook::<Swept>(subject, plugin, hooks::SWEEP, means).await {
            Ok((swept, _)) => {
                self.app.store.add_evidence(&rotation.id, "", EvidenceKind::Void, &[]).await?;
                tracing::info!(rotation = %rotation.id, removed = swept.removed, "what an interrupted attempt left was removed");
                Ok((rotation.clone(), false))
            }
            Err(failure) => Ok((self.note(rotation, &failure).await?, true)),
        }
    }

    /// Lets the remote side make the new version, and stores it.
    async fn stage(
        &self,
        subject: &Subject<'_>,
        plugin: &Plugin,
        rotation: &Rotation,
    ) -> Result<(Rotation, bool), Failure> {
        let key = self.app.data_key(&rotation.connection).await?;
        let vault = Arc::new(Vault::new(self.app.store.clone(), key, rotation.clone()));
        let means = Means { escrow: Some(vault), ..self.means(subject, rotation).await? };
        let failure = match self.hook::<Staged>(subject, plugin, hooks::STAGE, means).await {
            Ok((staged, captured)) => match self.sealed(subject, rotation, &staged, &captured).await {
                Ok((version, fields)) => {
                    let change = VersionChange::Stage(&version, &fields);
                    let made =
                        self.decided(rotation, Happening::Made, "the new version is stored", change).await?;
                    return Ok((made, false));
                }
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        let evidence = self.app.store.evidence(&rotation.id).await?;
        match machine::nothing_was_made(&evidence) {
            true => self.give_up(rotation, &failure).await,
            // It is asked again, from what is in escrow, or after sweeping.
            false => Ok((self.note(rotation, &failure).await?, false)),
        }
    }

    /// Tests the new version; what does not pass is not put in use.
    async fn verify(
        &self,
        subject: &Subject<'_>,
        plugin: &Plugin,
        rotation: &Rotation,
    ) -> Result<(Rotation, bool), Failure> {
        let staged = secrets::open_staged(self.app, &rotation.connection).await?;
        let mut means =
            Means { purpose: Purpose::Verify, escrow: None, ..self.means(subject, rotation).await? };
        let is_its = |field: &str| secrets::credential_of(subject.form, field) == rotation.credential;
        means.opened.values.retain(|(field, _)| !is_its(field));
        means.opened.values.extend(staged.values.into_iter().filter(|(field, _)| is_its(field)));
        means.opened.versions.insert(rotation.credential.clone(), rotation.new_version);
        let answer = self.answer(subject, plugin, hooks::TEST, means).await.map(|(answer, _)| answer);
        let ending = match answer.and_then(|answer| tested(&answer, subject.description, plugin)) {
            Ok(ending) => self.log.scrubbed(ending),
            Err(failure) => Ending::Failed(failure, None),
        };
        match ending {
            Ending::Succeeded(_) => Ok((
                self.decide(rotation, Happening::Proven, "the new version has passed its test").await?,
                false,
            )),
            Ending::Failed(failure, _) => {
                let failure =
                    failure.context("the new version was not put in use, because its test did not pass");
                Ok((self.note(rotation, &failure).await?, true))
            }
            Ending::Cancelled => Ok((rotation.clone(), true)),
        }
    }

    /// Puts the new version in use.
    async fn swap(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<(Rotation, bool), Failure> {
        let old = self.known(rotation, rotation.base_version).await?;
        let mode = subject.description.credentials.iter().find(|known| known.id == rotation.credential);
        let by_itself = mode.is_some_and(|known| known.mode == RotationMode::Automatic);
        let happening = match by_itself && old.remote_id.is_some() {
            true => Happening::SwappedWithRest,
            false => Happening::Swapped,
        };
        let grace = i64::from(self.app.config.rotation.grace_minutes) * 60_000;
        let next_at = self.app.store.now().await? + grace;
        let decision = Decision {
            from: rotation.state,
            to: self.led_to(rotation, happening)?,
            note: "the new version is in use",
            failure: None,
            next_at: (happening == Happening::SwappedWithRest).then_some(next_at),
        };
        let swapped =
            self.app.store.decide_rotation(self.lease, rotation, &decision, VersionChange::Swap).await?;
        Ok((swapped, false))
    }

    /// Whether the old version is still to be kept for a while: somebody may want it back, or a run may be using it.
    async fn must_wait(&self, rotation: &Rotation) -> Result<bool, Failure> {
        let now = self.app.store.now().await?;
        Ok(!self.orders.at_once && rotation.next_at.is_some_and(|at| at > now))
    }

    /// Removes the old version from the remote side.
    async fn retire(
        &self,
        subject: &Subject<'_>,
        plugin: &Plugin,
        rotation: &Rotation,
    ) -> Result<(Rotation, bool), Failure> {
        let means = Means { escrow: None, ..self.means(subject, rotation).await? };
        match self.hook::<()>(subject, plugin, hooks::RETIRE, means).await {
            Ok(_) => {
                let (note, change) = ("the old version is removed", VersionChange::Retire);
                Ok((self.decided(rotation, Happening::Retired, note, change).await?, true))
            }
            Err(failure) => Ok((self.note(rotation, &failure).await?, true)),
        }
    }

    /// The new version as it is stored: what was captured, and what else belongs to the credential.
    async fn sealed(
        &self,
        subject: &Subject<'_>,
        rotation: &Rotation,
        staged: &Staged,
        captured: &Captured,
    ) -> Result<(CredentialVersion, Vec<SealedField>), Failure> {
        let current = secrets::open_current(self.app, &rotation.connection).await?.values.into_iter();
        let is_its = |field: &str| secrets::credential_of(subject.form, field) == rotation.credential;
        let mut values: BTreeMap<_, _> = current.filter(|(field, _)| is_its(field)).collect();
        for value in &staged.values {
            let found = captured.get(&value.captured).filter(|_| is_its(&value.field));
            let Some(found) = found.filter(|found| !found.reveal().is_empty()) else {
                return Err(Failure::plugin(format!(
                    "the plugin stages \"{}\" as the new \"{}\", but captured no such value for that credential",
                    value.captured, value.field
                )));
            };
            values.insert(value.field.clone(), found.clone());
        }
        let versions = BTreeMap::from([(rotation.credential.clone(), rotation.new_version - 1)]);
        let sealed = secrets::seal(self.app, subject.connection, subject.form, &values, &versions).await?;
        let (mut version, fields) = sealed
            .into_iter()
            .next()
            .filter(|_| !staged.values.is_empty())
            .ok_or_else(|| Failure::plugin("the plugin stages a new version without a value"))?;
        version.state = VersionState::Staged;
        version.remote_id = staged.remote_id.clone();
        version.expires_at = version.expires_at.into_iter().chain(staged.expires_at).min();
        version.note = format!("rotation {}", rotation.id);
        Ok((version, fields))
    }

    /// What most hooks of rotation run with: the secrets that are in use.
    async fn means<'a>(&self, subject: &Subject<'_>, rotation: &'a Rotation) -> Result<Means<'a>, Failure> {
        let opened = secrets::open_current(self.app, &subject.connection.id).await?;
        Ok(Means { rotation, purpose: Purpose::Interactive, opened, escrow: None })
    }

    /// Runs a hook and reads its answer.
    async fn hook<T: DeserializeOwned>(
        &self,
        subject: &Subject<'_>,
        plugin: &Plugin,
        hook: &str,
        means: Means<'_>,
    ) -> Result<(T, Captured), Failure> {
        let (answer, captured) = self.answer(subject, plugin, hook, means).await?;
        let answer = wire::decode::<Result<T, Failure>>(&answer, hook, Blame::Plugin)??;
        Ok((answer, captured))
    }

    /// Runs a hook in a worker of its own.
    async fn answer(
        &self,
        subject: &Subject<'_>,
        plugin: &Plugin,
        hook: &str,
        means: Means<'_>,
    ) -> Result<(Vec<u8>, Captured), Failure> {
        let mut execution = Execution::start(self.app, plugin, self.orders, self.log).await?;
        let mut surroundings = self.surroundings(subject, means.opened).await?;
        if let (Some(escrow), Some(own)) = (means.escrow, Arc::get_mut(&mut surroundings)) {
            own.keep_answers(escrow);
        }
        let mut invocation = self.invocation(subject, &surroundings.desk);
        invocation.purpose = means.purpose;
        invocation.may_write = means.purpose != Purpose::Verify;
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

    async fn known(&self, rotation: &Rotation, version: i64) -> Result<KnownVersion, Failure> {
        let known = self.app.store.credentials(&rotation.connection).await?;
        let found = known
            .into_iter()
            .find(|known| known.credential == rotation.credential && known.version == version);
        let (remote_id, expires_at) =
            found.map(|found| (found.remote_id, found.expires_at)).unwrap_or_default();
        Ok(KnownVersion { version, remote_id, expires_at })
    }

    /// Ends a rotation of which nothing was made.
    async fn give_up(&self, rotation: &Rotation, failure: &Failure) -> Result<(Rotation, bool), Failure> {
        let failure = self.log.scrubbed_failure(failure);
        let decision = Decision {
            from: rotation.state,
            to: self.led_to(rotation, Happening::GivenUp)?,
            note: "nothing was made",
            failure: Some(&failure),
            next_at: None,
        };
        let store = &self.app.store;
        Ok((store.decide_rotation(self.lease, rotation, &decision, VersionChange::None).await?, true))
    }

    /// Notes what went wrong, in the state that it is.
    async fn note(&self, rotation: &Rotation, failure: &Failure) -> Result<Rotation, Failure> {
        let failure = self.log.scrubbed_failure(failure);
        let decision = Decision {
            from: rotation.state,
            to: rotation.state,
            note: &failure.message,
            failure: Some(&failure),
            next_at: rotation.next_at,
        };
        let store = &self.app.store;
        Ok(store.decide_rotation(self.lease, rotation, &decision, VersionChange::None).await?)
    }

    async fn decide(
        &self,
        rotation: &Rotation,
        happening: Happening,
        note: &str,
    ) -> Result<Rotation, Failure> {
        self.decided(rotation, happening, note, VersionChange::None).await
    }

    async fn decided(
        &self,
        rotation: &Rotation,
        happening: Happening,
        note: &str,
        change: VersionChange<'_>,
    ) -> Result<Rotation, Failure> {
        let to = self.led_to(rotation, happening)?;
        let decision = Decision { from: rotation.state, to, note, failure: None, next_at: None };
        Ok(self.app.store.decide_rotation(self.lease, rotation, &decision, change).await?)
    }

    fn led_to(&self, rotation: &Rotation, happening: Happening) -> Result<RotationState, Failure> {
        machine::next(rotation.state, happening).ok_or_else(|| {
            Failure::jackfield(format!(
                "the rotation {} is {}, where {happening:?} cannot happen",
                rotation.id,
                rotation.state.as_str()
            ))
        })
    }
}
