//! Reads: a pool of connections (reqwest), every habit of sending again switched off that can be.
//!
//! What cannot be switched off is that a request is sent anew when a reused connection turns out to be
//! closed before anything went over it. For a read that is harmless.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::chain;
use super::tls::TlsError;
use crate::dws::auth::sign::host;
use crate::dws::transport::{Request, Response, TransportError, TransportErrorKind};

/// An idle connection is closed before the gateway closes it (60 s is common).
const IDLE: Duration = Duration::from_secs(50);

pub(super) fn client(
    tls: rustls::ClientConfig,
    connect_timeout: Duration,
) -> Result<reqwest::Client, TlsError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE)
        .build()
        .map_err(|error| TlsError::Setup(chain(&error)))
}

pub(super) async fn send(
    client: &reqwest::Client,
    request: Request,
) -> Result<Response, TransportError> {
    let Request {
        operation: _,
        method,
        url,
        headers,
        body,
        timeout,
        changing: _,
        max_answer,
    } = request;
    let mut response = client
        .request(method, url)
        .headers(headers)
        .body(body)
        .timeout(timeout)
        .send()
        .await
        .map_err(no_answer)?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let too_large = || TransportError {
        kind: TransportErrorKind::TooLarge,
        sent: true,
        message: format!("the answer is larger than {max_answer} bytes"),
    };
    // What announces itself as too large is not read at all.
    if response
        .content_length()
        .is_some_and(|length| length > max_answer as u64)
    {
        return Err(too_large());
    }
    // A list of ten thousand clusters is many megabytes: room for it is made once.
    let announced = response.content_length().unwrap_or_default();
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if body.len() + chunk.len() > max_answer {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        status,
        headers,
        body: Bytes::from(body),
    })
}

fn no_answer(error: reqwest::Error) -> TransportError {
    let connect = error.is_connect();
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if connect {
        TransportErrorKind::Connect
    } else if error.is_builder() || is_parse(&error) {
        TransportErrorKind::Other
    } else {
        TransportErrorKind::Reset
    };
    let sent = !connect && !error.is_builder();
    // Who did not answer is worth knowing; path and query are not for logs.
    let address = error.url().map(|url| format!("{}: ", host(url)));
    TransportError {
        kind,
        sent,
        message: address.unwrap_or_default() + &chain(&error.without_url()),
    }
}

fn is_parse(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_parse();
        }
        cause = error.source();
    }
    false
}
