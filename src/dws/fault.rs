//! Reads error bodies in all the styles that service, gateway and IAM have.
//!
//! It says which code and message a body bears. What they mean is decided in [`crate::dws::outcome`].

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

/// Base64 with or without padding, as the service of some regions wraps its error bodies.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A body as far as it can be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// No bytes, or only space.
    Empty,
    /// A JSON object.
    Object(Map<String, Value>),
    /// Anything else: HTML, half a JSON, a list.
    Unreadable,
}

/// What an error body says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The code as written, of at most 64 letters, digits, `.`, `_`, `-`; anything else is no code.
    pub code: Option<String>,
    /// The message as written.
    pub message: Option<String>,
    /// IAM's own style: `{"error": {"code", "message", "title"}}`.
    pub iam: bool,
}

/// The JSON in a body: without a byte order mark, and out of its base64 wrapping where there is one.
pub fn json_bytes(body: &[u8]) -> Cow<'_, [u8]> {
    let body = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii();
    if matches!(body.first(), None | Some(b'{' | b'[')) {
        return Cow::Borrowed(body);
    }
    let inner = body
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(body);
    let packed: Vec<u8> = inner
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    match BASE64.decode(&packed) {
        Ok(json) if json.trim_ascii_start().first() == Some(&b'{') => Cow::Owned(json),
        _ => Cow::Borrowed(body),
    }
}

/// Reads a body.
pub fn read(body: &[u8]) -> Body {
    let json = json_bytes(body);
    if json.is_empty() {
        return Body::Empty;
    }
    match serde_json::from_slice(&json) {
        Ok(Value::Object(object)) => Body::Object(object),
        _ => Body::Unreadable,
    }
}

impl Fault {
    /// What an answer that is an error says, in whichever style.
    pub fn of_error(object: &Map<String, Value>) -> Self {
        let mut fault = Self::of_success(object);
        if let Some(Value::Object(error)) = object.get("error") {
            let code = code(error, &["code", "error_code"]);
            fault.iam = fault.code.is_none() && code.is_some();
            fault.code = fault.code.or(code);
            fault.message = fault
                .message
                .or_else(|| text(error, &["message", "error_msg", "title"]));
        }
        fault.code = fault.code.or_else(|| code(object, &["errorCode", "code"]));
        fault.message = fault
            .message
            .or_else(|| text(object, &["message", "errorMsg", "title", "error"]));
        fault
    }

    /// What an answer that claims success says against itself: only the service's own two styles
    /// count there, since `code` and `message` also stand in good answers.
    pub fn of_success(object: &Map<String, Value>) -> Self {
        Self {
            code: code(object, &["error_code", "errCode"]),
            message: text(object, &["error_msg", "externalMessage"]),
            iam: false,
        }
    }
}

/// The first of the fields that holds a text or a number, as text.
fn text(object: &Map<String, Value>, fields: &[&str]) -> Option<String> {
    fields.iter().find_map(|field| match object.get(*field)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn code(object: &Map<String, Value>, fields: &[&str]) -> Option<String> {
    text(object, fields).filter(|code| {
        code.len() <= 64
            && code
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn fault(body: &str) -> Fault {
        match read(body.as_bytes()) {
            Body::Object(object) => Fault::of_error(&object),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[rstest]
    #[case::plain(
        r#"{"error_code":"DWS.5050","error_msg":"taken"}"#,
        "DWS.5050",
        "taken"
    )]
    #[case::legacy(
        r#"{"errCode":"DWS.5050","externalMessage":"taken"}"#,
        "DWS.5050",
        "taken"
    )]
    #[case::both(
        r#"{"errCode":"DWS.1","externalMessage":"old","error_code":"DWS.5050","error_msg":"taken"}"#,
        "DWS.5050",
        "taken"
    )]
    #[case::null_then_legacy(
        r#"{"error_code":null,"errCode":"DWS.5050","error_msg":"","externalMessage":"taken"}"#,
        "DWS.5050",
        "taken"
    )]
    #[case::gateway(
        r#"{"error_msg":"Incorrect IAM","error_code":"APIGW.0301","request_id":"1f"}"#,
        "APIGW.0301",
        "Incorrect IAM"
    )]
    #[case::number(r#"{"error_code":5050,"error_msg":7}"#, "5050", "7")]
    #[case::spaces(r#"{"error_code":" DWS.5050 ","error_msg":" x "}"#, "DWS.5050", "x")]
    #[case::camel(r#"{"errorCode":"DWS.5050","errorMsg":"x"}"#, "DWS.5050", "x")]
    #[case::bare(r#"{"code":"DWS.5050","message":"x"}"#, "DWS.5050", "x")]
    #[case::bom(
        "\u{feff}{\"error_code\":\"DWS.5050\",\"error_msg\":\"x\"}",
        "DWS.5050",
        "x"
    )]
    fn styles(#[case] body: &str, #[case] code: &str, #[case] message: &str) {
        let expected = Fault {
            code: Some(code.into()),
            message: Some(message.into()),
            iam: false,
        };
        assert_eq!(fault(body), expected);
        // Every style may also arrive in base64, with or without padding, in lines or in quotes.
        let packed = STANDARD.encode(body);
        let lines: Vec<&str> = packed
            .as_bytes()
            .chunks(20)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        for packed in [
            packed.clone(),
            STANDARD_NO_PAD.encode(body),
            format!("\"{packed}\""),
            lines.join("\r\n"),
        ] {
            if !body.starts_with('\u{feff}') {
                assert_eq!(fault(&packed), expected, "{packed}");
            }
        }
    }

    #[test]
    fn iam_style() {
        let body =
            r#"{"error":{"message":"The password is wrong.","code":401,"title":"Unauthorized"}}"#;
        let expected = Fault {
            code: Some("401".into()),
            message: Some("The password is wrong.".into()),
            iam: true,
        };
        assert_eq!(fault(body), expected);
    }

    #[test]
    fn what_is_no_code_is_no_code() {
        for body in [
            r#"{"error_code":"a b"}"#,
            r#"{"error_code":{}}"#,
            r#"{"error_code":true}"#,
            &format!(r#"{{"error_code":"{}"}}"#, "D".repeat(65)),
            "{}",
        ] {
            assert_eq!(fault(body).code, None, "{body}");
        }
    }

    #[test]
    fn a_good_answer_is_not_turned_into_a_fault() {
        let Body::Object(object) = read(br#"{"code":"200","message":"OK","error":{"code":1}}"#)
        else {
            panic!("an object")
        };
        assert_eq!(Fault::of_success(&object), Fault::default());
    }

    #[rstest]
    #[case("", Body::Empty)]
    #[case(" \r\n", Body::Empty)]
    #[case("\u{feff}", Body::Empty)]
    #[case("{}", Body::Object(Map::new()))]
    #[case("[]", Body::Unreadable)]
    #[case("null", Body::Unreadable)]
    #[case("<html>", Body::Unreadable)]
    #[case("{\"a\":", Body::Unreadable)]
    #[case("{}{}", Body::Unreadable)]
    fn bodies(#[case] body: &str, #[case] expected: Body) {
        assert_eq!(read(body.as_bytes()), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Body::Object(object) = read(&body) {
                Fault::of_error(&object);
            }
        }
    }
}
