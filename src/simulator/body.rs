//! How answers are written: refusals in every style that regions and generations of the service use.
//!
//! It knows body shapes. It must not know why something is refused.

use base64::Engine;
use serde_json::{Value, json};

use super::http::HttpResponse;
use super::oddities::BodyStyle;
use super::refusal::Refusal;

/// A refusal as it goes out.
pub(super) fn refusal(
    refusal: &Refusal,
    style: BodyStyle,
    chinese: bool,
    request_id: &str,
) -> HttpResponse {
    let message = if chinese {
        &refusal.chinese
    } else {
        &refusal.english
    };
    let code = &refusal.code;
    let modern = json!({"error_code": code, "error_msg": message});
    let body = match style {
        BodyStyle::Modern => modern.to_string(),
        BodyStyle::Legacy => json!({"errCode": code, "externalMessage": message}).to_string(),
        BodyStyle::Both => json!({
            "errCode": code,
            "externalMessage": message,
            "error_code": code,
            "error_msg": message,
        })
        .to_string(),
        BodyStyle::Base64 => base64::engine::general_purpose::STANDARD.encode(modern.to_string()),
        BodyStyle::Iam => json!({"error": {
            "message": message,
            "code": code.parse::<u16>().map_or_else(|_| Value::from(code.as_str()), Value::from),
            "title": title(refusal.status),
        }})
        .to_string(),
        BodyStyle::Gateway => {
            json!({"error_msg": message, "error_code": code, "request_id": request_id}).to_string()
        }
    };
    let answer = HttpResponse::text(refusal.status, "application/json", body);
    match refusal.retry_after {
        Some(seconds) => answer.with_header("Retry-After", seconds.to_string()),
        None => answer,
    }
}

/// The reason phrase that IAM writes as a title.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        BodyStyle::Modern,
        r#"{"error_code":"DWS.0020","error_msg":"The account or the resource is restricted."}"#
    )]
    #[case(
        BodyStyle::Legacy,
        r#"{"errCode":"DWS.0020","externalMessage":"The account or the resource is restricted."}"#
    )]
    #[case(
        BodyStyle::Gateway,
        r#"{"error_msg":"The account or the resource is restricted.","error_code":"DWS.0020","request_id":"r1"}"#
    )]
    #[case(
        BodyStyle::Iam,
        r#"{"error":{"message":"The account or the resource is restricted.","code":"DWS.0020","title":"Forbidden"}}"#
    )]
    fn every_style(#[case] style: BodyStyle, #[case] expected: &str) {
        let answer = refusal(&Refusal::of("DWS.0020"), style, false, "r1");
        assert_eq!(answer.status, 403);
        assert_eq!(String::from_utf8(answer.body).unwrap(), expected);
    }

    #[test]
    fn base64_holds_the_modern_body() {
        let answer = refusal(&Refusal::of("DWS.0011"), BodyStyle::Base64, true, "r1");
        let text = base64::engine::general_purpose::STANDARD
            .decode(answer.body)
            .unwrap();
        let body: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(body["error_code"], "DWS.0011");
        assert_eq!(body["error_msg"], "集群正在执行其他操作，请稍后重试。");
    }
}
