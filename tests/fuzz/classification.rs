//! Target: whether a changing call can have been executed.
//!
//! Every answer has a place, and "certainly not executed" is said of the listed shapes alone: no byte was written;
//! a 4xx but 408 that is a whole document and bears a code of the service, of IAM, or one of the gateway that
//! says so; a 200 that bears a code which is not the one of success; the service's word for busy, in whatever
//! answer. "Taken" is said of a good status with a whole document that speaks of no error and bears the id of
//! what was made. All else is ambiguous, and so is everything that was cut off. It is monotone: an answer that
//! says less, or comes from further away, is never the more certain one.

use bytes::Bytes;
use dws_operator::dws::answer::Answer;
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

mod parts;

use parts::{CHANGING, Certainty, Parts, code, parts, status};

type Judge = fn(Operation, &Result<Response, TransportError>) -> Answer;

const OURS: Judge =
    |operation, outcome| outcome::classify(operation, outcome, &Redactor::default());

#[allow(clippy::unnecessary_wraps)] // What a transport returns.
fn answer(status: u16, body: Vec<u8>) -> Result<Response, TransportError> {
    Ok(Response {
        status,
        headers: HeaderMap::new(),
        body: Bytes::from(body),
    })
}

fn certainty(answer: &Answer) -> Certainty {
    match answer {
        Answer::Accepted { .. } => Certainty::Taken,
        Answer::Refused(_) => Certainty::Not,
        Answer::Ambiguous(_) => Certainty::Maybe,
    }
}

fn as_expected(judge: Judge, parts: &Parts) -> Judgement {
    let answer = judge(parts.operation, &answer(parts.status, parts.body()));
    prop_assert_eq!(certainty(&answer), parts.expected());
    match &answer {
        Answer::Accepted { id } => {
            let expected = parts.operation.makes().map(|_| ID);
            prop_assert_eq!(id.as_deref(), expected);
        }
        Answer::Refused(failure) | Answer::Ambiguous(failure) => {
            prop_assert!(failure.sent);
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
        Answer::Accepted { id } => {
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
