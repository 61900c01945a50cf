//! A proxy: tunnels by CONNECT to wherever it thinks a name leads, and remembers what it was asked.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A running proxy.
pub(crate) struct Relay {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// One that leads everywhere to this port of the machine.
    pub(crate) fn to(port: u16) -> Relay {
        Relay::start(move |mut client: TcpStream| {
            let server = TcpStream::connect(("127.0.0.1", port))?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
            let up = thread::spawn(move || {
                // Either end may hang up whenever it likes.
                let _ = io::copy(&mut from_client, &mut to_server);
                let _ = to_server.shutdown(Shutdown::Write);
            });
            let _ = io::copy(&mut &server, &mut client);
            let _ = client.shutdown(Shutdown::Both);
            drop(up.join());
            Ok(())
        })
    }

    /// One that answers this instead of a tunnel.
    pub(crate) fn refusing(status: &'static str) -> Relay {
        Relay::start(move |mut client: TcpStream| {
            write!(client, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        })
    }

    fn start(serve: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = asked.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (serve, heard) = (serve.clone(), heard.clone());
                thread::spawn(move || {
                    let mut head = String::new();
                    let mut reader = BufReader::with_capacity(1, &client);
                    while !head.ends_with("\r\n\r\n")
                        && reader.read_line(&mut head).is_ok_and(|length| length > 0)
                    {}
                    heard.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
                    serve(client)
                });
            }
        });
        Relay { url, asked }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The first line of each request.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
