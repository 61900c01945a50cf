//! The listener: a port on 127.0.0.1, with or without TLS, on a runtime of its own, so that a test's runtime and the
//! simulator never wait for each other and a blocking test needs no runtime at all.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::kit::tls::Identity;
use crate::kit::way::{Certificate, Line, Order};

/// How long a port may take to be free again.
const REBINDING: Duration = Duration::from_secs(5);
/// A call to loopback that is not answered by then is answered by nobody.
const RINGING: Duration = Duration::from_millis(200);

/// A bound port, before anything answers there: the base URL is known before the routes are built.
pub(crate) struct Front {
    address: SocketAddr,
    identity: Option<Identity>,
    door: Door,
    first: Mutex<Option<StdListener>>,
    running: Mutex<Option<Running>>,
}

/// What makes it answer.
struct Running {
    runtime: Runtime,
    routes: Router,
    line: Held,
}

/// What a line holds on to.
enum Held {
    /// Nothing: it is being switched.
    Nothing,
    /// A task that has the listener.
    Task(AbortHandle),
    /// A socket that is bound and does not listen.
    Bound { _socket: TcpSocket },
    /// A listener that answers nobody, and the callers that fill its queue.
    Full { _listener: TcpListener, _callers: Vec<StdStream> },
}

impl Front {
    /// Binds a port on loopback; 0 takes a free one.
    pub(crate) fn bind(port: u16, identity: Option<Identity>) -> anyhow::Result<Arc<Self>> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener =
            StdListener::bind(wanted).with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (first, running) = (Mutex::new(Some(listener)), Mutex::default());
        Ok(Arc::new(Self { address, identity, door: Door::default(), first, running }))
    }

    /// The number of the port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The door, to be shut for a while.
    pub(crate) fn door(&self) -> &Door {
        &self.door
    }

    /// The base URL: a name for TLS, an address without.
    pub(crate) fn base_url(&self) -> String {
        match self.identity {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://127.0.0.1:{}", self.address.port()),
        }
    }

    /// The certificates, where it speaks TLS.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Starts to answer.
    pub(crate) fn open(self: &Arc<Self>, routes: Router) -> anyhow::Result<Server> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("simulator")
            .enable_all()
            .build()?;
        let listener = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let line = self.answer(&runtime, &routes, listener.context("it is open already")?);
        *self.running() = Some(Running { runtime, routes, line });
        Ok(Server(Arc::clone(self)))
    }

    /// Shows another certificate to new connections.
    pub(crate) fn show(&self, certificate: Certificate) -> anyhow::Result<()> {
        self.identity.as_ref().context("it speaks plain HTTP")?.show(certificate)
    }

    /// Lets something else become of calls. Waits until it is so.
    pub(crate) fn set_line(&self, line: Line) -> anyhow::Result<()> {
        let mut running = self.running();
        let Some(Running { runtime, routes, line: held }) = running.as_mut() else { return Ok(()) };
        // The port is bound anew below, which takes that nobody has it.
        if let Held::Task(task) = std::mem::replace(held, Held::Nothing) {
            task.abort();
        }
        let _context = runtime.enter();
        *held = match line {
            Line::Open => self.answer(runtime, routes, free(|| nonblocking(self.address))?),
            Line::Refusing => Held::Bound { _socket: free(|| bound(self.address))? },
            Line::Deaf => {
                let listener = free(|| bound(self.address)?.listen(0))?;
                Held::Full { _listener: listener, _callers: fill(self.address)? }
            }
            Line::Silent => {
                let listener = free(|| nonblocking(self.address))?;
                Held::Task(runtime.spawn(hold(listener)).abort_handle())
            }
        };
        Ok(())
    }

    fn answer(&self, runtime: &Runtime, routes: &Router, listener: StdListener) -> Held {
        let tls = self.identity.as_ref().map(|identity| TlsAcceptor::from(Arc::clone(&identity.server)));
        let accepting = accept(listener, self.door.clone(), tls, routes.clone());
        Held::Task(runtime.spawn(accepting).abort_handle())
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries out what was ordered of the line over the control plane.
pub(crate) async fn order_line(front: &Arc<Front>, body: &[u8]) -> Result<(), String> {
    order(front, body, |front, line| front.set_line(line)).await
}

/// Carries out what was ordered of the certificate over the control plane.
pub(crate) async fn order_certificate(front: &Arc<Front>, body: &[u8]) -> Result<(), String> {
    order(front, body, Front::show).await
}

/// Switches something, and back again when its time is over.
async fn order<T: Default + Copy + Send + serde::de::DeserializeOwned + 'static>(
    front: &Arc<Front>,
    body: &[u8],
    switch: fn(&Front, T) -> anyhow::Result<()>,
) -> Result<(), String> {
    let order: Order<T> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let (kind, time, front) = (order.kind, order.time(), Arc::clone(front));
    let again = Arc::clone(&front);
    let done = tokio::task::spawn_blocking(move || switch(&front, kind)).await;
    done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if let Some(time) = time {
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            // Whoever waits for it sees that it does not come back.
            let _ = tokio::task::spawn_blocking(move || switch(&again, T::default())).await;
        });
    }
    Ok(())
}

/// A running listener; dropping it ends every connection.
pub(crate) struct Server(Arc<Front>);

impl Drop for Server {
    fn drop(&mut self) {
        let running = self.0.running().take();
        if let Some(Running { runtime, .. }) = running {
            runtime.shutdown_background();
        }
    }
}

fn nonblocking(address: SocketAddr) -> std::io::Result<StdListener> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Takes the port as soon as whoever had it has let go.
fn free<T>(mut take: impl FnMut() -> std::io::Result<T>) -> anyhow::Result<T> {
    let deadline = Instant::now() + REBINDING;
    loop {
        match take() {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(2));
            }
            taken => return taken.context("the port is not free again"),
        }
    }
}

/// Calls until nobody is let in any more.
fn fill(address: SocketAddr) -> anyhow::Result<Vec<StdStream>> {
    let mut callers = Vec::new();
    while callers.len() < 64 {
        match StdStream::connect_timeout(&address, RINGING) {
            Ok(caller) => callers.push(caller),
            Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(callers),
            Err(error) => return Err(error).context("the queue cannot be filled"),
        }
    }
    bail!("this system's queue of waiting connections has no end")
}

/// Takes every call and says nothing.
async fn hold(listener: StdListener) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut callers = Vec::new();
    loop {
        callers.extend(listener.accept().await.ok());
    }
}

async fn accept(listener: StdListener, door: Door, tls: Option<TlsAcceptor>, routes: Router) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let mut shutting = door.0.subscribe();
        if door.is_shut() {
            continue;
        }
        // Without it every small answer waits for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let (tls, routes) = (tls.clone(), routes.clone());
        tokio::spawn(async move {
            let visit = async {
                match tls {
                    None => converse(stream, routes).await,
                    Some(tls) => {
                        // A client that does not trust the authority ends here, as it would with the real system; so
                        // does one without a certificate where one is asked for.
                        if let Ok(stream) = tls.accept(stream).await {
                            converse(stream, routes).await;
                        }
                    }
                }
            };
            tokio::select! {
                // The door first: a request that came after it was shut is answered no more.
                biased;
                // An error is a front that is gone.
                _ = shutting.changed() => {}
                () = visit => {}
            }
        });
    }
}

/// The door of a front. While it is shut, whoever knocks is sent away; whoever is inside when it shuts is thrown out.
#[derive(Clone)]
pub(crate) struct Door(watch::Sender<Instant>);

impl Default for Door {
    fn default() -> Self {
        Self(watch::Sender::new(Instant::now()))
    }
}

impl Door {
    /// Shuts it for so long.
    pub(crate) fn shut(&self, time: Duration) {
        self.0.send_replace(Instant::now() + time);
    }

    /// Is it shut?
    fn is_shut(&self) -> bool {
        Instant::now() < *self.0.borrow()
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, routes: Router) {
    // Errors of one connection (a client gone, a fault that cuts a body) concern only that connection.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
        .await;
}
