//! The other side of `SDK-HMAC-SHA256`: verifies a signed request as the gateway does.
//!
//! It knows the scheme and bytes. It must not know accounts: who holds which key is for [`iam`](super::iam).

use hmac::{Hmac, Mac};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::http::{HttpRequest, decode};

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// Unreserved characters stay.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// How far the date of a request may be from the gateway's clock.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// The parts of an `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub access_key: &'a str,
    pub signed_headers: Vec<&'a str>,
    pub signature: &'a str,
}

/// Splits the header; `None` where it is not of this scheme.
pub(super) fn parse(header: &str) -> Option<Authorization<'_>> {
    let rest = header.strip_prefix(ALGORITHM)?;
    let mut parts = [None, None, None];
    for part in rest.split(',') {
        let (key, value) = part.trim().split_once('=')?;
        match key {
            "Access" => parts[0] = Some(value),
            "SignedHeaders" => parts[1] = Some(value),
            "Signature" => parts[2] = Some(value),
            _ => return None,
        }
    }
    Some(Authorization {
        access_key: parts[0]?,
        signed_headers: parts[1]?.split(';').collect(),
        signature: parts[2]?,
    })
}

/// Whether this request was signed with this secret at about this time; the reason where not.
pub(super) fn verify(
    request: &HttpRequest,
    authorization: &Authorization<'_>,
    secret_key: &str,
    now: Timestamp,
) -> Result<(), &'static str> {
    let date = request
        .header("x-sdk-date")
        .ok_or("header x-sdk-date not found")?;
    if !authorization.signed_headers.contains(&"x-sdk-date") {
        return Err("header x-sdk-date is not signed");
    }
    let signed_at = parse_date(date).ok_or("header x-sdk-date is malformed")?;
    if now.duration_since(signed_at).abs() > SKEW {
        return Err("the signature has expired");
    }
    let canonical = canonical_request(request, &authorization.signed_headers)?;
    let expected = sign(&canonical, date, secret_key);
    let given = hex::decode(authorization.signature).map_err(|_| "verify aksk signature fail")?;
    // Compared by the MAC itself: the time it takes says nothing.
    if expected.verify_slice(&given).is_err() {
        return Err("verify aksk signature fail");
    }
    Ok(())
}

fn parse_date(date: &str) -> Option<Timestamp> {
    if date.len() != 16 {
        return None;
    }
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn sign(canonical: &str, date: &str, secret_key: &str) -> Hmac<Sha256> {
    let text = format!(
        "{ALGORITHM}\n{date}\n{}",
        hex::encode(Sha256::digest(canonical))
    );
    // HMAC takes keys of any length.
    let mut mac =
        <Hmac<Sha256> as Mac>::new_from_slice(secret_key.as_bytes()).unwrap_or_else(|_| {
            <Hmac<Sha256> as Mac>::new(&hmac::digest::Key::<Hmac<Sha256>>::default())
        });
    mac.update(text.as_bytes());
    mac
}

fn canonical_request(request: &HttpRequest, signed: &[&str]) -> Result<String, &'static str> {
    let mut uri: String = request
        .path
        .split('/')
        .map(|segment| utf8_percent_encode(&decode(segment), ENCODED).to_string())
        .collect::<Vec<_>>()
        .join("/");
    if !uri.ends_with('/') {
        uri.push('/');
    }
    // In the order of the vendor's signer: as they are, and encoded afterwards.
    let mut pairs: Vec<(String, String)> = request
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect();
    pairs.sort();
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let query: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| format!("{}={}", encode(&key), encode(&value)))
        .collect();
    let mut headers = String::new();
    for name in signed {
        let value = request.header(name).ok_or("a signed header is not there")?;
        headers.extend([&name.to_ascii_lowercase(), ":", value.trim(), "\n"]);
    }
    Ok(format!(
        "{}\n{uri}\n{}\n{headers}\n{}\n{}",
        request.method,
        query.join("&"),
        signed.join(";").to_ascii_lowercase(),
        payload_hash(request, signed)?,
    ))
}

/// A client may name the hash itself; then it must be right, or say that the body is not signed.
fn payload_hash(request: &HttpRequest, signed: &[&str]) -> Result<String, &'static str> {
    let hash = hex::encode(Sha256::digest(&request.body));
    match request.header("x-sdk-content-sha256") {
        Some(named) if signed.contains(&"x-sdk-content-sha256") => {
            if named == "UNSIGNED-PAYLOAD" || named.eq_ignore_ascii_case(&hash) {
                Ok(named.to_owned())
            } else {
                Err("x-sdk-content-sha256 does not match the body")
            }
        }
        _ => Ok(hash),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn request(
        method: &str,
        host: &str,
        path: &str,
        query: &str,
        date: &str,
        body: &str,
    ) -> HttpRequest {
        HttpRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![
                ("Host".to_owned(), host.to_owned()),
                ("X-Sdk-Date".to_owned(), date.to_owned()),
                ("Content-Type".to_owned(), "application/json".to_owned()),
            ],
            body: body.as_bytes().to_vec(),
        }
    }

    fn at(date: &str) -> Timestamp {
        parse_date(date).unwrap()
    }

    const SIMPLE: &str = "host;x-sdk-date";
    const GET: &str = "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842";
    const POST: &str = "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f";
    const VPCS: &str = "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe";

    fn service(method: &str, body: &str) -> HttpRequest {
        request(
            method,
            "service.endpoint.myhuaweicloud.com",
            "/resources",
            "size=1",
            "20200608T023900Z",
            body,
        )
    }

    /// The vendor's published vectors.
    #[rstest]
    #[case(service("GET", ""), "AccessKey", "SecretKey", SIMPLE, GET)]
    #[case(
        service("POST", r#"{"name":"test","id":1}"#),
        "AccessKey",
        "SecretKey",
        SIMPLE,
        POST
    )]
    #[case(
        request(
            "GET",
            "service.region.example.com",
            "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
            "limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
            "20191115T033655Z",
            "",
        ),
        "QTWAOYTTINDUT2QVKYUC",
        "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
        "content-type;host;x-sdk-date",
        VPCS
    )]
    fn published_vectors_verify(
        #[case] request: HttpRequest,
        #[case] access_key: &str,
        #[case] secret_key: &str,
        #[case] signed: &str,
        #[case] signature: &str,
    ) {
        let header = format!(
            "{ALGORITHM} Access={access_key}, SignedHeaders={signed}, Signature={signature}"
        );
        let authorization = parse(&header).unwrap();
        let date = request.header("x-sdk-date").unwrap().to_owned();
        assert_eq!(
            verify(&request, &authorization, secret_key, at(&date)),
            Ok(())
        );
        assert!(verify(&request, &authorization, "another", at(&date)).is_err());
        let mut changed = request.clone();
        changed.query.push('1');
        assert!(verify(&changed, &authorization, secret_key, at(&date)).is_err());
        let mut changed = request.clone();
        changed.body.push(b' ');
        assert!(verify(&changed, &authorization, secret_key, at(&date)).is_err());
    }

    #[test]
    fn the_published_canonical_hash() {
        let vpcs = request(
            "GET",
            "service.region.example.com",
            "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
            "marker=13551d6b-755d-4757-b956-536f674975c0&limit=2",
            "20191115T033655Z",
            "",
        );
        let canonical = canonical_request(&vpcs, &["content-type", "host", "x-sdk-date"]).unwrap();
        assert_eq!(
            hex::encode(Sha256::digest(canonical)),
            "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"
        );
    }

    #[rstest]
    #[case(-15 * 60, true)]
    #[case(15 * 60, true)]
    #[case(-15 * 60 - 1, false)]
    #[case(15 * 60 + 1, false)]
    fn a_clock_may_be_off_by_a_quarter_of_an_hour(#[case] off: i64, #[case] good: bool) {
        let header =
            format!("{ALGORITHM} Access=AccessKey, SignedHeaders={SIMPLE}, Signature={GET}");
        let now = at("20200608T023900Z") + SignedDuration::from_secs(off);
        let verified = verify(
            &service("GET", ""),
            &parse(&header).unwrap(),
            "SecretKey",
            now,
        );
        assert_eq!(verified.is_ok(), good);
    }

    #[test]
    fn an_unsigned_date_is_refused() {
        let header = format!("{ALGORITHM} Access=AccessKey, SignedHeaders=host, Signature={GET}");
        let verified = verify(
            &service("GET", ""),
            &parse(&header).unwrap(),
            "SecretKey",
            at("20200608T023900Z"),
        );
        assert_eq!(verified, Err("header x-sdk-date is not signed"));
    }

    #[rstest]
    #[case("Basic abc")]
    #[case("SDK-HMAC-SHA256 Access=a, SignedHeaders=host")]
    #[case("SDK-HMAC-SHA256 Access=a, Signature=b, SignedHeaders")]
    #[case("")]
    fn other_headers_are_not_of_this_scheme(#[case] header: &str) {
        assert_eq!(parse(header), None);
    }
}
