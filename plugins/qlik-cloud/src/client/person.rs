//! The person to act for: found by email, known to the tenant by the subject that an identity provider gives.

use super::{ORIGIN, Page, Refusal, get, key};
use crate::settings::{Settings, USER_EMAIL};
use jackfield_plugin::{Blame, Context, Failure, Secret, Stage, sdk::Row};

const USERS_PATH: &str = "/api/v1/users";

/// A user of the tenant who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// Its id.
    pub(super) id: String,
    /// By what the tenant recognizes it.
    pub(super) subject: String,
    /// Its name.
    pub(super) name: String,
    /// Its email, as the tenant writes it.
    pub(super) email: String,
}

/// Looks a user up by email, with an API key.
///
/// # Errors
/// There is not exactly one active user with this email, or the key may not look.
pub(super) async fn find(context: &Context<Settings>, key: &Secret, email: &str) -> Result<Person, Failure> {
    // In the filter's own language (RFC 7644) a text stands as in JSON.
    let filter = format!("email eq {}", serde_json::Value::from(email));
    let request = get(USERS_PATH).query("filter", filter).query("limit", 100).bearer(key);
    let response = context.http().send(&request).await?;
    if !response.is_success() {
        return Err(refused(&Refusal::of(&response), key, email));
    }
    let page: Page<'_> = response.page().map_err(|failure| {
        failure
            .context("the tenant did not answer with its users")
            .remedy("check that the tenant URL leads straight to the tenant")
            .field(ORIGIN)
    })?;
    choose(&page.data, email)
}

/// The one active user among the rows of an answer.
fn choose(rows: &[Row<'_>], email: &str) -> Result<Person, Failure> {
    let same = |row: &&Row<'_>| {
        // Only those who may read users are told their emails.
        row.text("email").is_none_or(|theirs| theirs.to_lowercase() == email.to_lowercase())
    };
    let found: Vec<_> = rows.iter().filter(same).collect();
    let active: Vec<_> =
        found.iter().filter(|row| row.text("status").is_none_or(|status| status == "active")).collect();
    match (active.as_slice(), found.first()) {
        ([], None) => Err(failure(Blame::You, format!("no user of the tenant has the email \"{email}\""))
            .remedy("give the email under which the person is a user of this tenant (Administration activity center, Manage users, All users), or invite the person there")),
        ([], Some(row)) => Err(inactive(row, email)),
        ([row], _) => person(row, email),
        (many, _) => Err(ambiguous(many, email)),
    }
}

fn person(row: &Row<'_>, email: &str) -> Result<Person, Failure> {
    let text = |name: &str| row.text(name).map(|text| text.into_owned());
    match (text("id"), text("subject")) {
        (Some(id), Some(subject)) => Ok(Person {
            id,
            subject,
            name: text("name").unwrap_or_else(|| email.to_owned()),
            email: text("email").unwrap_or_else(|| email.to_owned()),
        }),
        _ => Err(Failure::remote(format!(
            "the tenant knows a user with the email \"{email}\", but does not say by which subject"
        ))
        .remedy("try again; if it lasts, show it to Qlik's support")),
    }
}

fn inactive(row: &Row<'_>, email: &str) -> Failure {
    let status = row.text("status").unwrap_or_default();
    let name = row.text("name").unwrap_or_else(|| email.into());
    let remedy = match &*status {
        "invited" | "provisioned" => {
            "the person has to sign in to Qlik Cloud once, which makes the user active"
        }
        _ => "enable the user: Administration activity center, Manage users, All users",
    };
    failure(
        Blame::Credential,
        format!("the user \"{name}\" with the email \"{email}\" is {status} in the tenant"),
    )
    .remedy(remedy)
}

fn ambiguous(rows: &[&&Row<'_>], email: &str) -> Failure {
    let subjects: Vec<_> = rows.iter().take(3).filter_map(|row| row.text("subject")).collect();
    failure(
        Blame::You,
        format!(
            "{} active users of the tenant have the email \"{email}\", so it is not clear for whom to act (their subjects: {}{})",
            rows.len(),
            subjects.join(", "),
            if rows.len() > subjects.len() { ", …" } else { "" }
        ),
    )
    .remedy("the tenant tells people apart by the subject that an identity provider gives them, not by their email: disable those that are out of use (Administration activity center, Manage users, All users)")
}

fn failure(blame: Blame, message: String) -> Failure {
    Failure::new(blame, message).at(Stage::SignIn).field(USER_EMAIL)
}

fn refused(refusal: &Refusal, key: &Secret, email: &str) -> Failure {
    if let Some(failure) = refusal.common() {
        return failure;
    }
    let summary = refusal.summary();
    match refusal.status {
        401 => key::refused(refusal, key, None),
        403 => refusal
            .failure(
                Blame::Credential,
                Stage::Permission,
                format!("the API key may not look up the user with the email \"{email}\" ({summary})"),
            )
            .remedy("the key has to be one of a user with the role Tenant Admin")
            .field(key.field()),
        _ => refusal
            .failure(
                Blame::Remote,
                Stage::Answer,
                format!("the tenant does not say which user has the email \"{email}\" ({summary})"),
            )
            .remedy("check that the email is written as people write it, and that the tenant URL leads straight to the tenant")
            .field(USER_EMAIL),
    }
}

/// Whether something that came from an answer can stand in a path: an id, and nothing that leads elsewhere.
pub(super) fn segment(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(rows: &str) -> Result<Person, Failure> {
        choose(&serde_json::from_str::<Vec<Row<'_>>>(rows).unwrap(), "Ada@Example.com")
    }

    #[test]
    fn one_active_user_is_chosen() {
        let ada = Person {
            id: "1".to_owned(),
            subject: "auth0|ada".to_owned(),
            name: "Ada".to_owned(),
            email: "ada@example.com".to_owned(),
        };
        let row =
            r#"{"id":"1","subject":"auth0|ada","name":"Ada","email":"ada@example.com","status":"active"}"#;
        let old = r#"{"id":"2","subject":"old|ada","email":"ada@example.com","status":"disabled"}"#;
        let other = r#"{"id":"3","subject":"x","email":"bob@example.com","status":"active"}"#;
        for rows in [format!("[{row}]"), format!("[{old},{row}]"), format!("[{row},{other}]")] {
            assert_eq!(chosen(&rows).as_ref(), Ok(&ada), "{rows}");
        }
        // Those who may not read users are told less.
        let brief = chosen(r#"[{"id":"1","subject":"s","status":"active"}]"#).unwrap();
        assert_eq!((brief.name.as_str(), brief.email.as_str()), ("Ada@Example.com", "Ada@Example.com"));
    }

    #[test]
    fn nobody_is_guessed() {
        let told = [
            r"[]",
            r#"[{"id":"3","subject":"x","email":"bob@example.com","status":"active"}]"#,
            r#"[{"id":"1","subject":"s","name":"Ada","status":"disabled"}]"#,
            r#"[{"id":"1","subject":"s","name":"Ada","status":"invited"}]"#,
            r#"[{"id":"1","subject":"a"},{"id":"2","subject":"b","status":"active"},{"id":"3","subject":"c"},{"id":"4","subject":"d"}]"#,
            r#"[{"id":"1","status":"active"}]"#,
        ]
        .map(|rows| {
            let failure = chosen(rows).unwrap_err();
            format!("{}\n  → {}\n", failure.message, failure.remedy.unwrap())
        })
        .concat();
        insta::assert_snapshot!(told, @r#"
        no user of the tenant has the email "Ada@Example.com"
          → give the email under which the person is a user of this tenant (Administration activity center, Manage users, All users), or invite the person there
        no user of the tenant has the email "Ada@Example.com"
          → give the email under which the person is a user of this tenant (Administration activity center, Manage users, All users), or invite the person there
        the user "Ada" with the email "Ada@Example.com" is disabled in the tenant
          → enable the user: Administration activity center, Manage users, All users
        the user "Ada" with the email "Ada@Example.com" is invited in the tenant
          → the person has to sign in to Qlik Cloud once, which makes the user active
        4 active users of the tenant have the email "Ada@Example.com", so it is not clear for whom to act (their subjects: a, b, c, …)
          → the tenant tells people apart by the subject that an identity provider gives them, not by their email: disable those that are out of use (Administration activity center, Manage users, All users)
        the tenant knows a user with the email "Ada@Example.com", but does not say by which subject
          → try again; if it lasts, show it to Qlik's support
        "#);
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        assert!(segment("q3VRZ4YMixRaLKEPhkZWM-XMIDN7cO8f"));
        for id in ["", "..", "a/b", "a?b", "a%2Fb"] {
            assert!(!segment(id), "{id}");
        }
    }
}
