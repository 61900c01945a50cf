//! A server behind mutual TLS: it lets in only those who show a certificate of an authority, and remembers who they were.

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, Stream, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Whom a guard lets in.
#[derive(Clone, Copy)]
pub(crate) enum Wants<'a> {
    /// Holders of a certificate of this authority (PEM).
    OneOf(&'a str),
    /// Everybody, without asking.
    Nobody,
}

/// A running guard.
pub(crate) struct Guard {
    url: String,
    ca: String,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    knocks: Arc<AtomicUsize>,
}

impl Guard {
    /// One that answers forever, on this version of TLS.
    pub(crate) fn start(wants: Wants<'_>, version: &'static SupportedProtocolVersion) -> Guard {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[version]).unwrap();
        let builder = match wants {
            Wants::Nobody => builder.with_no_client_auth(),
            Wants::OneOf(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = Arc::new(builder.with_single_cert(vec![own.der().clone()], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let (seen, knocks) = (Arc::<Mutex<Vec<Vec<u8>>>>::default(), Arc::<AtomicUsize>::default());
        let (sees, counts) = (seen.clone(), knocks.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counts.fetch_add(1, Ordering::SeqCst);
                let (config, seen) = (config.clone(), sees.clone());
                // Whoever is refused hangs up, and that is that.
                thread::spawn(move || serve(stream, config, &seen));
            }
        });
        Guard { url, ca: own.pem(), seen, knocks }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The certificate to trust (PEM).
    pub(crate) fn ca(&self) -> &str {
        &self.ca
    }

    /// The certificates (DER) of those who were let in and asked for something, one for each request; of strangers an empty one.
    pub(crate) fn seen(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub(crate) fn knocks(&self) -> usize {
        self.knocks.load(Ordering::SeqCst)
    }
}

fn serve(
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
    seen: &Mutex<Vec<Vec<u8>>>,
) -> std::io::Result<()> {
    let mut connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut stream) {
            // Closing with something unread would reset the connection before the alert is read.
            while stream.read(&mut [0; 512])? > 0 {}
            return Err(error);
        }
    }
    let who = connection.peer_certificates().map(|chain| chain[0].to_vec()).unwrap_or_default();
    let mut tls = Stream::new(&mut connection, &mut stream);
    let mut reader = BufReader::new(&mut tls);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    seen.lock().unwrap().push(who);
    tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")?;
    tls.conn.send_close_notify();
    tls.flush()
}
