//! Acting as a user: the user is looked up by email with an API key; a token for the user's subject, signed by the key pair that
//! the host keeps, opens a session as a browser has one (`POST /login/jwt-session`); everything else is asked with its cookies.
//!
//! Only writes would need the token against forgery besides (`GET /api/v1/csrf-token`), and nothing is written in a session.

use super::{Caller, ME_PATH, ORIGIN, PASSING, Refusal, get, given, key, me_refused, person, person::Person};
use crate::settings::{QLIK_SENSE_API_KEY, SIGNING_KEY, Settings, USER_EMAIL};
use jackfield_plugin::{
    Blame, Context, Failure, Request, Response, Secret, Stage,
    contract::{http::Place, secrets::SignJwt},
    futures::lock::Mutex,
};

const LOGIN_PATH: &str = "/login/jwt-session";
/// What the tenant wants as the audience of such a token.
const AUDIENCE: &str = "qlik.api/login/jwt-session";
/// The name of the signed token.
const TOKEN: &str = "user_jwt";
/// The name of the cookie jar.
const JAR: &str = "user_session";
/// How long a token is valid, in seconds; from its beginning it may be an hour.
const LIFETIME: u32 = 300;
/// How far its beginning lies in the past, in seconds: the tenant's clock may be behind.
const BACKDATE: u32 = 60;
/// How long to wait before trying again with a key that was registered a moment ago: tenants spread it over their machines.
const SPREADING_MS: [u64; 3] = [1_000, 2_000, 3_000];

/// Signs in as a user.
pub(crate) struct AsUser<'a> {
    pub(super) context: &'a Context<Settings>,
    pub(super) key: &'a Secret,
    pub(super) pair: &'a Secret,
    email: String,
    session: Mutex<Session>,
}

/// What there is of a session.
#[derive(Default)]
struct Session {
    /// The user, once it was looked up.
    person: Option<Person>,
    /// How many were opened in this run.
    opened: u32,
}

impl<'a> AsUser<'a> {
    /// Nothing is sent.
    ///
    /// # Errors
    /// A setting is missing.
    pub(super) fn new(context: &'a Context<Settings>) -> Result<Self, Failure> {
        let settings = context.settings();
        let email = context.subject().or(settings.user_email.as_deref());
        Ok(AsUser {
            context,
            key: given(settings.qlik_sense_api_key.as_ref(), "Qlik Sense API key", QLIK_SENSE_API_KEY)?,
            pair: given(settings.signing_key.as_ref(), "Signing key pair", SIGNING_KEY)?,
            email: given(email, "User email", USER_EMAIL)?.trim().to_owned(),
            session: Mutex::default(),
        })
    }

    /// Sends a request in the session. One that has ended is opened anew, once.
    pub(super) async fn send(&self, request: Request) -> Result<Response, Failure> {
        let request = request.jar(JAR);
        let http = self.context.http();
        let opened = self.open(0).await?;
        let response = http.send(&request).await?;
        if response.status() != 401 {
            return Ok(response);
        }
        self.open(opened).await?;
        http.send(&request).await
    }

    /// Opens a session, unless one is open that is newer than the given one. Yields which one is open then.
    async fn open(&self, older: u32) -> Result<u32, Failure> {
        let mut session = self.session.lock().await;
        if session.opened == older {
            let person = self.person(&mut session).await?;
            let response = self.log_in(&person).await?;
            if !response.is_success() {
                return Err(self.not_let_in(&Refusal::of(&response), &person).await);
            }
            session.opened += 1;
        }
        Ok(session.opened)
    }

    /// The user, looked up once.
    async fn person(&self, session: &mut Session) -> Result<Person, Failure> {
        if session.person.is_none() {
            session.person = Some(person::find(self.context, self.key, &self.email).await?);
        }
        session.person.clone().ok_or_else(|| Failure::plugin("the user was found and is not there"))
    }

    /// Shows a new token; each serves once.
    async fn log_in(&self, person: &Person) -> Result<Response, Failure> {
        let key = self.public_key().await?;
        let random = self.context.random(16).await?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let claims = serde_json::json!({
            "iss": key.issuer,
            "aud": AUDIENCE,
            "sub": person.subject,
            "subType": "user",
            "name": person.name,
            "email": person.email,
            "email_verified": true,
            "jti": id,
        });
        let token = SignJwt {
            key: self.pair.field().to_owned(),
            algorithm: "RS256".to_owned(),
            key_id: Some(key.id),
            claims: claims.as_object().cloned().unwrap_or_default(),
            backdate_seconds: BACKDATE,
            lifetime_seconds: LIFETIME,
            origin: ORIGIN.to_owned(),
            name: TOKEN.to_owned(),
        };
        self.context.sign_jwt(&token).await?;
        let request = Request::post(ORIGIN, LOGIN_PATH)
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .jar(JAR)
            .captured(TOKEN, Place::Bearer)
            .retry_on(PASSING);
        self.context.http().send(&request).await
    }

    /// Proves the key, finds the user, and sees to it that the tenant knows the key pair: everything that can be wrong before the
    /// session. Yields what was done, if anything.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) async fn set_up(&self) -> Result<Option<&'static str>, Failure> {
        let known = key::inspect(self.context, self.key).await?;
        let response = self.context.http().send(&get(ME_PATH).bearer(self.key)).await?;
        if !response.is_success() {
            let refused = |refusal: &Refusal| key::refused(refusal, self.key, Some(&known));
            return Err(me_refused(&Refusal::of(&response), refused));
        }
        let owner = Caller::read(&response, None, Some(known.clone()))?;
        key::long_enough(self.context, self.key, &known).await?;
        let mut session = self.session.lock().await;
        let person = self.person(&mut session).await?;
        if !self.register(owner.tenant.as_deref()).await? {
            return Ok(None);
        }
        // A tenant spreads what is new: the first answers may not know of it.
        for wait in SPREADING_MS {
            if self.log_in(&person).await?.status() != 401 {
                session.opened += 1;
                break;
            }
            self.context.sleep(wait).await?;
        }
        Ok(Some("Jackfield's key was registered in the tenant as an identity provider"))
    }

    /// Whether a caller is the user whom the session was opened for.
    pub(super) async fn is(&self, caller: &Caller) -> Result<(), Failure> {
        let session = self.session.lock().await;
        match &session.person {
            Some(person) if person.id != caller.id => Err(Failure::remote(format!(
                "the tenant opened a session for another user (\"{}\", {}) than the one whose token was shown (\"{}\", {})",
                caller.name, caller.id, person.name, person.id
            ))
            .remedy("look whether the tenant has more than one user with this email or subject (Administration activity center, Manage users, All users)")
            .field(USER_EMAIL)),
            _ => Ok(()),
        }
    }

    /// The session was opened, and then its cookies were refused.
    pub(super) fn session_refused(&self, refusal: &Refusal) -> Failure {
        let message = format!(
            "the tenant opened a session for the user with the email \"{}\" and then refused it ({})",
            self.email,
            refusal.summary()
        );
        refusal
            .failure(Blame::Credential, Stage::SignIn, message)
            .remedy("check in Manage users that the user is still active, and that no IP allow list of the tenant excludes this machine")
            .field(USER_EMAIL)
    }

    /// No session was opened.
    async fn not_let_in(&self, refusal: &Refusal, person: &Person) -> Failure {
        if let Some(failure) = refusal.common() {
            return failure;
        }
        let who = format!("the user \"{}\" ({})", person.name, person.email);
        match refusal.status {
            401 | 403 => self.why_refused(refusal, &who).await,
            _ => refusal
                .failure(
                    Blame::Remote,
                    Stage::SignIn,
                    format!("the tenant cannot make sense of Jackfield's token for {who} ({})", refusal.summary()),
                )
                .remedy("check that the clock of this machine is right; if it is, show Qlik's support the reference"),
        }
    }
}
