//! TLS for whoever begins with it, on the same port as plain http, and for our own clients: one certificate for all sites
//! of a process.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// What both ends need.
struct Keys {
    pem: String,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

/// What is to be believed, in PEM.
pub(crate) fn certificate() -> io::Result<&'static str> {
    Ok(&keys()?.pem)
}

/// Whether the client says hello to TLS rather than to HTTP.
pub(super) fn begins(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first), Ok(1)) && first == [HANDSHAKE]
}

/// A client's stream, decrypted.
pub(super) fn accept(stream: TcpStream) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    let connection = ServerConnection::new(keys()?.server.clone()).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}

/// A whole exchange with a site over TLS: what is asked, and everything it answers.
pub(crate) fn exchange(host: &str, stream: TcpStream, asked: &[u8]) -> io::Result<Vec<u8>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(keys()?.client.clone(), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    stream.write_all(asked)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        // Who does not say goodbye has said all the same.
        Ok(_) | Err(_) => Ok(answer),
    }
}

fn keys() -> io::Result<&'static Keys> {
    static KEYS: OnceLock<Result<Keys, String>> = OnceLock::new();
    KEYS.get_or_init(|| made().map_err(|error| error.to_string())).as_ref().map_err(|why| io::Error::other(why.clone()))
}

fn made() -> Result<Keys, Box<dyn std::error::Error>> {
    let names = NAMES.map(str::to_owned);
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)?;
    let pem = cert.pem();
    let der = CertificateDer::from_pem_slice(pem.as_bytes())?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let mut roots = RootCertStore::empty();
    roots.add(der.clone())?;
    let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![der], key)?;
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Keys { pem, server: Arc::new(server), client: Arc::new(client) })
}

/// The first byte of a TLS record that begins a connection.
const HANDSHAKE: u8 = 0x16;
const NAMES: [&str; 2] = ["localhost", "app.localhost"];
