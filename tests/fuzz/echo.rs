//! A service that tells back what it was told, in every form in which servers, proxies and gateways do that, and
//! the eyes that look for a secret in what is shown of it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use dws_operator::dws::transport::{
    Request, Response, Transport, TransportError, TransportErrorKind,
};
use futures::future::BoxFuture;
use http::HeaderMap;
use parking_lot::Mutex;
use serde_json::json;

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub enum Echo {
    /// Headers and body as they were.
    Plain,
    /// In base64, whole.
    Base64,
    /// In the other alphabet of base64.
    UrlBase64,
    /// As a query would bear it: everything escaped that may be.
    Percent,
    /// As browsers escape a component.
    Component,
    /// As a form, in lower case.
    Form,
    /// The field alone, without its quotes.
    Field,
    /// On a proxy's page, some way into it.
    Page(usize),
    /// Where a code should be.
    Code,
    /// In what the network says.
    Network,
}

/// All ways.
pub const WAYS: [Echo; 12] = [
    Echo::Plain,
    Echo::Base64,
    Echo::UrlBase64,
    Echo::Percent,
    Echo::Component,
    Echo::Form,
    Echo::Field,
    Echo::Page(0),
    Echo::Page(95),
    Echo::Page(112),
    Echo::Code,
    Echo::Network,
];

/// Escapes all but letters, digits and these.
pub fn percent(text: &str, plain: &str, lower: bool, plus: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' if plus => "+".to_owned(),
            byte if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) => {
                char::from(byte).to_string()
            }
            byte if lower => format!("%{byte:02x}"),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

impl Echo {
    fn words(self, told: &str) -> String {
        match self {
            Self::Base64 => STANDARD.encode(told),
            Self::UrlBase64 => URL_SAFE.encode(told),
            Self::Percent => percent(told, "", false, false),
            Self::Component => percent(told, "-_.!~*'()", false, false),
            Self::Form => percent(told, "*-._", true, true),
            _ => told.to_owned(),
        }
    }
}

/// The transport of the tests: it answers at once and remembers where requests went.
#[derive(Default)]
pub struct Network {
    /// How it answers; `None`: as a good service.
    pub echo: Option<Echo>,
    /// What it gives as a token.
    pub token: String,
    /// Scheme, host and port, path and query of each request.
    pub seen: Mutex<Vec<url::Url>>,
}

impl Transport for Network {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.seen.lock().push(request.url.clone());
        let answer = self.answer(&request);
        Box::pin(async move { answer })
    }
}

impl Network {
    fn answer(&self, request: &Request) -> Result<Response, TransportError> {
        let mut headers = HeaderMap::new();
        if request.url.path().ends_with("/auth/tokens") && !self.token.is_empty() {
            headers.insert("x-subject-token", self.token.parse().unwrap());
            let body = Bytes::from_static(b"{}");
            return Ok(Response {
                status: 201,
                headers,
                body,
            });
        }
        let good = |body: String| {
            Ok(Response {
                status: 200,
                headers: HeaderMap::new(),
                body: Bytes::from(body),
            })
        };
        let Some(echo) = self.echo else {
            let path = request.url.path();
            let body = if path.ends_with("/projects") {
                let name = request
                    .url
                    .query_pairs()
                    .next()
                    .map(|(_, name)| name.into_owned());
                json!({"projects": [{"id": "0123456789abcdef0123456789abcdef", "name": name}]})
            } else if request.method != http::Method::GET {
                json!({"cluster": {"id": "a"}, "snapshot": {"id": "a"}})
            } else if path.ends_with("/snapshots") {
                json!({"snapshots": [], "count": 0})
            } else {
                json!({"clusters": [], "count": 0})
            };
            return good(body.to_string());
        };
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let mut told: Vec<String> = request
            .headers
            .values()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        told.push(body.clone());
        let whole = told.join(" ");
        let fields: Vec<String> =
            serde_json::from_str(&body).map_or(Vec::new(), |body| texts(&body));
        match echo {
            Echo::Network => Err(TransportError {
                kind: TransportErrorKind::Reset,
                sent: true,
                message: format!("while sending {whole} {}", fields.join(" ")),
            }),
            Echo::Page(at) => {
                let page = format!("<html>{}{} {whole}", "x".repeat(at), fields.join(" "));
                Ok(Response {
                    status: 502,
                    headers,
                    body: Bytes::from(page),
                })
            }
            Echo::Code => {
                let code = told
                    .iter()
                    .chain(&fields)
                    .max_by_key(|text| text.len())
                    .cloned();
                good(json!({"error_code": code, "error_msg": "no"}).to_string())
            }
            Echo::Field => {
                let body = json!({"error_code": "DWS.5144", "error_msg": format!("bad {}", fields.join(", "))});
                Ok(Response {
                    status: 400,
                    headers,
                    body: Bytes::from(body.to_string()),
                })
            }
            _ => {
                let words: Vec<String> = fields
                    .iter()
                    .chain([&whole])
                    .map(|told| echo.words(told))
                    .collect();
                let body = json!({"error_code": "DWS.5144", "error_msg": words.join(" ")});
                Ok(Response {
                    status: 400,
                    headers,
                    body: Bytes::from(body.to_string()),
                })
            }
        }
    }
}

/// Every text in a document.
fn texts(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(list) => list.iter().flat_map(texts).collect(),
        serde_json::Value::Object(object) => object.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// A secret in all forms in which it could show, each with its name. The search is not that of the redactor.
pub struct Forms(Vec<(&'static str, String)>);

/// Those of one secret.
pub fn forms(secret: &str) -> Forms {
    let quoted = serde_json::Value::from(secret).to_string();
    let mut forms = vec![
        ("as it is", secret.to_owned()),
        ("escaped for JSON", quoted[1..quoted.len() - 1].to_owned()),
    ];
    for plain in ["", "-_.~", "-_.!~*'()", "*-._"] {
        for (lower, plus) in [(false, false), (true, true)] {
            forms.push(("percent-encoded", percent(secret, plain, lower, plus)));
        }
    }
    // What stays of a long one when it is cut.
    let chars: Vec<char> = secret.chars().collect();
    if chars.len() >= 20 {
        forms.extend(
            chars
                .windows(16)
                .step_by(4)
                .map(|part| ("a part", part.iter().collect())),
        );
    }
    for before in ["", "x", "xx"] {
        for engine in [&STANDARD, &URL_SAFE] {
            let packed = engine.encode(format!("{before}{secret}"));
            let inner = packed.trim_end_matches('=');
            // Its neighbours share the outermost characters.
            let start = [0, 2, 3][before.len()];
            let end = inner.len().saturating_sub(1);
            if end > start + 8 {
                forms.push(("in base64", inner[start..end].to_owned()));
            }
        }
    }
    forms.retain(|(_, form)| form.chars().count() >= 6);
    forms.sort();
    forms.dedup();
    Forms(forms)
}

impl Forms {
    /// Where and how it shows in a text.
    pub fn in_text(&self, text: &str) -> Option<String> {
        let (how, form) = self
            .0
            .iter()
            .find(|(_, form)| text.contains(form.as_str()))?;
        Some(format!("{how} ({form}) in {text}"))
    }
}
