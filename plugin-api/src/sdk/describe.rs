//! Building a description.

use crate::contract::{
    VERSION, Version,
    description::{
        CheckInfo, CredentialInfo, Description, FixedHost, ObjectKind, Roles, RotationMode, SecretUse, Words,
    },
    http::Place,
};
use schemars::{JsonSchema, generate::SchemaSettings};

/// Builds a [`Description`].
pub struct DescriptionBuilder(Description);

impl Description {
    /// Begins the description of a connector whose settings are `S`. `version` is `env!("CARGO_PKG_VERSION")`.
    pub fn of<S: JsonSchema>(id: &str, display_name: &str, version: &str) -> DescriptionBuilder {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        DescriptionBuilder(Description {
            id: id.to_owned(),
            display_name: display_name.to_owned(),
            version: version.to_owned(),
            needs: VERSION,
            summary: String::new(),
            help: String::new(),
            settings: settings.into_generator().into_root_schema_for::<S>().to_value(),
            roles: Roles::default(),
            objects: Vec::new(),
            checks: Vec::new(),
            words: Words::default(),
            credentials: Vec::new(),
            hosts: Vec::new(),
            default_cap: 4,
        })
    }
}

impl DescriptionBuilder {
    /// The contract version that it needs, if that is older than this SDK: the same as in [`export!`](crate::export).
    #[must_use]
    pub fn needs(mut self, needs: Version) -> Self {
        self.0.needs = needs;
        self
    }

    /// One sentence on what it connects to.
    #[must_use]
    pub fn summary(mut self, text: &str) -> Self {
        self.0.summary = text.to_owned();
        self
    }

    /// What has to be set up on the remote side.
    #[must_use]
    pub fn help(mut self, text: &str) -> Self {
        self.0.help = text.to_owned();
        self
    }

    /// It can be the source of a migration.
    #[must_use]
    pub fn source(mut self) -> Self {
        self.0.roles.source = true;
        self
    }

    /// It can be the target of a migration.
    #[must_use]
    pub fn target(mut self) -> Self {
        self.0.roles.target = true;
        self
    }

    /// A kind of object that a refresh finds.
    #[must_use]
    pub fn object(mut self, id: &str, singular: &str, plural: &str) -> Self {
        let (id, singular, plural) = (id.to_owned(), singular.to_owned(), plural.to_owned());
        self.0.objects.push(ObjectKind { id, singular, plural });
        self
    }

    /// A check of the test.
    #[must_use]
    pub fn check(mut self, name: &str, help: &str) -> Self {
        self.0.checks.push(CheckInfo { name: name.to_owned(), help: help.to_owned() });
        self
    }

    /// The word for refreshing.
    #[must_use]
    pub fn refresh_word(mut self, word: &str) -> Self {
        self.0.words.refresh = word.to_owned();
        self
    }

    /// What stays on the remote side when a connection is deleted, and how it is removed there.
    #[must_use]
    pub fn remains(mut self, text: &str) -> Self {
        self.0.words.remains = text.to_owned();
        self
    }

    /// A credential, with the places where its secret fields may go: `(field, place, path)`.
    #[must_use]
    pub fn credential<const N: usize>(
        mut self,
        id: &str,
        label: &str,
        mode: RotationMode,
        uses: [(&str, Place, &str); N],
    ) -> Self {
        let uses = uses.map(|(field, place, path)| SecretUse {
            field: field.to_owned(),
            place,
            path: path.to_owned(),
        });
        let (id, label) = (id.to_owned(), label.to_owned());
        self.0.credentials.push(CredentialInfo { id, label, mode, uses: uses.into() });
        self
    }

    /// A host outside the settings.
    #[must_use]
    pub fn host(mut self, name: &str, origin: &str, reason: &str) -> Self {
        let (name, origin, reason) = (name.to_owned(), origin.to_owned(), reason.to_owned());
        self.0.hosts.push(FixedHost { name, origin, reason });
        self
    }

    /// Default of *Max parallel executions*; 4 unless said otherwise.
    #[must_use]
    pub fn default_cap(mut self, cap: u32) -> Self {
        self.0.default_cap = cap;
        self
    }

    /// The description.
    pub fn build(self) -> Description {
        self.0
    }
}
