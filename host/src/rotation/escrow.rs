//! The escrow of one rotation: answers sealed under the connection's data key, bound to the rotation and the step.

use crate::{
    http::escrow::Escrow,
    model::rotation::{EvidenceKind, Rotation},
    secrets::{Binding, DataKey},
    store::Store,
};
use futures_util::future::BoxFuture;
use jackfield_plugin::contract::Failure;
use zeroize::Zeroizing;

/// The escrow of one rotation.
pub struct Vault {
    store: Store,
    key: DataKey,
    rotation: Rotation,
    /// What the answers are bound to: they open in no other attempt.
    purpose: String,
}

impl Vault {
    /// The escrow of a rotation.
    pub fn new(store: Store, key: DataKey, rotation: Rotation) -> Self {
        let purpose = format!("escrow of {}", rotation.id);
        Vault { store, key, rotation, purpose }
    }

    fn binding<'a>(&'a self, step: &'a str) -> Binding<'a> {
        Binding {
            install: self.store.install_id(),
            connection: self.rotation.connection.as_str(),
            subject: "",
            credential: &self.rotation.credential,
            field: step,
            version: self.rotation.new_version,
            purpose: &self.purpose,
        }
    }

    async fn add(&self, step: &str, kind: EvidenceKind, sealed: &[u8]) -> Result<(), Failure> {
        Ok(self.store.add_evidence(&self.rotation.id, step, kind, sealed).await?)
    }
}

impl Escrow for Vault {
    fn kept<'a>(&'a self, step: &'a str) -> BoxFuture<'a, Result<Option<Zeroizing<Vec<u8>>>, Failure>> {
        Box::pin(async move {
            let evidence = self.store.evidence(&self.rotation.id).await?;
            match super::machine::last(&evidence, step) {
                Some(line) if line.kind == EvidenceKind::Answered => {
                    Ok(Some(self.key.open(&self.binding(step), &line.sealed)?))
                }
                _ => Ok(None),
            }
        })
    }

    fn asking<'a>(&'a self, step: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.add(step, EvidenceKind::Asked, &[]))
    }

    fn keep<'a>(&'a self, step: &'a str, answer: &'a [u8]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let sealed = self.key.seal(&self.binding(step), answer);
            self.add(step, EvidenceKind::Answered, &sealed).await
        })
    }

    fn not_done<'a>(&'a self, step: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.add(step, EvidenceKind::Refused, &[]))
    }
}
