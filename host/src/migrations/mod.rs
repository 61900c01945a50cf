//! Migrations: from which connection to which other one content is to be moved.
//!
//! A migration holds two connections and nothing of theirs: what can be moved is what their newest catalogs say. A connector
//! says itself which sides it can be; that is asked when a migration is made, and again whenever it is shown, because another
//! version of the plugin may say something else. A connection stays as long as a migration uses it.

use crate::{
    app::App,
    connections::{check_no_secret, secrets},
    model::{
        catalog::KindSummary,
        connection::Connection,
        id::MigrationId,
        migration::{Migration, Side, roles_in_words},
        name,
        secret::SecretValue,
        text::shell_word,
    },
};
use jackfield_plugin::contract::{Failure, Stage};
use std::collections::BTreeMap;

/// What a person wants to migrate.
#[derive(Clone, Debug)]
pub struct NewMigration {
    /// The name.
    pub name: String,
    /// Notes.
    pub description: String,
    /// Where content is read.
    pub source: Connection,
    /// Where it is written.
    pub target: Connection,
}

/// A migration with its connections.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The migration.
    pub migration: Migration,
    /// Where content is read.
    pub source: Connection,
    /// Where it is written.
    pub target: Connection,
}

impl Whole {
    /// The connection of a side.
    pub fn connection(&self, side: Side) -> &Connection {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

/// What one side of a migration offers.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Which side it is.
    pub side: Side,
    /// Its connection.
    pub connection: Connection,
    /// Its kinds of objects, as the newest catalog has them. None if no refresh has succeeded yet.
    pub kinds: Vec<KindSummary>,
    /// Why the connection cannot be this side today, if it cannot.
    pub obstacle: Option<Failure>,
}

/// Checks what is wanted. Nothing is kept yet.
///
/// # Errors
/// The name is taken or cannot be read, a connection cannot be its side, or both are the same.
pub async fn check(app: &App, new: NewMigration) -> Result<Migration, Failure> {
    let name = name::readable(&new.name)?;
    if let Some(other) = app.store.migration_by_name(&name).await? {
        return Err(name::taken(&other.name));
    }
    if new.source.id == new.target.id {
        let text = format!("\"{}\" cannot be both the source and the target of a migration", new.source.name);
        return Err(Failure::you(text).at(Stage::Settings).field("target").remedy("name two different ones"));
    }
    for (side, connection) in [(Side::Source, &new.source), (Side::Target, &new.target)] {
        if let Some(obstacle) = obstacle(app, connection, side).await? {
            return Err(obstacle.remedy(candidates(app, side).await?));
        }
        let own = [("name", name.as_str()), ("description", new.description.as_str())];
        let known: BTreeMap<String, SecretValue> =
            secrets::open_readable(app, &connection.id).await?.values.into_iter().collect();
        check_no_secret(own.into_iter(), &known)?;
    }
    Ok(Migration {
        id: MigrationId::random(),
        name,
        description: new.description,
        source: new.source.id,
        target: new.target.id,
        created_at: app.store.now().await?,
    })
}

/// Keeps a migration that was checked.
///
/// # Errors
/// The name was taken, or one of its connections deleted, meanwhile.
pub async fn save(app: &App, migration: &Migration) -> Result<(), Failure> {
    Ok(app.store.insert_migration(migration).await?)
}

/// Deletes a migration. Its connections stay.
///
/// # Errors
/// Somebody else has deleted it, or the store failed.
pub async fn delete(app: &App, migration: &Migration) -> Result<(), Failure> {
    Ok(app.store.delete_migration(migration).await?)
}

/// The migration of a name, or of an id.
///
/// # Errors
/// There is none; the failure names others.
pub async fn find(app: &App, name: &str) -> Result<Migration, Failure> {
    if let Some(found) = app.store.migration_by_name(name).await? {
        return Ok(found);
    }
    let all = app.store.migrations().await?;
    if let Some(found) = all.iter().find(|migration| migration.id.as_str() == name) {
        return Ok(found.clone());
    }
    Err(name::unknown("migration", name, all.iter().map(|migration| migration.name.as_str())))
}

/// A migration with its connections.
///
/// # Errors
/// It was deleted meanwhile, for its connections stay as long as it does; or the store failed.
pub async fn whole(app: &App, migration: Migration) -> Result<Whole, Failure> {
    let (source, target) =
        (app.store.connection(&migration.source).await?, app.store.connection(&migration.target).await?);
    match (source, target) {
        (Some(source), Some(target)) => Ok(Whole { migration, source, target }),
        _ => Err(Failure::you(format!("the migration \"{}\" was deleted meanwhile", migration.name))),
    }
}

/// What both sides offer, the source first. No system is asked; that is what a refresh is for.
///
/// # Errors
/// The store failed.
pub async fn offers(app: &App, whole: &Whole) -> Result<[Offer; 2], Failure> {
    let (source, target) = (offer(app, whole, Side::Source).await?, offer(app, whole, Side::Target).await?);
    Ok([source, target])
}

async fn offer(app: &App, whole: &Whole, side: Side) -> Result<Offer, Failure> {
    let connection = whole.connection(side).clone();
    let kinds = app.store.kinds(&connection.id).await?;
    let remedy = format!(
        "use a version of the plugin that can be the {}, or delete the migration: jackfield migration delete {}",
        side.as_str(),
        shell_word(&whole.migration.name)
    );
    let obstacle = match obstacle(app, &connection, side).await {
        Ok(obstacle) => obstacle.map(|obstacle| obstacle.remedy(remedy)),
        // Nobody knows as long as the plugin is missing or cannot be asked.
        Err(failure) => Some(failure),
    };
    Ok(Offer { side, connection, kinds, obstacle })
}

/// Why a connection cannot be a side, if its connector says that it cannot.
async fn obstacle(app: &App, connection: &Connection, side: Side) -> Result<Option<Failure>, Failure> {
    let description = app.describe(&connection.connector).await?;
    let roles = description.roles;
    if side.is_among(roles) {
        return Ok(None);
    }
    let only = if roles.source || roles.target { "only " } else { "" };
    let failure = Failure::you(format!(
        "\"{}\" cannot be the {} of a migration: its connector {} {} can {only}be {}",
        connection.name,
        side.as_str(),
        description.id,
        description.version,
        roles_in_words(roles)
    ));
    Ok(Some(failure.at(Stage::Settings).field(side.as_str())))
}

/// The connections that can be a side, in a sentence.
async fn candidates(app: &App, side: Side) -> Result<String, Failure> {
    let mut fitting = Vec::new();
    for connection in app.store.connections(None).await? {
        // A plugin that cannot be asked is not what this is about.
        if matches!(obstacle(app, &connection, side).await, Ok(None)) {
            fitting.push(connection.name);
        }
    }
    let side = side.as_str();
    Ok(match fitting.is_empty() {
        true => format!(
            "add a connection that can be a {side}; `jackfield plugin show CONNECTOR` says what a connector can be"
        ),
        false => format!("the {side} can be: {}", fitting.join(", ")),
    })
}
