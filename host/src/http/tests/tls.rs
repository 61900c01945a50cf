//! TLS: whom is trusted, what is shown, and what is said when it does not work.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio_rustls::TlsAcceptor;

struct Authority(CertifiedIssuer<'static, KeyPair>);

struct Issued {
    pem: String,
    key: String,
}

fn authority() -> Authority {
    authority_named("Test Authority")
}

fn authority_named(name: &str) -> Authority {
    Authority(CertifiedIssuer::self_signed(authority_params(name), KeyPair::generate().unwrap()).unwrap())
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params
}

/// The certificate of an authority whose key is of another kind.
fn with_rsa(name: &str) -> String {
    let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    authority_params(name).self_signed(&key).unwrap().pem()
}

fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "The Server");
    params
}

impl Authority {
    fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, params: CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        Issued { pem: params.signed_by(&key, &self.0).unwrap().pem(), key: key.serialize_pem() }
    }
}

fn self_signed(params: CertificateParams) -> Issued {
    let key = KeyPair::generate().unwrap();
    Issued { pem: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

/// A server with a certificate; with an authority, it wants a client certificate of that one.
async fn secure(issued: &Issued, clients: Option<&Authority>) -> Server {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
            let provider = Arc::new(aws_lc_rs::default_provider());
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = CertificateDer::pem_slice_iter(issued.pem.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let wrap = move |socket: tokio::net::TcpStream| {
        let acceptor = acceptor.clone();
        async move {
            match acceptor.accept(socket).into_fallible().await {
                Ok(stream) => Some(stream),
                Err((_, mut socket)) => {
                    // Closing with something unread would reset the connection before the alert is read.
                    while socket.read(&mut [0; 512]).await.is_ok_and(|count| count > 0) {}
                    None
                }
            }
        }
    };
    serve_over("https", wrap, |_, _| async { ok("secure") }).await
}

fn trusting(server: &Server, ca: &str) -> Rig {
    let mut rig = rig(&[server]);
    rig.trust.ca_pem = Some(ca.to_owned());
    rig
}

#[tokio::test]
async fn an_own_ca_is_trusted() {
    let authority = authority();
    let server = secure(&authority.issue(leaf(&["localhost"])), None).await;
    assert_eq!(text(&trusting(&server, &authority.pem()).ready().get("/").await.unwrap()), "secure");
}

#[tokio::test]
async fn a_self_signed_certificate_can_be_added() {
    let issued = self_signed(leaf(&["localhost"]));
    let server = secure(&issued, None).await;
    assert_eq!(text(&trusting(&server, &issued.pem).ready().get("/").await.unwrap()), "secure");
}

#[tokio::test]
async fn another_name_can_be_asked_for() {
    let authority = authority();
    let server = secure(&authority.issue(leaf(&["inner.example"])), None).await;
    let mut rig = trusting(&server, &authority.pem());
    rig.trust.server_name = Some("inner.example".to_owned());
    assert_eq!(text(&rig.ready().get("/").await.unwrap()), "secure");

    // It replaces the host's name; it does not stand beside it.
    let server = secure(&authority.issue(leaf(&["localhost"])), None).await;
    let mut rig = trusting(&server, &authority.pem());
    rig.trust.server_name = Some("inner.example".to_owned());
    assert!(rig.ready().get("/").await.is_err());
}

#[tokio::test]
async fn refused_certificates_have_their_words() {
    let authority = authority();
    let mut expired = leaf(&["localhost"]);
    expired.not_before = rcgen::date_time_ymd(2019, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2020, 2, 3);
    let mut early = leaf(&["localhost"]);
    early.not_before = rcgen::date_time_ymd(2090, 2, 3);
    early.not_after = rcgen::date_time_ymd(2091, 1, 1);
    let mut as_ca = leaf(&["localhost"]);
    as_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own_ca = self_signed(as_ca);
    let table = [
        ("another name", authority.issue(leaf(&["a.example", "*.b.example", "127.0.0.2"])), authority.pem()),
        ("no name", authority.issue(leaf(&[])), authority.pem()),
        ("expired", authority.issue(expired), authority.pem()),
        ("not yet", authority.issue(early), authority.pem()),
        ("self-signed", self_signed(leaf(&["localhost"])), authority.pem()),
        ("unknown issuer", authority_named("Strangers").issue(leaf(&["localhost"])), authority.pem()),
        ("another key", super::tls::authority().issue(leaf(&["localhost"])), authority.pem()),
        ("another kind of key", authority_named("Kinds").issue(leaf(&["localhost"])), with_rsa("Kinds")),
        ("self-signed, named as a trusted CA", self_signed(leaf(&["localhost"])), with_rsa("The Server")),
        ("a CA itself", Issued { pem: own_ca.pem.clone(), key: own_ca.key }, own_ca.pem),
    ];
    let mut words = String::new();
    for (name, issued, ca) in table {
        let server = secure(&issued, None).await;
        let mut rig = trusting(&server, &ca);
        rig.limits.max_attempts = 3;
        let ready = rig.ready();
        let failure = ready.get("/").await.unwrap_err();
        assert_eq!(ready.exchanges().len(), 1, "{name} is not tried again");
        words.push_str(&format!("{name}\n{}\n\n", in_full(&failure, &server)));
    }
    insta::assert_snapshot!(words);
}

#[tokio::test]
async fn talking_past_each_other_has_its_words() {
    let plain = serve(|_, _| async { ok("") }).await;
    let mut to_plain = rig(&[&plain]);
    to_plain.origins = vec![allowed("server", &format!("https://localhost:{}", plain.port()))];
    let spoken = in_full(&to_plain.ready().get("/").await.unwrap_err(), &plain);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.write_all(b"220 mail.example ESMTP\r\n").await;
            let _ = socket.read(&mut [0; 512]).await;
        }
    });
    let mail = Server { url: format!("https://localhost:{port}").parse().unwrap(), ..plain };
    let other = in_full(&rig(&[&mail]).ready().get("/").await.unwrap_err(), &mail);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 2048]).await;
        }
    });
    let closing = Server { url: format!("https://localhost:{port}").parse().unwrap(), ..mail };
    let closed = in_full(&rig(&[&closing]).ready().get("/").await.unwrap_err(), &closing);
    insta::assert_snapshot!(format!("it waits\n{spoken}\n\na mail server\n{other}\n\nit closes\n{closed}"));
}

fn identified(identity: &str) -> (Arc<Secrets>, HttpRequest) {
    let mut request = request("GET", "/");
    request.slots = vec![Slot { secret: setting("identity"), place: Place::TlsIdentity }];
    (Secrets::with(&[("identity", identity)]), request)
}

#[tokio::test]
async fn a_client_certificate_is_shown_only_by_the_request_that_has_it() {
    let (authority, strangers) = (authority(), authority_named("Strangers"));
    let server = secure(&authority.issue(leaf(&["localhost"])), Some(&authority)).await;
    let client = authority.issue(leaf(&["client"]));
    let mut rig = trusting(&server, &authority.pem());
    let (secrets, request) = identified(&format!("{}{}", client.pem, client.key));
    rig.secrets = secrets;
    let ready = rig.ready();
    assert_eq!(text(&ready.client.send(request).await.unwrap()), "secure");
    let without = in_full(&ready.get("/").await.unwrap_err(), &server);

    let stranger = strangers.issue(leaf(&["client"]));
    let mut rig = trusting(&server, &authority.pem());
    let (secrets, request) = identified(&format!("{}{}", stranger.pem, stranger.key));
    rig.secrets = secrets;
    let wrong = in_full(&rig.ready().client.send(request).await.unwrap_err(), &server);
    insta::assert_snapshot!(format!("without one\n{without}\n\nwith a stranger's\n{wrong}"));
}

#[tokio::test]
async fn a_server_that_does_not_ask_who_it_is_gets_no_answer_through() {
    let authority = authority();
    let server = secure(&authority.issue(leaf(&["localhost"])), None).await;
    let client = authority.issue(leaf(&["client"]));
    let mut rig = trusting(&server, &authority.pem());
    rig.limits.max_attempts = 3;
    let (secrets, request) = identified(&format!("{}{}", client.pem, client.key));
    rig.secrets = secrets;
    let ready = rig.ready();
    let stranger = in_full(&ready.client.send(request.clone()).await.unwrap_err(), &server);
    assert_eq!(server.count(), 1, "it is not tried again");
    // Whoever shows nothing is a stranger by intent.
    assert_eq!(text(&ready.get("/").await.unwrap()), "secure");

    let plain = serve(|_, _| async { ok("") }).await;
    let mut rig = super::rig(&[&plain]);
    rig.secrets = ready.secrets;
    let no_tls = in_full(&rig.ready().client.send(request).await.unwrap_err(), &plain);
    assert_eq!(plain.count(), 0, "nothing was sent");
    insta::assert_snapshot!(format!("nobody asks\n{stranger}\n\nwithout TLS\n{no_tls}"));
}

#[tokio::test]
async fn a_client_certificate_is_asked_for_once_and_shown_on_every_connection() {
    let authority = authority();
    let server = secure(&authority.issue(leaf(&["localhost"])), Some(&authority)).await;
    let client = authority.issue(leaf(&["client"]));
    let mut rig = trusting(&server, &authority.pem());
    let (secrets, request) = identified(&format!("{}{}", client.pem, client.key));
    rig.secrets = secrets;
    let ready = rig.ready();
    // Every answer closes its connection, so the later handshakes go on from the first.
    for _ in 0..4 {
        assert_eq!(text(&ready.client.send(request.clone()).await.unwrap()), "secure");
    }
}

#[tokio::test]
async fn unusable_pem_has_its_words() {
    let server = serve(|_, _| async { ok("") }).await;
    let mut words = String::new();
    let good = self_signed(leaf(&["x"]));
    for (name, ca, server_name) in [
        ("empty", "", None),
        ("no PEM", "MIIB", None),
        ("a key", good.key.as_str(), None),
        ("no end", "-----BEGIN CERTIFICATE-----\nMIIB\n", None),
        ("no base64", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", None),
        ("no certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", None),
        ("a URL as name", good.pem.as_str(), Some("https://x")),
    ] {
        let mut rig = trusting(&server, ca);
        rig.trust.server_name = server_name.map(str::to_owned);
        let failure = rig.try_ready().err().unwrap();
        words.push_str(&format!("{name}\n{}\n\n", in_full(&failure, &server)));
    }
    let other = self_signed(leaf(&["y"]));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (name, identity) in [
        ("no client certificate", good.key.clone()),
        ("no client key", good.pem.clone()),
        ("an encrypted client key", format!("{}{encrypted}", good.pem)),
        ("somebody else's key", format!("{}{}", good.pem, other.key)),
    ] {
        let mut rig = rig(&[&server]);
        let (secrets, request) = identified(&identity);
        rig.secrets = secrets;
        let ready = rig.ready();
        let failure = ready.client.send(request).await.unwrap_err();
        assert!(ready.exchanges().is_empty(), "nothing was sent");
        words.push_str(&format!("{name}\n{}\n\n", in_full(&failure, &server)));
    }
    insta::assert_snapshot!(words);
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered() {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let authority = authority();
    let issued = authority.issue(leaf(&["localhost"]));
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let chain = vec![CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let service =
            hyper::service::service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                Ok::<_, std::convert::Infallible>(hyper::Response::new(format!("{:?}", request.version())))
            });
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = connection.serve_connection(TokioIo::new(stream), service).await;
    });
    let unused = serve(|_, _| async { ok("") }).await;
    let mut rig = trusting(&unused, &authority.pem());
    rig.origins = vec![allowed("server", &format!("https://localhost:{port}"))];
    let ready = rig.ready();
    let answers = futures_util::future::join_all([ready.get("/"), ready.get("/")]).await;
    for answer in answers {
        assert_eq!(text(&answer.unwrap()), "HTTP/2.0");
    }
}
