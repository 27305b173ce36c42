//! Classification, row by row. The sentence that every row answers: can the call have been executed?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;

#[rustfmt::skip] // A row a line.
mod table;

const ID: &str = "7d85f602-a948-4a30-afd4-e84f47471c15";

/// What a row expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    /// Accepted, with an id or without.
    Taken(Option<&'static str>),
    /// Refused: not executed.
    Not(Meaning),
    /// Ambiguous.
    Maybe(Meaning),
}
use Is::{Maybe, Not, Taken};
use Meaning::{
    Absent, AbsentOrForbidden, Busy, Forbidden, Garbled, Invalid, Throttled, Unauthenticated,
    Unavailable, Unknown,
};
use Operation::{
    CreateCluster, CreateSnapshot, DeleteCluster, DeleteSnapshot, GetCluster, GetSnapshot,
    ResetPassword, ResizeCluster, RestartCluster, RestoreSnapshot,
};

const CHANGING: [Operation; 8] = [
    CreateCluster,
    RestoreSnapshot,
    DeleteCluster,
    RestartCluster,
    ResizeCluster,
    ResetPassword,
    CreateSnapshot,
    DeleteSnapshot,
];

fn response(status: u16, body: impl AsRef<[u8]>) -> Response {
    Response {
        status,
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_ref()),
    }
}

fn code(code: &str) -> String {
    format!(r#"{{"error_code":"{code}","error_msg":"said so"}}"#)
}

fn judge(operation: Operation, response: Response) -> Is {
    match classify(operation, &Ok(response), &Redactor::default()) {
        Answer::Accepted { id, .. } => Taken(id.map(|id| if id == ID { ID } else { "other" })),
        Answer::Refused(failure) => {
            assert!(failure.sent);
            Not(failure.meaning)
        }
        Answer::Ambiguous(failure) => {
            assert!(failure.sent);
            Maybe(failure.meaning)
        }
    }
}

#[test]
fn every_answer_in_its_place() {
    let rows = table::rows();
    for (operation, status, body, expected) in &rows {
        let found = judge(*operation, response(*status, body));
        assert_eq!(found, *expected, "{operation:?} {status} {body}");
    }
    crate::dws::figures::figure("dws-client", &format!("{} classification rows", rows.len()));
    assert!(rows.len() >= 120, "{}", rows.len());
}

#[test]
fn without_an_answer_the_first_byte_decides() {
    use TransportErrorKind::{Connect, Other, Reset, Timeout, TooLarge};
    for kind in [Connect, Timeout, Reset, TooLarge, Other] {
        for sent in [false, true] {
            for operation in CHANGING {
                let error = TransportError {
                    kind,
                    sent,
                    message: "gone".into(),
                };
                let answer = classify(operation, &Err(error), &Redactor::default());
                let (definite, failure) = match answer {
                    Answer::Refused(failure) => (true, failure),
                    Answer::Ambiguous(failure) => (false, failure),
                    Answer::Accepted { .. } => panic!("accepted"),
                };
                assert_eq!((definite, failure.sent), (!sent, sent), "{kind:?}");
                let garbled = kind == TooLarge;
                assert_eq!(failure.meaning, if garbled { Garbled } else { Unavailable });
            }
        }
    }
}

#[test]
fn what_reads_are_told() {
    let rows = [
        (GetCluster, 400, "DWS.0001", Invalid),
        (GetCluster, 403, "DWS.0015", AbsentOrForbidden),
        (GetCluster, 401, "DWS.0047", Absent),
        (GetCluster, 404, "DWS.0047", Absent),
        (GetCluster, 404, "DWS.3027", Absent),
        (GetCluster, 404, "DWS.4242", Absent),
        (GetCluster, 404, "APIGW.0101", Unavailable),
        (GetCluster, 401, "APIGW.0301", Unauthenticated),
        (GetCluster, 403, "APIGW.0802", Forbidden),
        (GetCluster, 500, "DWS.9999", Unavailable),
        (GetCluster, 500, "DWS.0011", Busy),
        (GetSnapshot, 400, "DWS.5149", Absent),
        (GetSnapshot, 400, "DWS.0001", Invalid),
        (GetSnapshot, 404, "DWS.4242", Absent),
        (Operation::ListClusters, 404, "DWS.4242", Unknown),
        (Operation::ListClusters, 429, "APIGW.0308", Throttled),
        (Operation::CreateToken, 401, "IAM.0001", Unauthenticated),
    ];
    for (operation, status, number, meaning) in rows {
        let failure = failure(
            operation,
            &response(status, code(number)),
            &Redactor::default(),
        );
        assert_eq!(failure.meaning, meaning, "{operation:?} {status} {number}");
        assert_eq!(failure.code.as_deref(), Some(number));
        assert_eq!(failure.message, "said so");
    }
    for (status, meaning) in [(404, Garbled), (401, Unauthenticated), (503, Unavailable)] {
        let failure = failure(
            GetCluster,
            &response(status, "<html>"),
            &Redactor::default(),
        );
        assert_eq!(failure.meaning, meaning, "a bare {status} is no absence");
        assert_eq!(failure.message, "the answer is no JSON object: <html>");
    }
}

#[test]
fn the_field_is_one_that_the_resource_has() {
    let field = |operation, number: &str| match classify(
        operation,
        &Ok(response(400, code(number))),
        &Redactor::default(),
    ) {
        Answer::Refused(failure) => failure.field,
        other => panic!("{other:?}"),
    };
    for (operation, number, expected) in [
        (CreateCluster, "DWS.5006", Some("spec.nodeType")),
        (CreateCluster, "DWS.5057", Some("spec.clusterName")),
        (CreateSnapshot, "DWS.5057", Some("spec.snapshotName")),
        (CreateSnapshot, "DWS.5006", None),
        (RestoreSnapshot, "DWS.5022", Some("spec.network.subnetId")),
        (RestoreSnapshot, "DWS.5149", Some("spec.restoreFrom")),
        (RestoreSnapshot, "DWS.5200", Some("spec.restoreFrom")),
        (RestoreSnapshot, "DWS.5144", None),
        (ResizeCluster, "DWS.5091", Some("spec.nodeCount")),
        (ResizeCluster, "DWS.5200", Some("spec.nodeCount")),
        (ResizeCluster, "DWS.5022", None),
        (
            ResetPassword,
            "DWS.5145",
            Some("spec.adminPasswordSecretRef"),
        ),
        (ResetPassword, "DWS.5006", None),
        (RestartCluster, "DWS.5006", None),
        (CreateCluster, "DWS.4242", None),
    ] {
        assert_eq!(field(operation, number), expected, "{operation:?} {number}");
    }
}

#[test]
fn a_message_is_fit_to_be_shown() {
    let secret = "Canary-Passw0rd!";
    let redactor = Redactor::new([secret]);
    let shown = |body: String| {
        let Answer::Refused(failure) = classify(CreateCluster, &Ok(response(400, body)), &redactor)
        else {
            panic!("refused")
        };
        format!("{failure} {failure:?}")
    };
    let packed = STANDARD.encode(format!(r#"{{"user_pwd":"{secret}"}}"#));
    for message in [
        secret.to_owned(),
        format!("bad\\n{secret}\\u0007!"),
        packed.clone(),
    ] {
        let text = shown(format!(
            r#"{{"error_code":"DWS.5144","error_msg":"{message}"}}"#
        ));
        assert!(text.contains("[redacted]"), "{text}");
        assert!(
            !text.contains(secret) && !text.contains(&packed[12..30]),
            "{text}"
        );
        assert!(!text.contains('\n'));
    }
    // An echo in place of the code is no code.
    let code_echo = format!(r#"{{"error_code":"DWS.{}"}}"#, "Canary-Passw0rd");
    let redactor = Redactor::new(["Canary-Passw0rd"]);
    let Answer::Refused(failure) =
        classify(CreateCluster, &Ok(response(400, code_echo)), &redactor)
    else {
        panic!("refused")
    };
    assert_eq!(failure.code, None);
    let long = format!(
        r#"{{"error_code":"DWS.5144","error_msg":"{}"}}"#,
        "密".repeat(1000)
    );
    let Answer::Refused(failure) = classify(CreateCluster, &Ok(response(400, long)), &redactor)
    else {
        panic!("refused")
    };
    assert_eq!(failure.message.len(), 510);
}

#[test]
fn headers_are_read() {
    let date = "Tue, 12 Feb 2019 06:52:13 GMT";
    let rows = [
        (Some("7"), Some(7)),
        (Some(" 7 "), Some(7)),
        (Some("Tue, 12 Feb 2019 06:53:13 GMT"), Some(60)),
        (Some("Tue, 12 Feb 2019 06:51:13 GMT"), None),
        (Some("999999999"), Some(3600)),
        (Some("soon"), None),
        (Some("-1"), None),
        (None, None),
    ];
    for (value, seconds) in rows {
        let mut answer = response(429, code("APIGW.0308"));
        answer.headers.insert(DATE, date.parse().unwrap());
        if let Some(value) = value {
            answer.headers.insert(RETRY_AFTER, value.parse().unwrap());
        }
        let failure = failure(GetCluster, &answer, &Redactor::default());
        assert_eq!(
            failure.retry_after,
            seconds.map(Duration::from_secs),
            "{value:?}"
        );
    }
    let mut answer = response(200, "{}");
    assert_eq!(service_time(&answer.headers), None);
    answer.headers.insert(DATE, date.parse().unwrap());
    assert_eq!(
        service_time(&answer.headers),
        Some("2019-02-12T06:52:13Z".parse().unwrap())
    );
}

#[test]
fn every_known_code_is_definite_inside_a_4xx_and_never_inside_a_5xx() {
    for row in codes::all().filter(|row| row.origin != codes::Origin::FailedTask) {
        let undecided = is_undecided_gateway(row.code);
        let in_4xx = judge(ResizeCluster, response(400, code(row.code)));
        assert_eq!(matches!(in_4xx, Not(_)), !undecided, "{}", row.code);
        let in_5xx = judge(ResizeCluster, response(500, code(row.code)));
        assert_eq!(
            matches!(in_5xx, Not(_)),
            row.meaning == Busy,
            "{}",
            row.code
        );
    }
}

proptest! {
    #[test]
    fn any_answer_has_a_place(
        status in any::<u16>(),
        body in proptest::collection::vec(any::<u8>(), 0..300),
        which in 0..CHANGING.len(),
    ) {
        let answer = classify(CHANGING[which], &Ok(response(status, &body)), &Redactor::default());
        // No noise is an acceptance of a create, nor a proof of anything outside of 2xx and 4xx.
        if CHANGING[which].makes().is_some() {
            let accepted = matches!(answer, Answer::Accepted { .. });
            prop_assert!(!accepted);
        }
        if !(200..500).contains(&status) {
            prop_assert!(matches!(answer, Answer::Ambiguous(_)));
        }
        failure(GetCluster, &response(status, &body), &Redactor::default());
    }

    #[test]
    fn any_code_in_any_status_has_a_place(
        status in 100u16..700,
        code in "(DWS|APIGW|IAM|OBS)\\.[0-9]{0,5}",
        message in "\\PC{0,60}",
        which in 0..CHANGING.len(),
    ) {
        let body = serde_json::json!({ "error_code": code, "error_msg": message }).to_string();
        let answer = classify(CHANGING[which], &Ok(response(status, body)), &Redactor::default());
        let definite = matches!(answer, Answer::Refused(_));
        let busy = ["DWS.7023", "DWS.0011"].iter().any(|busy| code == *busy);
        if status >= 500 || status == 408 || (300..400).contains(&status) {
            prop_assert_eq!(definite, busy);
        }
        if (400..500).contains(&status) && status != 408 && code.starts_with("DWS.5") {
            prop_assert!(definite);
        }
    }
}
