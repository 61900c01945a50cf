//! The run of a rotation: what the state machine says is to be done next is done, until there is nothing more to do now.
//!
//! Every hook runs in a worker of its own, so a plugin that dies in one takes nothing with it. What a hook has changed on the
//! remote side is in escrow before the plugin hears of it; what it decided is a fenced compare-and-set. So whoever takes this
//! up after a crash goes on from what is stored, in the same words.

use super::{
    rotation_hooks::Captured,
    run::{Subject, Work, tested},
};
use crate::{
    connections::{generated, secrets},
    model::{
        connection::Connection,
        credential::{CredentialVersion, VersionState},
        rotation::{EvidenceKind, Rotation, RotationState},
        run::{Ending, Hook, RunState},
        secret::SecretValue,
        settings::Field,
    },
    rotation::{
        escrow::Vault,
        machine::{self, Found, Happening, Step},
    },
    store::{Decision, SealedField, VersionChange},
};
use jackfield_plugin::contract::{
    Blame, Failure,
    description::RotationMode,
    hooks::{self, Expiry, Purpose, Staged, Swept},
};
use serde_json::json;
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

/// How often one run asks the remote side for the new version, sweeping in between, before it leaves that to a later one.
const TRIES: u32 = 3;
/// How many of a connection's newest runs are looked at for one that is being driven: there is one of a hook at most.
const RECENT: i64 = 10;

/// Whether there is more to do with a rotation now, or it rests.
type Moved = ControlFlow<Rotation, Rotation>;

impl Work<'_> {
    /// Works on every rotation of the connection that is not at its end, as far as it goes now.
    ///
    /// # Errors
    /// Nothing could be decided: the store failed, or the lease was lost.
    pub(super) async fn rotate(&self, subject: &Subject<'_>) -> Result<Ending, Failure> {
        let open = self.app.store.open_rotations(Some(&subject.connection.id)).await?;
        let is_meant = |rotation: &Rotation| {
            self.orders.credential.as_ref().is_none_or(|credential| *credential == rotation.credential)
        };
        let mut done = Vec::new();
        for rotation in open.into_iter().filter(is_meant) {
            done.push(self.bring_forward(subject, rotation).await?);
        }
        // That a person has not come yet is no failure of anybody's.
        let waits = |rotation: &&Rotation| rotation.state == RotationState::WaitingForPerson;
        let failure =
            done.iter().filter(|rotation| !waits(rotation)).find_map(|rotation| rotation.failure.clone());
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
        mut rotation: Rotation,
    ) -> Result<Rotation, Failure> {
        let mut tries = 0;
        loop {
            let mut evidence = self.app.store.evidence(&rotation.id).await?;
            if !machine::is_withdrawn(&evidence) && self.is_unwanted(&rotation).await? {
                self.app.store.add_evidence(&rotation.id, "", EvidenceKind::Withdrawn, &[]).await?;
                evidence = self.app.store.evidence(&rotation.id).await?;
            }
            let found = Found { state: rotation.state, mode: rotation.mode, evidence: &evidence };
            let moved = match machine::step(found) {
                Step::Begin => self.begin(subject, &rotation).await?,
                Step::Offer => self.offer(subject, &rotation).await?,
                Step::Stage if tries == TRIES => Moved::Break(rotation),
                Step::Sweep => self.sweep(subject, &rotation).await?,
                Step::Stage => {
                    tries += 1;
                    let staged = self.stage(subject, &rotation).await?;
                    match staged {
                        // What is in escrow was no help a second time: it is made anew.
                        Moved::Continue(again) if again.state == RotationState::Applying && tries > 1 => {
                            self.sweep(subject, &again).await?
                        }
                        other => other,
                    }
                }
                Step::Verify => self.verify(subject, &rotation).await?,
                Step::Swap => self.swap(subject, &rotation).await?,
                Step::Retire if self.must_wait(&rotation).await? => Moved::Break(rotation),
                Step::Retire => self.retire(subject, &rotation).await?,
                Step::GiveUp => {
                    // What somebody wanted is no failure.
                    let wanted = self.is_unwanted(&rotation).await?;
                    self.give_up(&rotation, rotation.failure.as_ref().filter(|_| !wanted)).await?
                }
                Step::Nothing => Moved::Break(rotation),
            };
            match moved {
                Moved::Continue(next) => rotation = next,
                Moved::Break(rested) => return Ok(rested),
            }
        }
    }

    /// Whether the new version is not to be put in use any more: somebody says so, or another version has taken the place of the
    /// one that it was to follow.
    async fn is_unwanted(&self, rotation: &Rotation) -> Result<bool, Failure> {
        if !machine::can_be_withdrawn(rotation.state) {
            return Ok(false);
        }
        let versions = self.app.store.credentials(&rotation.connection).await?;
        let current = versions.iter().find(|version| {
            version.credential == rotation.credential && version.state == VersionState::Current
        });
        Ok(self.orders.give_up || current.is_none_or(|current| current.version != rotation.base_version))
    }

    /// Makes a key pair here. One that the connector registers by itself is tested at once; for the others a person is waited for.
    async fn offer(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<Moved, Failure> {
        let field = own_key(subject, rotation)?;
        let value = generated::key_pair().await?;
        let values = BTreeMap::from([(field.id.clone(), value)]);
        let (version, fields) = self.new_version(subject, rotation, values, &Staged::default()).await?;
        let change = VersionChange::Stage(&version, &fields);
        if field.generated.is_some() {
            let note = "a new key pair was made";
            return Ok(Moved::Continue(self.decided(rotation, Happening::Made, note, change).await?));
        }
        let note = "a new key pair was made; its certificate is to be registered in the remote system";
        Ok(Moved::Break(self.decided(rotation, Happening::Offered, note, change).await?))
    }

    /// Asks what the remote side knows of the version in use, and commits that it is about to be asked for a new one.
    async fn begin(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<Moved, Failure> {
        let means = self.means(subject, rotation).await?;
        let known = match self.hook::<Expiry>(subject, hooks::EXPIRY, means).await {
            Ok((known, _)) => known,
            Err(failure) => return self.give_up(rotation, Some(&failure)).await,
        };
        if let Some(failure) = known.not_by_itself {
            return self.give_up(rotation, Some(&failure)).await;
        }
        let (connection, credential) = (&rotation.connection, rotation.credential.as_str());
        let (id, ends) = (known.remote_id.as_deref(), known.expires_at);
        self.app.store.note_version(connection, credential, rotation.base_version, id, ends).await?;
        let note = "the remote system is asked for a new version";
        Ok(Moved::Continue(self.decide(rotation, Happening::Begun, note).await?))
    }

    /// Removes what may have been made without our knowing, and voids what is in escrow.
    async fn sweep(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<Moved, Failure> {
        let mut means = self.means(subject, rotation).await?;
        means.escrow = Some(self.vault(rotation).await?);
        match self.hook::<Swept>(subject, hooks::SWEEP, means).await {
            Ok((swept, _)) => {
                self.app.store.add_evidence(&rotation.id, "", EvidenceKind::Void, &[]).await?;
                tracing::info!(rotation = %rotation.id, removed = swept.removed, "what the attempt had made was removed");
                Ok(Moved::Continue(rotation.clone()))
            }
            Err(failure) => Ok(Moved::Break(self.note(rotation, &failure).await?)),
        }
    }

    /// Lets the remote side make the new version, and stores it.
    async fn stage(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<Moved, Failure> {
        let failure = match self.staged(subject, rotation).await {
            Ok(made) => return Ok(Moved::Continue(made)),
            // Whoever has taken over decides.
            Err(failure) if self.is_lost().await? => return Err(failure),
            Err(failure) => failure,
        };
        let evidence = self.app.store.evidence(&rotation.id).await?;
        match machine::nothing_was_made(&evidence) {
            true => self.give_up(rotation, Some(&failure)).await,
            // It is asked again, from what is in escrow, or after sweeping.
            false => Ok(Moved::Continue(self.note(rotation, &failure).await?)),
        }
    }

    async fn staged(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<Rotation, Failure> {
        let mut means = self.means(subject, rotation).await?;
        means.escrow = Some(self.vault(rotation).await?);
        let (staged, captured) = self.hook::<Staged>(subject, hooks::STAGE, means).await?;
        let values = values_of(subject, rotation, &staged, &captured)?;
        let (version, fields) = self.new_version(subject, rotation, values, &staged).await?;
        let change = VersionChange::Stage(&version, &fields);
        self.decided(rotation, Happening::Made, "the new version is stored", change).await
    }

    /// Tests the new version; what does not pass is not put in use.
    async fn verify(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<Moved, Failure> {
        let staged = secrets::open_staged(self.app, &rotation.connection).await?;
        let mut means = self.means(subject, rotation).await?;
        let is_its = |field: &str| secrets::credential_of(subject.form, field) == rotation.credential;
        means.opened.values.retain(|(field, _)| !is_its(field));
        means.opened.values.extend(staged.values.into_iter().filter(|(field, _)| is_its(field)));
        means.opened.versions.insert(rotation.credential.clone(), rotation.new_version);
        means.purpose = Purpose::Verify;
        // A key pair that the connector registers by itself becomes known to the remote system by this test.
        let registers = own_key(subject, rotation).is_ok_and(|field| field.generated.is_some());
        means.may_write = registers;
        let answer = self.answer(subject, hooks::TEST, means).await.map(|(answer, _)| answer);
        let failure = match answer.and_then(|answer| tested(&answer, subject.description, subject.plugin)) {
            Ok(Ending::Succeeded(_)) => {
                let note = "the new version has passed its test";
                return Ok(Moved::Continue(self.decide(rotation, Happening::Proven, note).await?));
            }
            Ok(Ending::Failed(failure, _)) | Err(failure) => failure,
            Ok(Ending::Cancelled) => Failure::cancelled(),
        };
        if registers {
            self.put_back(subject, rotation).await;
        }
        // Refused twice as what it is, it will not be accepted a third time.
        let is_dead = |failure: &Failure| failure.blame == Blame::Credential;
        if rotation.state == RotationState::Applied
            && is_dead(&failure)
            && rotation.failure.as_ref().is_some_and(is_dead)
        {
            self.app.store.add_evidence(&rotation.id, "", EvidenceKind::Withdrawn, &[]).await?;
            return Ok(Moved::Continue(rotation.clone()));
        }
        let failure = failure.context("the new version was not put in use, because its test did not pass");
        Ok(Moved::Break(self.note(rotation, &failure).await?))
    }

    /// Makes the version in use known to the remote system again, which may know only one.
    async fn put_back(&self, subject: &Subject<'_>, rotation: &Rotation) {
        let tested = match self.means(subject, rotation).await {
            Ok(means) => self.answer(subject, hooks::TEST, means).await.map(drop),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = tested {
            tracing::warn!(rotation = %rotation.id, %failure, "the version in use could not be registered again; a test of the connection does that");
        }
    }

    /// Puts the new version in use.
    async fn swap(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<Moved, Failure> {
        let old = self.known(rotation, rotation.base_version).await?;
        let info = subject.description.credentials.iter().find(|known| known.id == rotation.credential);
        let by_itself = info.is_some_and(|known| known.mode == RotationMode::Automatic);
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
        let store = &self.app.store;
        Ok(Moved::Continue(
            store.decide_rotation(self.lease, rotation, &decision, VersionChange::Swap).await?,
        ))
    }

    /// Whether the old version is still to be kept for a while: somebody may want it back, or a run is using it.
    async fn must_wait(&self, rotation: &Rotation) -> Result<bool, Failure> {
        let now = self.app.store.now().await?;
        if !self.orders.at_once && rotation.next_at.is_some_and(|at| at > now) {
            return Ok(true);
        }
        let runs = self.app.store.runs(Some(&rotation.connection), RECENT).await?;
        Ok(runs.iter().any(|run| run.state == RunState::Running && run.hook != Hook::Rotate))
    }

    /// Removes from the remote side what arrived there too late to be known, and the old version.
    async fn retire(&self, subject: &Subject<'_>, rotation: &Rotation) -> Result<Moved, Failure> {
        if let Some(other) = self.shared_with(subject, rotation).await? {
            let note = format!("the old version stays on the remote side: \"{other}\" uses it too");
            let change = VersionChange::Retire;
            return Ok(Moved::Break(self.decided(rotation, Happening::Retired, &note, change).await?));
        }
        let mut means = self.means(subject, rotation).await?;
        means.escrow = Some(self.vault(rotation).await?);
        if let Err(failure) = self.hook::<Swept>(subject, hooks::SWEEP, means).await {
            return Ok(Moved::Break(self.note(rotation, &failure).await?));
        }
        let means = self.means(subject, rotation).await?;
        match self.hook::<()>(subject, hooks::RETIRE, means).await {
            Ok(_) => {
                let (note, change) = ("the old version is removed", VersionChange::Retire);
                Ok(Moved::Break(self.decided(rotation, Happening::Retired, note, change).await?))
            }
            Err(failure) => Ok(Moved::Break(self.note(rotation, &failure).await?)),
        }
    }

    /// Another connection of this connector that uses a value of the old version.
    async fn shared_with(
        &self,
        subject: &Subject<'_>,
        rotation: &Rotation,
    ) -> Result<Option<String>, Failure> {
        let connections = self.app.store.connections(None).await?;
        let is_other = |other: &&Connection| {
            other.connector == subject.connection.connector && other.id != rotation.connection
        };
        let others: Vec<&Connection> = connections.iter().filter(is_other).collect();
        if others.is_empty() {
            return Ok(None);
        }
        let old = secrets::open_previous(self.app, &rotation.connection).await?.values;
        let is_its = |field: &str| secrets::credential_of(subject.form, field) == rotation.credential;
        let old: Vec<SecretValue> =
            old.into_iter().filter(|(field, _)| is_its(field)).map(|(_, value)| value).collect();
        for other in others {
            let in_use = secrets::open_readable(self.app, &other.id).await?.values;
            if in_use.iter().any(|(_, value)| old.contains(value)) {
                return Ok(Some(other.name.clone()));
            }
        }
        Ok(None)
    }

    /// The new version as it is stored: its new values, and what else belongs to the credential.
    async fn new_version(
        &self,
        subject: &Subject<'_>,
        rotation: &Rotation,
        new: BTreeMap<String, SecretValue>,
        staged: &Staged,
    ) -> Result<(CredentialVersion, Vec<SealedField>), Failure> {
        let current = secrets::open_current(self.app, &rotation.connection).await?.values.into_iter();
        let is_its = |field: &str| secrets::credential_of(subject.form, field) == rotation.credential;
        let mut values: BTreeMap<_, _> = current.filter(|(field, _)| is_its(field)).collect();
        values.extend(new);
        let versions = BTreeMap::from([(rotation.credential.clone(), rotation.new_version - 1)]);
        let sealed = secrets::seal(self.app, subject.connection, subject.form, &values, &versions).await?;
        let (mut version, fields) = sealed
            .into_iter()
            .next()
            .ok_or_else(|| Failure::jackfield("a new version of a credential has no values"))?;
        version.state = VersionState::Staged;
        version.remote_id = staged.remote_id.clone();
        version.expires_at = version.expires_at.into_iter().chain(staged.expires_at).min();
        version.note = format!("rotation {}", rotation.id);
        Ok((version, fields))
    }

    async fn vault(&self, rotation: &Rotation) -> Result<Arc<Vault>, Failure> {
        let key = self.app.data_key(&rotation.connection).await?;
        Ok(Arc::new(Vault::new(self.app.store.clone(), key, rotation.clone())))
    }

    /// Whether somebody else has taken the run over.
    async fn is_lost(&self) -> Result<bool, Failure> {
        let run = self.app.store.run(&self.lease.run).await?;
        Ok(run.is_none_or(|run| run.attempt != self.lease.attempt || run.state.is_final()))
    }

    /// Ends a rotation of which nothing is left on the remote side.
    async fn give_up(&self, rotation: &Rotation, failure: Option<&Failure>) -> Result<Moved, Failure> {
        let failure = failure.map(|failure| self.log.scrubbed_failure(failure));
        let decision = Decision {
            from: rotation.state,
            to: self.led_to(rotation, Happening::GivenUp)?,
            note: "given up; the version before stays in use",
            failure: failure.as_ref(),
            next_at: None,
        };
        let store = &self.app.store;
        let change = VersionChange::Discard;
        Ok(Moved::Break(store.decide_rotation(self.lease, rotation, &decision, change).await?))
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

/// The field of a credential that is a private key of ours.
fn own_key<'a>(subject: &Subject<'a>, rotation: &Rotation) -> Result<&'a Field, Failure> {
    let is_its = |field: &&Field| {
        secrets::credential_of(subject.form, &field.id) == rotation.credential
            && (field.generated.is_some() || !field.private_key.is_empty())
    };
    subject.form.fields.iter().find(is_its).ok_or_else(|| {
        Failure::plugin(format!(
            "the credential \"{}\" has no private key that could be made here",
            rotation.credential
        ))
    })
}

/// The values of a new version, as the plugin has captured them.
fn values_of(
    subject: &Subject<'_>,
    rotation: &Rotation,
    staged: &Staged,
    captured: &Captured,
) -> Result<BTreeMap<String, SecretValue>, Failure> {
    if staged.values.is_empty() {
        return Err(Failure::plugin("the plugin stages a new version without a value"));
    }
    let of = |value: &hooks::StagedValue| {
        let is_its = secrets::credential_of(subject.form, &value.field) == rotation.credential;
        let found = captured.get(&value.captured).filter(|found| is_its && !found.reveal().is_empty());
        let found = found.ok_or_else(|| {
            Failure::plugin(format!(
                "the plugin stages \"{}\" as the new \"{}\", but captured no such value for that credential",
                value.captured, value.field
            ))
        })?;
        Ok((value.field.clone(), found.clone()))
    };
    staged.values.iter().map(of).collect()
}
