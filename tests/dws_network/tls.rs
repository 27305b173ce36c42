//! Whom the client trusts.

use std::sync::Arc;
use std::time::Duration;

use dws_operator::dws::http::{HttpOptions, HttpTransport};
use dws_operator::dws::transport::{Transport as _, TransportErrorKind};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::server::{Greeting, Reply, Server};
use super::{BOTH, always, request};

/// An authority, and what a server needs that it certifies for these names.
pub fn certified(names: &[&str]) -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let leaf = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// An authority, and a server that it certifies for these names.
async fn server(names: &[&str]) -> (String, Server) {
    let (pem, acceptor) = certified(names);
    let reply = always(Reply::status(200, "", "{}"));
    (pem, Server::greeting(Greeting::Tls(acceptor), reply).await)
}

fn trusting(pem: &str) -> HttpTransport {
    let options = HttpOptions {
        ca_bundle: Some(pem.as_bytes().to_vec()),
        connect_timeout: Some(Duration::from_secs(2)),
        ..HttpOptions::default()
    };
    HttpTransport::new(&options).unwrap()
}

#[tokio::test]
async fn an_authority_of_the_bundle_is_trusted() {
    let (pem, server) = server(&["localhost", "127.0.0.1"]).await;
    let transport = trusting(&pem);
    for changing in BOTH {
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("https://{host}:{}/", server.address.port());
            let response = transport.send(request(&url, changing)).await.unwrap();
            assert_eq!(response.status, 200);
        }
    }
    assert_eq!(server.received().len(), 4);
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_name_is_refused_and_nothing_is_sent() {
    let (_, stranger) = server(&["localhost"]).await;
    let (pem, misnamed) = server(&["dws.example.com"]).await;
    let transport = trusting(&pem);
    for server in [stranger, misnamed] {
        for changing in BOTH {
            let url = format!("https://localhost:{}/", server.address.port());
            let error = transport.send(request(&url, changing)).await.unwrap_err();
            assert_eq!(
                (error.kind, error.sent),
                (TransportErrorKind::Connect, false)
            );
            assert!(error.message.contains("certificate"), "{error}");
        }
        assert_eq!(server.received().len(), 0);
    }
}

#[test]
fn a_bundle_without_a_certificate_is_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for bundle in [
        "",
        "no certificate",
        broken,
        "-----BEGIN CERTIFICATE-----\n",
    ] {
        let options = HttpOptions {
            ca_bundle: Some(bundle.as_bytes().to_vec()),
            ..HttpOptions::default()
        };
        let error = HttpTransport::new(&options).unwrap_err().to_string();
        assert!(error.starts_with("--ca-bundle: "), "{error}");
    }
}
