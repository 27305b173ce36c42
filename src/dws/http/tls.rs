//! Whom to trust. Verification is always on; ring is the only crypto provider.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The network cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// `--ca-bundle` holds no certificate, or one that is none.
    #[error("--ca-bundle: {0}: write PEM certificates of authorities into the file")]
    CaBundle(String),
    /// TLS or the pool cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// The machine's authorities (`SSL_CERT_FILE`, `SSL_CERT_DIR` or the system's place) and those of the
/// bundle. A machine without any is no error: only `https` needs them.
pub(super) fn roots(ca_bundle: Option<&[u8]>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // One broken certificate of the system's must not cost the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let Some(pem) = ca_bundle else {
        return Ok(roots);
    };
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| TlsError::CaBundle(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| TlsError::CaBundle(error.to_string()))?;
        added += 1;
    }
    if added == 0 {
        return Err(TlsError::CaBundle("holds no certificate".to_owned()));
    }
    Ok(roots)
}

/// TLS 1.2 and 1.3 with these authorities.
pub(super) fn client_config(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
