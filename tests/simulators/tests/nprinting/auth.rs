//! Signing in by token: which are accepted, and whom they name.

use jackfield_simulators::nprinting::{Config, JwtPair, Matching, NewUser};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use crate::client::{Client, pair, server};

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[tokio::test]
async fn three_algorithms_and_nothing_else() {
    let simulator = server(Config::default()).await;
    let claims = json!({"email": simulator.user_email(0)});
    let rsa = EncodingKey::from_rsa_pem(pair().private_key_pem.as_bytes()).unwrap();
    for (algorithm, status) in
        [(Algorithm::RS256, 200), (Algorithm::RS384, 200), (Algorithm::RS512, 200), (Algorithm::PS256, 401)]
    {
        let token = jsonwebtoken::encode(&Header::new(algorithm), &claims, &rsa).unwrap();
        assert_eq!(Client::bearing(&simulator, &token).status("apps").await, status, "{algorithm:?}");
    }
    let secret = EncodingKey::from_secret(pair().certificate_pem.as_bytes());
    let confused = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &secret).unwrap();
    assert_eq!(Client::bearing(&simulator, &confused).status("apps").await, 401);
    let good = pair().token(&claims).unwrap();
    let (_, rest) = good.split_once('.').unwrap();
    // {"alg":"none"}, with and without the signature.
    let none = format!("eyJhbGciOiJub25lIn0.{rest}");
    let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
    for token in [none.as_str(), &unsigned, "rubbish", ""] {
        assert_eq!(Client::bearing(&simulator, token).status("apps").await, 401, "{token}");
    }
}

#[tokio::test]
async fn only_two_registered_claims_matter() {
    let simulator = server(Config::default()).await;
    let email = simulator.user_email(0);
    for (claims, status) in [
        (json!({"email": email}), 200),
        (
            json!({"email": email.to_uppercase(), "iss": 7, "aud": "other", "iat": now() + 999, "sub": []}),
            200,
        ),
        (json!({"email": email, "exp": now() + 60}), 200),
        (json!({"email": email, "exp": now() - 1}), 401),
        (json!({"email": email, "exp": "soon"}), 401),
        (json!({"email": email, "nbf": now() - 1}), 200),
        (json!({"email": email, "nbf": now() + 60}), 401),
        (json!({"email": "nobody@example.com"}), 401),
        (json!({"email": 7}), 401),
        (json!({"mailaddress": email}), 401),
        (json!([email]), 401),
    ] {
        assert_eq!(Client::claiming(&simulator, &claims).status("apps").await, status, "{claims}");
    }
}

#[tokio::test]
async fn the_certificate_decides() {
    let simulator = server(Config::default()).await;
    let (old, claims) = (Client::of_user(&simulator, 0), json!({"email": simulator.user_email(0)}));
    let next = JwtPair::generate().unwrap();
    let new = Client::bearing(&simulator, &next.token(&claims).unwrap());
    assert_eq!((old.status("apps").await, new.status("apps").await), (200, 401));
    simulator.register_jwt_certificate(&next.certificate_pem).unwrap();
    assert_eq!((old.status("apps").await, new.status("apps").await), (401, 200));
    simulator.set_jwt_enabled(false);
    assert_eq!(new.status("apps").await, 401);
    simulator.set_jwt_enabled(true);
    simulator.remove_jwt_certificate();
    assert_eq!(new.status("apps").await, 401);

    let elliptic = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
    for wrong in [pair().private_key_pem.as_str(), "rubbish", &elliptic.cert.pem()] {
        assert!(simulator.register_jwt_certificate(wrong).is_err());
    }
}

#[tokio::test]
async fn matching_is_as_configured() {
    let simulator = server(Config::default()).await;
    simulator.set_matching(Matching::Email { claim: "mailaddress".to_owned() });
    let email = simulator.user_email(0);
    assert_eq!(Client::claiming(&simulator, &json!({"email": email})).status("apps").await, 401);
    assert_eq!(Client::claiming(&simulator, &json!({"mailaddress": email})).status("apps").await, 200);

    simulator
        .set_matching(Matching::DomainName { user: "userId".to_owned(), domain: "userDirectory".to_owned() });
    let account = simulator.user_account(0);
    let (domain, name) = account.split_once('\\').unwrap();
    for (claims, status) in [
        (json!({"userId": name, "userDirectory": domain}), 200),
        (json!({"userId": name, "userDirectory": "OTHER"}), 401),
        (json!({"userId": name}), 401),
        (json!({"mailaddress": email}), 401),
    ] {
        assert_eq!(Client::claiming(&simulator, &claims).status("apps").await, status, "{claims}");
    }
    assert_eq!(simulator.user_account(6), "", "one in seven has no account");
}

#[tokio::test]
async fn a_disabled_user_is_nobody() {
    let simulator = server(Config::default()).await;
    let roles = vec![simulator.role_id(0)];
    let user = simulator.create_user(&NewUser { roles, ..NewUser::default() }).unwrap();
    let client = Client::claiming(&simulator, &json!({"email": "connector@example.com"}));
    assert_eq!(client.status("users").await, 200);
    simulator.set_user_enabled(&user, false).unwrap();
    assert_eq!(client.status("users").await, 401);
}
