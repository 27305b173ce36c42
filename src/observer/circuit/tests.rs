//! The circuit as a table, and its turns one by one.

use std::time::Duration;

use rstest::rstest;

use super::*;

fn failure(meaning: Meaning) -> Failure {
    Failure {
        meaning,
        http: Some(503),
        code: Some("APIGW.0613".to_owned()),
        message: "backend unavailable".to_owned(),
        field: None,
        advice: "Wait.",
        retry_after: None,
        sent: true,
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000 + seconds)
}

fn ticket(breaker: &Breaker, now: Timestamp) -> Ticket {
    match breaker.admit(now) {
        Admission::Go(ticket) | Admission::Probe(ticket) => ticket,
        Admission::Held(failure) => panic!("held: {failure:?}"),
    }
}

/// Fails probe after probe; returns the pauses in seconds.
fn pauses(breaker: &mut Breaker, failure: &Failure, many: usize) -> Vec<i64> {
    let mut now = breaker.until().unwrap_or(at(0));
    (0..many)
        .map(|_| {
            let ticket = ticket(breaker, now);
            breaker.failed(now, ticket, Scope::Account, failure);
            let until = breaker.until().expect("open");
            let pause = until.duration_since(now).as_secs();
            now = until;
            pause
        })
        .collect()
}

#[rstest]
#[case(Meaning::Throttled, None, vec![2, 4, 8, 16, 30, 30])]
#[case(Meaning::Throttled, Some(7), vec![7, 7])]
#[case(Meaning::Throttled, Some(0), vec![1])]
#[case(Meaning::Throttled, Some(86_400), vec![600])]
#[case(Meaning::Unavailable, None, vec![2, 4, 8, 16, 30, 30])]
#[case(Meaning::Unavailable, Some(1), vec![2, 4])]
#[case(Meaning::Unavailable, Some(20), vec![20])]
#[case(Meaning::Garbled, None, vec![2, 4, 8])]
#[case(Meaning::Unauthenticated, None, vec![60, 60])]
#[case(Meaning::Unauthenticated, Some(1), vec![60])]
#[case(Meaning::Forbidden, None, vec![60])]
#[case(Meaning::Unknown, None, vec![2, 4])]
fn pauses_by_meaning(
    #[case] meaning: Meaning,
    #[case] retry_after: Option<u64>,
    #[case] expected: Vec<i64>,
) {
    let failure = Failure {
        retry_after: retry_after.map(Duration::from_secs),
        ..failure(meaning)
    };
    let mut breaker = Breaker::default();
    assert_eq!(pauses(&mut breaker, &failure, expected.len()), expected);
}

#[rstest]
#[case(Meaning::Busy)]
#[case(Meaning::Forbidden)]
#[case(Meaning::Absent)]
#[case(Meaning::AbsentOrForbidden)]
#[case(Meaning::NameTaken)]
#[case(Meaning::BadPassword)]
#[case(Meaning::Quota)]
#[case(Meaning::SoldOut)]
#[case(Meaning::Invalid)]
#[case(Meaning::Unknown)]
fn what_concerns_one_object_leaves_the_account_alone(#[case] meaning: Meaning) {
    let mut breaker = Breaker::default();
    let ticket = ticket(&breaker, at(0));
    breaker.failed(at(0), ticket, Scope::Object, &failure(meaning));
    assert_eq!(breaker.circuit(), None);
    assert!(matches!(breaker.admit(at(0)), Admission::Go(_)));
}

#[test]
fn an_untried_account_is_probed() {
    let mut breaker = Breaker::default();
    let Admission::Probe(ticket) = breaker.admit(at(0)) else {
        panic!("not a probe");
    };
    breaker.succeeded(ticket);
    assert!(matches!(breaker.admit(at(0)), Admission::Go(_)));
}

#[rstest]
#[case(Meaning::Throttled)]
#[case(Meaning::Unavailable)]
fn held_until_the_pause_is_over_then_probed_then_closed(#[case] meaning: Meaning) {
    let mut breaker = Breaker::default();
    let first = ticket(&breaker, at(0));
    let signal = breaker.failed(at(0), first, Scope::Object, &failure(meaning));
    assert!(signal.with_work && !signal.idle);
    let Admission::Held(held) = breaker.admit(at(1)) else {
        panic!("not held");
    };
    assert!(!held.sent);
    assert_eq!(held.meaning, meaning);
    assert_eq!(held.retry_after, Some(Duration::from_secs(1)));
    let Admission::Probe(probe) = breaker.admit(at(2)) else {
        panic!("no probe");
    };
    assert!(breaker.circuit().is_some(), "open until the probe succeeds");
    assert!(breaker.succeeded(probe).with_work);
    assert_eq!(breaker.circuit(), None);
    // The same again at once: the pauses go on; after a while they begin anew.
    let mut again = |seconds: i64| {
        let ticket = ticket(&breaker, at(seconds));
        breaker.failed(at(seconds), ticket, Scope::Object, &failure(meaning));
        let until = breaker.until();
        let probe = self::ticket(&breaker, until.expect("open"));
        breaker.succeeded(probe);
        until
    };
    assert_eq!(again(3), Some(at(7)));
    assert_eq!(again(8), Some(at(16)));
    assert_eq!(again(60), Some(at(62)));
}

#[test]
fn answers_from_before_the_opening_neither_close_nor_lengthen() {
    let mut breaker = Breaker::default();
    let old = ticket(&breaker, at(0));
    for _ in 0..50 {
        breaker.failed(at(0), old, Scope::Object, &failure(Meaning::Unavailable));
    }
    assert_eq!(breaker.until(), Some(at(2)));
    assert_eq!(breaker.succeeded(old), Signal::default());
    assert_eq!(breaker.until(), Some(at(2)));
    let asked = Failure {
        retry_after: Some(Duration::from_secs(9)),
        ..failure(Meaning::Unavailable)
    };
    breaker.failed(at(0), old, Scope::Object, &asked);
    assert_eq!(breaker.until(), Some(at(9)), "the service's own word does");
    breaker.failed(
        at(1),
        old,
        Scope::Object,
        &failure(Meaning::Unauthenticated),
    );
    assert_eq!(breaker.until(), Some(at(61)), "a failed login does");
}

#[test]
fn idle_resources_learn_after_three_polls_and_when_it_is_over() {
    let mut breaker = Breaker::default();
    let mut told = Vec::new();
    let mut now = at(0);
    for _ in 0..5 {
        let ticket = ticket(&breaker, now);
        breaker.failed(now, ticket, Scope::Account, &failure(Meaning::Unavailable));
        told.push(breaker.poll_failed().idle);
        now = breaker.until().expect("open");
    }
    assert_eq!(told, [false, false, true, false, false]);
    assert_eq!(breaker.circuit().map(|c| c.failed_polls), Some(5));
    let ticket = ticket(&breaker, now);
    let closed = breaker.succeeded(ticket);
    assert!(closed.idle && closed.with_work);
    assert!(!breaker.poll_succeeded().idle, "once is enough");
}

#[test]
fn a_clock_set_back_does_not_hold_for_ever() {
    let mut breaker = Breaker::default();
    let ticket = ticket(&breaker, at(0));
    breaker.failed(
        at(0),
        ticket,
        Scope::Object,
        &failure(Meaning::Unauthenticated),
    );
    assert!(matches!(breaker.admit(at(-900)), Admission::Probe(_)));
}

#[test]
fn the_message_gives_code_words_and_advice() {
    let mut breaker = Breaker::default();
    let ticket = ticket(&breaker, at(0));
    breaker.failed(at(0), ticket, Scope::Object, &failure(Meaning::Unavailable));
    assert_eq!(
        breaker.circuit().map(|c| c.message).as_deref(),
        Some("APIGW.0613 (HTTP 503): backend unavailable. Wait.")
    );
}
