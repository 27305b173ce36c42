//! Target: the signature of requests, against the simulator's verifier, which was written on its own.
//!
//! Whatever is signed is verified, in any method, path, query, headers and body. The order of headers and
//! parameters and the spelling of escapes do not matter; any other difference in what is signed is refused.
//! The secret key stands in nothing that travels.

use dws_operator::dws::auth::sign::{self, Unsigned};
use dws_operator::simulator::{HttpRequest, Service, Settings};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use url::Url;

use super::engine::{Judgement, caught, fails, holds};

const DATE: HeaderName = HeaderName::from_static("x-sdk-date");
const ACCESS_KEY: &str = "AKFUZZ";

/// One request, and what may be done to it.
#[derive(Clone, Debug)]
struct Case {
    route: usize,
    id: String,
    host: &'static str,
    query: Vec<(String, String)>,
    headers: Vec<(usize, String)>,
    body: Vec<u8>,
    secret: String,
    tampered: (usize, Index, u8),
}

const ROUTES: [(&str, &[&str]); 6] = [
    ("GET", &["v3", "projects"]),
    ("GET", &["v1.0", "?", "clusters"]),
    ("GET", &["v1.0", "p", "clusters", "?"]),
    ("DELETE", &["v1.0", "p", "snapshots", "?"]),
    ("POST", &["v1.0", "p", "clusters", "?", "resize"]),
    ("POST", &["v1.0", "p", "snapshots", "?", "actions"]),
];
const NAMES: [&str; 5] = [
    "x-project-id",
    "x-request-id",
    "x-language",
    "accept",
    "x-a-b-c",
];

fn cases() -> impl Strategy<Value = Case> {
    let word = prop_oneof!["[a-zA-Z0-9._~-]{1,12}", "[ -~]{1,8}", "\\PC{1,6}"];
    // `.` and `..` are no names in a path.
    let id = word
        .clone()
        .prop_filter("a name", |id| !id.chars().all(|c| c == '.'));
    let text = "[!-~]([ -~]{0,20}[!-~])?";
    (
        (0..ROUTES.len(), id),
        select(vec![
            "https://dws.example.com",
            "http://127.0.0.1:18080",
            "https://h:443",
            "http://[::1]:8080",
        ]),
        prop::collection::vec((word.clone(), prop_oneof![word, Just(String::new())]), 0..4),
        prop::collection::vec((0..NAMES.len(), text), 0..4),
        prop::collection::vec(any::<u8>(), 0..40),
        "[ -~]{1,80}",
        (0..8_usize, any::<Index>(), 1..=255_u8),
    )
        .prop_map(
            |((route, id), host, query, headers, body, secret, tampered)| Case {
                route,
                id,
                host,
                query,
                headers,
                body,
                secret,
                tampered,
            },
        )
}

/// As a client writes it, or as another one would write the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Strict,
    /// Everything is escaped, in lower case.
    Lavish,
}

fn escaped(text: &str, spelling: Spelling) -> String {
    text.bytes()
        .map(|byte| {
            let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            match spelling {
                Spelling::Strict if plain => char::from(byte).to_string(),
                Spelling::Strict => format!("%{byte:02X}"),
                // Dots stay: segments of dots have a meaning of their own, in escapes too.
                Spelling::Lavish if byte == b'.' => ".".to_owned(),
                Spelling::Lavish => format!("%{byte:02x}"),
            }
        })
        .collect()
}

impl Case {
    fn url(&self, spelling: Spelling, backwards: bool) -> Url {
        let (_, segments) = ROUTES[self.route];
        let mut url = Url::parse(self.host).unwrap();
        let path: Vec<String> = segments
            .iter()
            .map(|segment| match *segment {
                "?" => escaped(&self.id, spelling),
                fixed => fixed.to_owned(),
            })
            .collect();
        url.set_path(&path.join("/"));
        let mut pairs: Vec<String> = self
            .query
            .iter()
            .map(|(key, value)| format!("{}={}", escaped(key, spelling), escaped(value, spelling)))
            .collect();
        if backwards {
            pairs.reverse();
        }
        if !pairs.is_empty() {
            url.set_query(Some(&pairs.join("&")));
        }
        url
    }

    fn headers(&self, date: &str) -> (HeaderMap, Vec<HeaderName>) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(DATE, date.parse().unwrap());
        let mut signed = vec![HOST, DATE, CONTENT_TYPE];
        for (which, value) in &self.headers {
            let name = HeaderName::from_static(NAMES[*which]);
            if headers
                .insert(name.clone(), value.parse().unwrap())
                .is_none()
            {
                signed.push(name);
            }
        }
        (headers, signed)
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// What signs: ours, or a broken variant.
type Signer = fn(Unsigned<'_>, &str, &str) -> String;

const OURS: Signer = |request, date, secret| sign::authorization(request, date, ACCESS_KEY, secret);

/// The request as it travels.
fn travelling(
    method: &str,
    url: &Url,
    headers: &HeaderMap,
    body: &[u8],
    authorization: String,
) -> HttpRequest {
    let mut all: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    all.push(("Host".to_owned(), sign::host(url).to_owned()));
    all.push(("Authorization".to_owned(), authorization));
    HttpRequest {
        method: method.to_owned(),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        headers: all,
        body: body.to_vec(),
    }
}

/// What the other side says of the signature.
fn verified(request: &HttpRequest, secret: &str) -> bool {
    let settings = Settings {
        access_key: ACCESS_KEY.to_owned(),
        secret_key: secret.to_owned(),
        ..Settings::default()
    };
    let mut service = Service::new(settings, now());
    let delivery = service.handle(now(), request);
    let answer = delivery.answer().unwrap();
    let text = String::from_utf8_lossy(&answer.body);
    let refused = text.contains("APIGW.0301");
    assert!(
        refused || !text.contains("APIGW.0101"),
        "no such API: {request:?}"
    );
    !refused
}

fn property(sign_with: Signer, case: &Case) -> Judgement {
    let date = sign::sdk_date(now());
    let (method, _) = ROUTES[case.route];
    let url = case.url(Spelling::Strict, false);
    let (headers, signed) = case.headers(&date);
    let method_value: Method = method.parse().unwrap();
    let of = |url: &Url, signed: &[HeaderName], body: &[u8]| {
        let request = Unsigned {
            method: &method_value,
            url,
            headers: &headers,
            signed,
            body,
        };
        sign_with(request, &date, &case.secret)
    };
    let authorization = of(&url, &signed, &case.body);

    // Its shape, and the secret stays at home.
    let rest = authorization.strip_prefix("SDK-HMAC-SHA256 Access=AKFUZZ, SignedHeaders=");
    let (headers_signed, signature) = rest
        .and_then(|rest| rest.split_once(", Signature="))
        .unwrap_or_default();
    let names: Vec<&str> = headers_signed.split(';').collect();
    prop_assert!(
        names.is_sorted() && names.len() == signed.len(),
        "{authorization}"
    );
    prop_assert!(
        signature.len() == 64
            && signature
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    );
    prop_assert!(case.secret.len() < 8 || !authorization.contains(&case.secret));

    // What is signed is verified.
    let request = travelling(method, &url, &headers, &case.body, authorization.clone());
    prop_assert!(
        verified(&request, &case.secret),
        "refused: {} {}?{}",
        method,
        request.path,
        request.query
    );

    // Another order, another spelling: the same.
    let mut turned = signed.clone();
    turned.reverse();
    prop_assert_eq!(
        &of(&url, &turned, &case.body),
        &authorization,
        "the order of headers matters"
    );
    prop_assert_eq!(
        &of(&case.url(Spelling::Strict, true), &signed, &case.body),
        &authorization,
        "the order of parameters matters"
    );
    prop_assert_eq!(
        &of(&case.url(Spelling::Lavish, false), &signed, &case.body),
        &authorization,
        "the spelling matters"
    );

    // Anything else that differs is refused.
    let Some(tampered) = tampered(case, &request) else {
        return Ok(());
    };
    prop_assert!(
        !verified(&tampered.0, &tampered.1),
        "verified although {} was changed",
        case.tampered.0
    );
    Ok(())
}

/// The request with one thing changed on the way, or another secret at the other side.
fn tampered(case: &Case, request: &HttpRequest) -> Option<(HttpRequest, String)> {
    let (what, at, by) = &case.tampered;
    let mut changed = request.clone();
    let mut secret = case.secret.clone();
    match what {
        0 => {
            if changed.body.is_empty() {
                changed.body.push(*by);
            } else {
                let at = at.index(changed.body.len());
                changed.body[at] ^= by;
            }
        }
        1 if changed.query.is_empty() => changed.query.push_str("limit=1"),
        1 => changed.query.push_str("&limit=1"),
        2 if matches!(case.route, 1 | 2) => {
            changed.path = changed.path.replacen("/clusters", "/snapshots", 1);
        }
        3 => {
            let signed: Vec<usize> = (0..changed.headers.len())
                .filter(|at| changed.headers[*at].0 != "Authorization")
                .collect();
            let at = *at.get(&signed);
            changed.headers[at].1.push('x');
        }
        4 => {
            changed.method = match changed.method.as_str() {
                "GET" if changed.path.starts_with("/v1.0/p/clusters/") => "DELETE".to_owned(),
                "DELETE" => "GET".to_owned(),
                _ => return None,
            }
        }
        5 => {
            let last = secret.pop()?;
            secret.push(if last == 'a' { 'b' } else { 'a' });
        }
        6 if case.route > 1 => {
            let (before, after) = changed.path.split_at(changed.path.find("/p/")? + 3);
            changed.path = format!("{before}{}", after.replacen('/', "/q", 1));
        }
        7 => {
            let (_, authorization) = changed.headers.last_mut()?;
            let flipped = if authorization.ends_with('0') {
                "1"
            } else {
                "0"
            };
            authorization.pop();
            authorization.push_str(flipped);
        }
        _ => return None,
    }
    Some((changed, secret))
}

#[test]
fn the_other_side_verifies_what_is_signed_and_nothing_else() {
    holds("signing", "requests", 3_000, &cases(), |case| {
        property(OURS, &case)
    });
}

#[test]
fn broken_signers_are_caught() {
    let no_body: Signer = |request, date, secret| {
        OURS(
            Unsigned {
                body: b"",
                ..request
            },
            date,
            secret,
        )
    };
    let no_query: Signer = |request, date, secret| {
        let mut url = request.url.clone();
        url.set_query(None);
        OURS(
            Unsigned {
                url: &url,
                ..request
            },
            date,
            secret,
        )
    };
    // A form's plus sign for a space, as the usual way to build a query writes it.
    let as_a_form: Signer = |request, date, secret| {
        let mut url = request.url.clone();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        if !pairs.is_empty() {
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
        OURS(
            Unsigned {
                url: &url,
                ..request
            },
            date,
            secret,
        )
    };
    let other_host: Signer = |request, date, secret| {
        let mut url = request.url.clone();
        let _ = url.set_port(None);
        OURS(
            Unsigned {
                url: &url,
                ..request
            },
            date,
            secret,
        )
    };
    let short_secret: Signer =
        |request, date, secret| OURS(request, date, &secret[..secret.len().min(8)]);
    let few_headers: Signer = |request, date, secret| {
        let one = [DATE];
        OURS(
            Unsigned {
                signed: &one,
                ..request
            },
            date,
            secret,
        )
    };
    let fails = |signer: Signer| fails(&cases(), |case| property(signer, &case));
    caught(
        "signing",
        &[
            ("the body is not signed", fails(no_body)),
            ("the query is not signed", fails(no_query)),
            ("the query is signed as a form", fails(as_a_form)),
            ("the host is signed without its port", fails(other_host)),
            ("a secret is cut", fails(short_secret)),
            ("only the date is signed", fails(few_headers)),
        ],
    );
}
