//! One exchange, as plain data: what came in, what goes out, and what the network does with it.
//!
//! It knows bytes and headers. It must not know sockets, nor what a request means.

use std::time::Duration;

use serde_json::Value;

/// One request as it arrived: `path` and `query` still percent-encoded, `headers` in order of arrival
/// (names in any case), `body` whole.
#[derive(Clone, Default)]
pub struct HttpRequest {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Path with a leading slash, without the query.
    pub path: String,
    /// What stood behind the `?`, else empty.
    pub query: String,
    /// Name and value of each header.
    pub headers: Vec<(String, String)>,
    /// The body, empty where there is none.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The first header of that name, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The decoded value of a query parameter, `None` where it is not given.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        })
    }
}

/// Headers and body carry secrets: only what is harmless is shown.
impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "HttpRequest({} {}, {} bytes)",
            self.method,
            self.path,
            self.body.len()
        )
    }
}

/// One whole answer.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// HTTP status, 100-599.
    pub status: u16,
    /// Name and value of each header, `Date` and `Content-Type` among them.
    pub headers: Vec<(String, String)>,
    /// The body, empty where there is none.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// An answer with a body of any type.
    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The first header of that name, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A token travels in a header: only status and size are shown.
impl std::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "HttpResponse({}, {} bytes)",
            self.status,
            self.body.len()
        )
    }
}

/// What the network does with the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It arrives at once.
    Answer(HttpResponse),
    /// It arrives `after` that long (wall time, not divided by the speed).
    Delayed {
        /// What arrives then.
        answer: HttpResponse,
        /// How long it is under way.
        after: Duration,
    },
    /// The connection hangs until the client gives up.
    NoAnswer,
    /// The connection is reset without an answer.
    Reset,
}

impl Delivery {
    /// The answer, where one arrives at all.
    pub fn answer(&self) -> Option<&HttpResponse> {
        match self {
            Self::Answer(answer) | Self::Delayed { answer, .. } => Some(answer),
            Self::NoAnswer | Self::Reset => None,
        }
    }
}

/// Percent-decodes one path segment, query key or query value.
pub(super) fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}
