//! `SDK-HMAC-SHA256`, the signature of a request by access key and secret key.
//!
//! Pure: method, URL, headers, body and time go in, header values come out.

use std::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use http::{HeaderMap, HeaderName, Method};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use url::{Position, Url};

/// Name of the algorithm, first word of the header.
pub const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// Everything but the unreserved `A-Za-z0-9-_.~` is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// The method.
    pub method: &'a Method,
    /// Where it goes; path and query are signed, and the host where `signed` names it.
    pub url: &'a Url,
    /// The headers; of `host` the URL's is taken.
    pub headers: &'a HeaderMap,
    /// Which headers are signed, in lower case.
    pub signed: &'a [HeaderName],
    /// The body.
    pub body: &'a [u8],
}

/// The value of `X-Sdk-Date`: `20191115T033655Z`.
pub fn sdk_date(at: Timestamp) -> String {
    let utc = at.to_zoned(TimeZone::UTC);
    utc.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The value of `Host`: with the port where it is not the scheme's own.
pub fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// The value of `Authorization`. `date` is that of the request's `X-Sdk-Date`.
pub fn authorization(
    request: Unsigned<'_>,
    date: &str,
    access_key: &str,
    secret_key: &str,
) -> String {
    let hash = hex::encode(Sha256::digest(canonical_request(request)));
    let signature = signature(&format!("{ALGORITHM}\n{date}\n{hash}"), secret_key);
    let signed = signed_names(request.signed);
    format!("{ALGORITHM} Access={access_key}, SignedHeaders={signed}, Signature={signature}")
}

fn signature(to_sign: &str, secret_key: &str) -> String {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(to_sign.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        },
    )
}

fn canonical_request(request: Unsigned<'_>) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method,
        canonical_path(request.url),
        canonical_query(request.url)
    );
    for name in sorted(request.signed) {
        let value = if name == http::header::HOST {
            host(request.url).to_owned()
        } else {
            let values = request.headers.get_all(name);
            let values: Vec<_> = values
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            values.join(",")
        };
        // A `String` takes whatever is written to it.
        let _ = writeln!(text, "{name}:{}", value.trim());
    }
    let hash = hex::encode(Sha256::digest(request.body));
    let _ = write!(text, "\n{}\n{hash}", signed_names(request.signed));
    text
}

fn sorted(names: &[HeaderName]) -> Vec<&HeaderName> {
    let mut names: Vec<_> = names.iter().collect();
    names.sort_by_key(|name| name.as_str());
    names
}

fn signed_names(names: &[HeaderName]) -> String {
    let names: Vec<_> = sorted(names).into_iter().map(HeaderName::as_str).collect();
    names.join(";")
}

fn canonical_path(url: &Url) -> String {
    let mut path = String::new();
    let plain = url.path().strip_prefix('/').unwrap_or(url.path());
    for segment in plain.split('/') {
        let plain: Vec<u8> = percent_decode_str(segment).collect();
        path.push('/');
        path.extend(percent_encoding::percent_encode(&plain, RESERVED));
    }
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// Sorted by key, then value, as they are; then encoded. A plus sign is one: only forms mean a space by it.
fn canonical_query(url: &Url) -> String {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut pairs: Vec<_> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    pairs.join("&")
}

/// One parameter of a query as it travels: encoded as it is signed, so that no reader can take it for
/// another (a form's plus sign for a space, for one).
pub fn query_pair(key: &str, value: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    format!("{}={}", encode(key), encode(value))
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_TYPE, HOST};
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const X_SDK_DATE: HeaderName = HeaderName::from_static("x-sdk-date");

    fn headers(date: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(X_SDK_DATE, date.parse().unwrap());
        headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
        headers
    }

    /// The vendor's published examples.
    #[rstest]
    #[case::get(
        Method::GET,
        "",
        "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842"
    )]
    #[case::post(
        Method::POST,
        r#"{"name":"test","id":1}"#,
        "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f"
    )]
    fn published_signatures(#[case] method: Method, #[case] body: &str, #[case] signature: &str) {
        let date = sdk_date("2020-06-08T02:39:00Z".parse().unwrap());
        let url =
            Url::parse("https://service.endpoint.myhuaweicloud.com/resources?size=1").unwrap();
        let request = Unsigned {
            method: &method,
            url: &url,
            headers: &headers(&date),
            signed: &[X_SDK_DATE, HOST],
            body: body.as_bytes(),
        };
        assert_eq!(
            authorization(request, &date, "AccessKey", "SecretKey"),
            format!(
                "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=host;x-sdk-date, \
                 Signature={signature}"
            )
        );
    }

    #[test]
    fn published_signature_with_a_content_type() {
        let date = sdk_date("2019-11-15T03:36:55Z".parse().unwrap());
        assert_eq!(date, "20191115T033655Z");
        let url = Url::parse(
            "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs\
             ?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
        )
        .unwrap();
        let request = Unsigned {
            method: &Method::GET,
            url: &url,
            headers: &headers(&date),
            signed: &[CONTENT_TYPE, HOST, X_SDK_DATE],
            body: b"",
        };
        assert_eq!(
            hex::encode(Sha256::digest(canonical_request(request))),
            "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"
        );
        let header = authorization(
            request,
            &date,
            "AK",
            "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
        );
        let signature = "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe";
        assert!(header.ends_with(signature), "{header}");
    }

    #[rstest]
    #[case("https://dws.example.com/v1", "dws.example.com")]
    #[case("https://dws.example.com:443/v1", "dws.example.com")]
    #[case("http://127.0.0.1:18080/v1", "127.0.0.1:18080")]
    #[case("http://[::1]:18080/v1", "[::1]:18080")]
    #[case("http://localhost:80", "localhost")]
    fn the_host_has_its_port(#[case] url: &str, #[case] expected: &str) {
        assert_eq!(host(&Url::parse(url).unwrap()), expected);
    }

    #[rstest]
    #[case("https://h/", "/", "")]
    #[case("https://h", "/", "")]
    #[case("https://h/a/b", "/a/b/", "")]
    #[case("https://h/a%20b/~c", "/a%20b/~c/", "")]
    #[case("https://h/a?b=2&a=1&b=1", "/a/", "a=1&b=1&b=2")]
    #[case("https://h/a?n=x%20y&m=%E5%AF%86", "/a/", "m=%E5%AF%86&n=x%20y")]
    #[case("https://h/a?empty", "/a/", "empty=")]
    #[case("https://h/a?k=a/b", "/a/", "k=a%2Fb")]
    #[case("https://h/a?k=a+b", "/a/", "k=a%2Bb")]
    #[case("https://h/a?k:=1&k9=2", "/a/", "k9=2&k%3A=1")]
    #[case("https://h//a", "//a/", "")]
    fn canonical_parts(#[case] url: &str, #[case] path: &str, #[case] query: &str) {
        let url = Url::parse(url).unwrap();
        assert_eq!(
            (
                canonical_path(&url).as_str(),
                canonical_query(&url).as_str()
            ),
            (path, query)
        );
    }

    #[test]
    fn a_parameter_travels_as_it_is_signed() {
        let mut url = Url::parse("https://h/v3/projects").unwrap();
        url.set_query(Some(&query_pair("name", "a b+c/\u{5bc6}&d=e")));
        let query = "name=a%20b%2Bc%2F%E5%AF%86%26d%3De";
        assert_eq!(
            (url.query(), canonical_query(&url).as_str()),
            (Some(query), query)
        );
    }

    proptest! {
        #[test]
        fn any_request_can_be_signed(
            path in "\\PC{0,40}",
            query in "\\PC{0,40}",
            body in proptest::collection::vec(any::<u8>(), 0..64),
            key in "\\PC{0,80}",
        ) {
            let mut url = Url::parse("https://dws.example.com").unwrap();
            url.set_path(&path);
            url.set_query(Some(&query));
            let date = "20200608T023900Z";
            let request = Unsigned {
                method: &Method::POST,
                url: &url,
                headers: &headers(date),
                signed: &[CONTENT_TYPE, HOST, X_SDK_DATE],
                body: &body,
            };
            let header = authorization(request, date, "AK", &key);
            prop_assert!(header.is_ascii());
            prop_assert_eq!(header.rsplit('=').next().map(str::len), Some(64));
        }
    }
}
