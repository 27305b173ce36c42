//! Target: whether a changing call can have been executed.
//!
//! Every answer has a place, and "certainly not executed" is said of the listed shapes alone: no byte was written;
//! a 4xx but 408 that is a whole document and bears a code of the service, of IAM, or one of the gateway that
//! says so; a 200 that bears a code which is not the one of success; the service's word for busy, in whatever
//! answer. "Taken" is said of a good status with a whole document that speaks of no error and bears the id of
//! what was made. All else is ambiguous, and so is everything that was cut off. It is monotone: an answer that
//! says less, or comes from further away, is never the more certain one.

use bytes::Bytes;
use dws_operator::dws::answer::{Answer, Class};
use dws_operator::dws::operation::{Operation, is_id};
use dws_operator::dws::outcome;
use dws_operator::dws::redact::Redactor;
use dws_operator::dws::transport::{Response, TransportError, TransportErrorKind};
use http::HeaderMap;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::corpus::{self, ID};
use super::edits::{Carried, Edit, carried, document, edits};
use super::engine::{Judgement, caught, fails, holds};

const CHANGING: [Operation; 8] = [
    Operation::CreateCluster,
    Operation::RestoreSnapshot,
    Operation::CreateSnapshot,
    Operation::DeleteCluster,
    Operation::RestartCluster,
    Operation::ResizeCluster,
    Operation::ResetPassword,
    Operation::DeleteSnapshot,
];

/// Codes of the gateway that say that the request did not come through.
const AT_THE_GATE: [&str; 10] = [
    "0101", "0301", "0302", "0303", "0304", "0305", "0306", "0307", "0308", "0802",
];

type Judge = fn(Operation, &Result<Response, TransportError>) -> Answer;

const OURS: Judge =
    |operation, outcome| outcome::classify(operation, outcome, &Redactor::default());

fn answer(status: u16, body: Vec<u8>) -> Result<Response, TransportError> {
    Ok(Response {
        status,
        headers: HeaderMap::new(),
        body: Bytes::from(body),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    Maybe,
    Not,
    Taken,
}

fn certainty(answer: &Answer) -> Certainty {
    match answer {
        Answer::Accepted { .. } => Certainty::Taken,
        Answer::Refused(_) => Certainty::Not,
        Answer::Ambiguous(_) => Certainty::Maybe,
    }
}

// --- answers put together from parts: what they are is known beforehand --------------------------------

/// An answer in parts.
#[derive(Clone, Debug)]
struct Parts {
    operation: Operation,
    status: u16,
    style: usize,
    code: Option<String>,
    message: String,
    with_id: bool,
    with_job: bool,
    carried: Carried,
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![
        3 => select(vec![200_u16, 201, 202, 204]),
        3 => select(vec![400_u16, 401, 403, 404, 409, 429, 499]),
        2 => select(vec![408_u16, 500, 502, 503, 504]),
        1 => select(vec![100_u16, 203, 206, 301, 302, 307, 399, 599, 600, 0]),
        1 => any::<u16>(),
    ]
}

fn code() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["DWS.5050", "DWS.9999", "DWS.0015", "DWS.3027", "DWS.6000", "dws.5006", "DWS.4242"]).prop_map(str::to_owned),
        2 => select(vec!["DWS.7023", "DWS.0011", "dws.0011"]).prop_map(str::to_owned),
        1 => select(vec!["DWS.0000", "dws.0000", "DWS.", "DWS", "5050", "OK", "DWSX.1", "XDWS.5050"]).prop_map(str::to_owned),
        3 => select(AT_THE_GATE.to_vec()).prop_map(|number| format!("APIGW.{number}")),
        2 => select(vec!["0201", "0601", "0613", "0309", "0801", ""]).prop_map(|number| format!("APIGW.{number}")),
        1 => "IAM\\.[0-9]{0,4}",
        1 => "(DWS|APIGW|IAM|OBS)\\.[0-9]{0,5}",
    ]
}

fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("said so".to_owned()),
        2 => select(vec!["DWS.7023", "DWS.7023: busy", "[DWS.0011] wait", "DWS.70231", "not DWS.7023", "DWS.0012"]).prop_map(str::to_owned),
        1 => "\\PC{1,30}".prop_filter("says something, and nothing of being busy", |text| {
            !text.trim().is_empty() && !text.to_uppercase().contains("DWS.")
        }),
    ]
}

fn parts() -> impl Strategy<Value = Parts> {
    let body = (
        0..corpus::STYLES.len(),
        prop::option::weighted(0.85, code()),
        message(),
        any::<bool>(),
        prop::bool::weighted(0.2),
    );
    let carried = prop_oneof![
        5 => Just(Carried::Whole),
        2 => any::<Index>().prop_map(Carried::Cut),
        1 => any::<bool>().prop_map(|padded| Carried::Base64 { padded }),
        1 => Just(Carried::Marked),
    ];
    (select(CHANGING.to_vec()), status(), body, carried).prop_map(
        |(operation, status, (style, code, message, with_id, with_job), carried)| Parts {
            operation,
            status,
            style,
            code,
            message,
            with_id,
            with_job,
            carried,
        },
    )
}

impl Parts {
    fn document(&self) -> Value {
        let mut document = match &self.code {
            Some(code) => corpus::error(self.style, code, &self.message),
            None => json!({}),
        };
        if self.with_id {
            document["cluster"] = json!({"id": ID});
            document["snapshot"] = json!({"id": ID});
        }
        if self.with_job {
            document["job_id"] = json!("job-1");
        }
        document
    }

    fn body(&self) -> Vec<u8> {
        self.carried
            .apply(&self.document().to_string().into_bytes())
    }

    /// By the rule's own words.
    fn expected(&self) -> Certainty {
        use Certainty::{Maybe, Not, Taken};
        let good = matches!(self.status, 200 | 201 | 202 | 204);
        let makes = matches!(
            self.operation,
            Operation::CreateCluster | Operation::RestoreSnapshot | Operation::CreateSnapshot
        );
        let arrived = self.body();
        if arrived.trim_ascii().is_empty() {
            // A whole answer without a body: a connection that ends early is no answer at all.
            return if good && !makes { Taken } else { Maybe };
        }
        if matches!(self.carried, Carried::Cut(_)) {
            return Maybe;
        }
        let code = self.code.as_deref().unwrap_or_default().to_uppercase();
        let style = corpus::STYLES[self.style];
        // In an answer of good status only the service's own styles count as an error.
        let own_style = !matches!(style, "iam" | "camel" | "bare");
        let counts = self.code.is_some() && (own_style || !good);
        let names = |text: &str| text.starts_with("DWS.7023") || text.starts_with("DWS.0011");
        let says_busy = counts
            && (matches!(code.as_str(), "DWS.7023" | "DWS.0011")
                || (names(self.message.trim_start_matches('[')) && self.message != "DWS.70231"));
        if good {
            let failed = counts && code != "DWS.0000" && !self.with_job;
            if failed {
                let known = !self.has_id() && code != "APIGW.0201" && !code.starts_with("APIGW.06");
                return if says_busy || known { Not } else { Maybe };
            }
            let speaks = self.code.is_some() && style == "iam";
            return if speaks || (makes && !self.with_id) {
                Maybe
            } else {
                Taken
            };
        }
        let refused = (400..500).contains(&self.status) && self.status != 408;
        let of_the_service = code
            .strip_prefix("DWS.")
            .is_some_and(|number| !number.is_empty() && number != "0000");
        let of_the_gate = code
            .strip_prefix("APIGW.")
            .is_some_and(|number| AT_THE_GATE.contains(&number));
        let of_iam = code
            .strip_prefix("IAM.")
            .is_some_and(|number| !number.is_empty())
            || (style == "iam" && !code.starts_with("DWS.") && !code.starts_with("APIGW."));
        let definite = self.code.is_some() && refused && (of_the_service || of_the_gate || of_iam);
        if says_busy || definite { Not } else { Maybe }
    }

    fn has_id(&self) -> bool {
        self.with_id && self.operation.makes().is_some()
    }
}

fn as_expected(judge: Judge, parts: &Parts) -> Judgement {
    let answer = judge(parts.operation, &answer(parts.status, parts.body()));
    prop_assert_eq!(certainty(&answer), parts.expected());
    match &answer {
        Answer::Accepted { id, .. } => {
            let expected = parts.operation.makes().map(|_| ID);
            prop_assert_eq!(id.as_deref(), expected);
        }
        Answer::Refused(failure) => {
            prop_assert!(failure.sent);
            prop_assert_eq!(failure.class, failure.meaning.class());
        }
        Answer::Ambiguous(failure) => {
            prop_assert!(failure.sent);
            prop_assert_eq!(failure.class, Class::Ambiguous);
        }
    }
    Ok(())
}

// --- the less an answer says --------------------------------------------------------------------------

/// From a parent to a child that says less: never more certain, and never the opposite.
fn monotone(judge: Judge, parts: &Parts) -> Judgement {
    let of =
        |parts: &Parts| certainty(&judge(parts.operation, &answer(parts.status, parts.body())));
    let whole = Parts {
        carried: Carried::Whole,
        ..parts.clone()
    };
    let is = of(&whole);
    let busy = |parts: &Parts| {
        let text = format!("{:?} {}", parts.code, parts.message).to_uppercase();
        text.contains("7023") || text.contains("0011")
    };
    for status in [500, 502, 503, 504, 408, 302, 203] {
        let further = of(&Parts {
            status,
            ..whole.clone()
        });
        prop_assert!(
            further == Certainty::Maybe || (busy(&whole) && further == Certainty::Not),
            "{status} is {further:?}"
        );
    }
    if is == Certainty::Not && !(200..300).contains(&whole.status) {
        let nameless = of(&Parts {
            code: None,
            message: String::new(),
            ..whole.clone()
        });
        prop_assert_eq!(nameless, Certainty::Maybe, "without its code");
    }
    let gone = judge(
        whole.operation,
        &Err(TransportError {
            kind: TransportErrorKind::Reset,
            sent: true,
            message: "gone".into(),
        }),
    );
    prop_assert_eq!(certainty(&gone), Certainty::Maybe, "no answer");
    let never = judge(
        whole.operation,
        &Err(TransportError {
            kind: TransportErrorKind::Timeout,
            sent: false,
            message: "gone".into(),
        }),
    );
    prop_assert_eq!(certainty(&never), Certainty::Not, "no byte was written");
    Ok(())
}

// --- anything else ------------------------------------------------------------------------------------

type Mutated = (Operation, u16, usize, Vec<Edit>, Carried, Index, String);

fn mutated() -> impl Strategy<Value = Mutated> {
    (
        select(CHANGING.to_vec()),
        status(),
        0..12_usize,
        edits(corpus::NAMES),
        carried(),
        any::<Index>(),
        code(),
    )
}

/// What is certain of an answer that nobody has described: it needs a whole document and a word for it.
fn never_out_of_nothing(
    judge: Judge,
    (operation, status, style, edits, carried, which, code): &Mutated,
) -> Judgement {
    let mut seed = match style {
        0..8 => corpus::error(*style, code, "said so"),
        8 => json!({"cluster": {"id": ID}, "job_id": "j"}),
        9 => json!({"snapshot": {"id": ID}}),
        10 => json!({}),
        _ => which.get(corpus::documents()).clone(),
    };
    for edit in edits {
        edit.apply(&mut seed);
    }
    let body = carried.apply(&seed.to_string().into_bytes());
    let read = document(&body).filter(Value::is_object);
    let empty = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&body)
        .trim_ascii()
        .is_empty();
    match judge(*operation, &answer(*status, body)) {
        Answer::Ambiguous(_) => {}
        Answer::Refused(_) => {
            let Some(read) = read else {
                return Err(TestCaseError::fail("refused by what cannot be read"));
            };
            let text = read.to_string().to_uppercase();
            let busy = text.contains("DWS.7023") || text.contains("DWS.0011");
            let coded = ["error_code", "errCode", "errorCode", "code", "error"]
                .iter()
                .any(|name| !read[*name].is_null());
            let refused = matches!(*status, 200..=202 | 204 | 400..=407 | 409..=499);
            prop_assert!(busy || (coded && refused), "refused by {status} {read}");
        }
        Answer::Accepted { id, .. } => {
            prop_assert!(matches!(*status, 200..=202 | 204), "taken at {status}");
            prop_assert!(read.is_some() || empty, "taken by what cannot be read");
            let read = read.unwrap_or_default();
            if let Some(made) = operation.makes() {
                let told = read[made]["id"].as_str().map(str::trim).unwrap_or_default();
                prop_assert_eq!(id.as_deref(), Some(told));
                prop_assert!(is_id(told), "{told:?} taken for an id");
            }
            let job = read["job_id"]
                .as_str()
                .is_some_and(|job| !job.trim().is_empty());
            for name in ["error_code", "errCode"] {
                let says = match &read[name] {
                    Value::Null => false,
                    Value::String(code) => {
                        !code.trim().is_empty() && !code.trim().eq_ignore_ascii_case("DWS.0000")
                    }
                    _ => true,
                };
                // The newer style is the one that counts where both are there.
                let overruled = name == "errCode"
                    && read["error_code"]
                        .as_str()
                        .is_some_and(|code| code.trim().eq_ignore_ascii_case("DWS.0000"));
                prop_assert!(
                    !says || job || overruled,
                    "taken although {name} is {}",
                    read[name]
                );
            }
        }
    }
    Ok(())
}

#[test]
fn an_answer_is_as_certain_as_the_rule_says() {
    holds(
        "classification",
        "answers in parts",
        4_000,
        &parts(),
        |parts| as_expected(OURS, &parts),
    );
    holds(
        "classification",
        "answers that say less",
        1_000,
        &parts(),
        |parts| monotone(OURS, &parts),
    );
}

#[test]
fn nothing_is_certain_without_a_word_for_it() {
    holds(
        "classification",
        "mutated answers",
        4_000,
        &mutated(),
        |case| never_out_of_nothing(OURS, &case),
    );
}

#[test]
fn broken_classifications_are_caught() {
    fn refuse(answer: Answer) -> Answer {
        match answer {
            Answer::Ambiguous(failure) => Answer::Refused(failure),
            other => other,
        }
    }
    fn status_of(outcome: &Result<Response, TransportError>) -> u16 {
        outcome.as_ref().map_or(0, |response| response.status)
    }
    let every_4xx: Judge = |operation, outcome| match status_of(outcome) {
        400..=499 => refuse(OURS(operation, outcome)),
        _ => OURS(operation, outcome),
    };
    let any_code: Judge = |operation, outcome| match outcome {
        Ok(response) if response.status >= 500 && document(&response.body).is_some() => {
            refuse(OURS(operation, outcome))
        }
        _ => OURS(operation, outcome),
    };
    let timeouts_failed: Judge = |operation, outcome| match outcome {
        Err(_) => refuse(OURS(operation, outcome)),
        Ok(_) => OURS(operation, outcome),
    };
    let every_200: Judge = |operation, outcome| match status_of(outcome) {
        200 => Answer::Accepted {
            id: operation.makes().map(|_| ID.to_owned()),
            service_time: None,
        },
        _ => OURS(operation, outcome),
    };
    let code_in_the_bytes: Judge = |operation, outcome| match outcome {
        Ok(response)
            if response.status == 400 && response.body.windows(4).any(|four| four == b"DWS.") =>
        {
            refuse(OURS(operation, outcome))
        }
        _ => OURS(operation, outcome),
    };
    let parts_catch = |judge: Judge| fails(&parts(), |parts| as_expected(judge, &parts));
    let less_catches = |judge: Judge| fails(&parts(), |parts| monotone(judge, &parts));
    let noise_catches = |judge: Judge| fails(&mutated(), |case| never_out_of_nothing(judge, &case));
    caught(
        "classification",
        &[
            ("every 4xx is definite", parts_catch(every_4xx)),
            (
                "every 4xx is definite, seen on noise",
                noise_catches(every_4xx),
            ),
            (
                "a code inside a 5xx is definite",
                parts_catch(any_code) && less_catches(any_code),
            ),
            ("a time-out is a failure", less_catches(timeouts_failed)),
            (
                "a 200 is a success",
                parts_catch(every_200) && noise_catches(every_200),
            ),
            (
                "a code is looked for in the bytes",
                parts_catch(code_in_the_bytes) && noise_catches(code_in_the_bytes),
            ),
        ],
    );
}
