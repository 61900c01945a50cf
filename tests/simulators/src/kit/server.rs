//! The listener: a port on 127.0.0.1, with or without TLS, on a runtime of its own, so that a test's runtime and the
//! simulator never wait for each other and a blocking test needs no runtime at all.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// A bound port that nobody answers yet: the base URL is known before the routes are built.
pub(crate) struct Port(StdListener);

impl Port {
    /// Binds a port on loopback; 0 takes a free one.
    pub(crate) fn bind(port: u16) -> anyhow::Result<Self> {
        let listener = StdListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// The number of the port.
    pub(crate) fn number(&self) -> anyhow::Result<u16> {
        Ok(self.0.local_addr()?.port())
    }

    /// Starts to answer.
    pub(crate) fn open(self, tls: Option<Arc<ServerConfig>>, routes: Router) -> anyhow::Result<Server> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("simulator")
            .enable_all()
            .build()?;
        runtime.spawn(accept(self.0, tls.map(TlsAcceptor::from), routes));
        Ok(Server { runtime: Some(runtime) })
    }
}

/// A running listener; dropping it ends every connection.
pub(crate) struct Server {
    runtime: Option<Runtime>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: StdListener, tls: Option<TlsAcceptor>, routes: Router) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without it every small answer waits for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let (tls, routes) = (tls.clone(), routes.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, routes).await,
                Some(tls) => {
                    // A client that does not trust the authority ends here, as it would with the real system.
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, routes).await;
                    }
                }
            }
        });
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, routes: Router) {
    // Errors of one connection (a client gone, a fault that cuts a body) concern only that connection.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
        .await;
}
