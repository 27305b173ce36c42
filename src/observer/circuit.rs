//! Holds an account's calls back after 429, 5xx and failed authentication: a pure state machine.
//!
//! It is told the time and what came of requests. It knows no request, no task and no timer. Every
//! request is admitted with a [`Ticket`]; answers to requests from before the circuit opened neither
//! close it nor lengthen the pause.

use jiff::{SignedDuration, Timestamp};

use crate::core::facts::{Circuit, CircuitReason};
use crate::dws::answer::{Failure, Meaning};

/// Pauses after failures in a row, in seconds; the last one stays.
const PAUSES: [i64; 5] = [2, 4, 8, 16, 30];
/// Five failed authentications lock an access key for five minutes, so one a minute.
const AUTHENTICATION_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// The longest `Retry-After` that is honoured: a wrong one must not stop the account for a day.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// Throttled again this soon after the pause: the pauses go on growing.
const MEMORY_OF_THROTTLING: SignedDuration = SignedDuration::from_secs(30);
/// Idle resources learn of the circuit after so many failed polls in a row.
pub const POLLS_UNTIL_IDLE_LEARN: u32 = 3;

/// What a request was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The account as a whole (lists, the project): every failure of it is the account's.
    Account,
    /// One object: only failures that any request would meet are the account's.
    Object,
}

/// May the request go out?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes.
    Go(Ticket),
    /// Yes, if no other probe is out: the account was not tried yet, or the pause is over.
    Probe(Ticket),
    /// No: this failure stands for the answer. Nothing was sent.
    Held(Failure),
}

/// When a request was admitted, by the count of openings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// Who is to learn that the circuit changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signal {
    /// Resources that have work.
    pub with_work: bool,
    /// Resources at rest.
    pub idle: bool,
}

#[derive(Clone, Debug)]
struct Opening {
    reason: CircuitReason,
    failure: Failure,
    since: Timestamp,
    until: Timestamp,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    open: Option<Opening>,
    openings: u64,
    step: usize,
    throttled_until: Option<Timestamp>,
    failed_polls: u32,
    idle_told: bool,
    proven: bool,
}

impl Breaker {
    /// Whether a request may go out now.
    pub fn admit(&self, now: Timestamp) -> Admission {
        let ticket = Ticket(self.openings);
        match &self.open {
            None if self.proven => Admission::Go(ticket),
            None => Admission::Probe(ticket),
            // A clock that was set back must not hold the account for ever.
            Some(open) if now >= open.until || now < open.since => Admission::Probe(ticket),
            Some(open) => Admission::Held(held(open, now)),
        }
    }

    /// An answer came that shows service and credential at work.
    pub fn succeeded(&mut self, ticket: Ticket) -> Signal {
        if ticket.0 != self.openings {
            return Signal::default();
        }
        self.proven = true;
        self.step = 0;
        let Some(open) = self.open.take() else {
            return Signal::default();
        };
        if open.reason == CircuitReason::Throttled {
            self.throttled_until = Some(open.until);
        }
        Signal {
            with_work: true,
            idle: std::mem::take(&mut self.idle_told),
        }
    }

    /// A request failed.
    pub fn failed(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        scope: Scope,
        failure: &Failure,
    ) -> Signal {
        let Some(reason) = reason(failure.meaning, scope) else {
            // The service understood and answered; or nothing was sent, which shows nothing.
            return match failure.http {
                Some(_) => self.succeeded(ticket),
                None => Signal::default(),
            };
        };
        let before = self.open.as_ref().map(|open| open.reason);
        if ticket.0 != self.openings {
            return self.failed_late(now, reason, failure);
        }
        let again = before == Some(reason)
            || (reason == CircuitReason::Throttled
                && before.is_none()
                && self.throttled_until.is_some_and(|until| {
                    now >= until && now.duration_since(until) < MEMORY_OF_THROTTLING
                }));
        self.step = if again { self.step + 1 } else { 0 };
        let until = later(now, pause(reason, failure, self.step));
        self.open_until(now, until, reason, failure);
        Signal {
            with_work: before != Some(reason),
            idle: false,
        }
    }

    /// A poll failed.
    pub fn poll_failed(&mut self) -> Signal {
        self.failed_polls = self.failed_polls.saturating_add(1);
        let tell = self.failed_polls >= POLLS_UNTIL_IDLE_LEARN && !self.idle_told;
        self.idle_told |= tell;
        Signal {
            with_work: false,
            idle: tell,
        }
    }

    /// A poll brought complete lists.
    pub fn poll_succeeded(&mut self) -> Signal {
        self.failed_polls = 0;
        Signal {
            with_work: false,
            idle: self.open.is_none() && std::mem::take(&mut self.idle_told),
        }
    }

    /// The circuit as a fact, while it is open. It stays open beyond its pause until a probe succeeds.
    pub fn circuit(&self) -> Option<Circuit> {
        self.open.as_ref().map(|open| Circuit {
            reason: open.reason,
            message: message(&open.failure),
            until: open.until,
            failed_polls: self.failed_polls,
        })
    }

    /// When calls are tried again, while the circuit is open.
    pub fn until(&self) -> Option<Timestamp> {
        self.open.as_ref().map(|open| open.until)
    }

    /// A failure of a request that was under way when the circuit opened: part of the same trouble.
    fn failed_late(&mut self, now: Timestamp, reason: CircuitReason, failure: &Failure) -> Signal {
        let Some(open) = &mut self.open else {
            // It opened and was closed since: what is known now is newer than this answer.
            return Signal::default();
        };
        let until = later(now, pause(reason, failure, self.step));
        if reason == open.reason {
            // Only the service's own word lengthens the pause.
            if failure.retry_after.is_some() {
                open.until = open.until.max(until);
            }
            Signal::default()
        } else if reason == CircuitReason::CredentialsInvalid {
            self.open_until(now, until, reason, failure);
            Signal {
                with_work: true,
                idle: false,
            }
        } else {
            Signal::default()
        }
    }

    fn open_until(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        reason: CircuitReason,
        failure: &Failure,
    ) {
        self.openings += 1;
        self.open = Some(Opening {
            reason,
            failure: failure.clone(),
            since: now,
            until,
        });
    }
}

fn reason(meaning: Meaning, scope: Scope) -> Option<CircuitReason> {
    match (meaning, scope) {
        (Meaning::Throttled, _) => Some(CircuitReason::Throttled),
        (Meaning::Unauthenticated, _) => Some(CircuitReason::CredentialsInvalid),
        (Meaning::Unavailable | Meaning::Garbled, _) => Some(CircuitReason::ServiceUnavailable),
        (_, Scope::Object) => None,
        (
            Meaning::Forbidden | Meaning::Absent | Meaning::AbsentOrForbidden | Meaning::Invalid,
            Scope::Account,
        ) => Some(CircuitReason::CredentialsInvalid),
        (
            Meaning::Busy
            | Meaning::NameTaken
            | Meaning::BadPassword
            | Meaning::Quota
            | Meaning::SoldOut
            | Meaning::Unknown,
            Scope::Account,
        ) => Some(CircuitReason::ServiceUnavailable),
    }
}

fn pause(reason: CircuitReason, failure: &Failure, step: usize) -> SignedDuration {
    let growing = SignedDuration::from_secs(PAUSES[step.min(PAUSES.len() - 1)]);
    match (reason, failure.retry_after) {
        (CircuitReason::CredentialsInvalid, _) => AUTHENTICATION_PAUSE,
        (CircuitReason::Throttled, Some(asked)) => SignedDuration::try_from(asked)
            .unwrap_or(LONGEST_PAUSE)
            .clamp(SignedDuration::from_secs(1), LONGEST_PAUSE),
        // A 503 may bear one as well; it only lengthens.
        (CircuitReason::ServiceUnavailable, Some(asked)) => SignedDuration::try_from(asked)
            .unwrap_or(LONGEST_PAUSE)
            .clamp(growing, LONGEST_PAUSE),
        (CircuitReason::Throttled | CircuitReason::ServiceUnavailable, None) => growing,
    }
}

fn later(now: Timestamp, pause: SignedDuration) -> Timestamp {
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}

fn held(open: &Opening, now: Timestamp) -> Failure {
    let meaning = match open.reason {
        CircuitReason::Throttled => Meaning::Throttled,
        CircuitReason::CredentialsInvalid => Meaning::Unauthenticated,
        CircuitReason::ServiceUnavailable => Meaning::Unavailable,
    };
    Failure {
        meaning,
        class: meaning.class(),
        retry_after: open.until.duration_since(now).try_into().ok(),
        sent: false,
        ..open.failure.clone()
    }
}

fn message(failure: &Failure) -> String {
    let said = failure.to_string();
    let said = said.trim_end_matches('.');
    if failure.advice.is_empty() {
        said.to_owned()
    } else {
        format!("{said}. {}", failure.advice)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;

    fn failure(meaning: Meaning) -> Failure {
        Failure {
            meaning,
            class: meaning.class(),
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

    #[test]
    fn held_until_the_pause_is_over_then_probed_then_closed() {
        let mut breaker = Breaker::default();
        let first = ticket(&breaker, at(0));
        let signal = breaker.failed(at(0), first, Scope::Object, &failure(Meaning::Throttled));
        assert!(signal.with_work && !signal.idle);
        let Admission::Held(held) = breaker.admit(at(1)) else {
            panic!("not held");
        };
        assert!(!held.sent);
        assert_eq!(held.meaning, Meaning::Throttled);
        assert_eq!(held.retry_after, Some(Duration::from_secs(1)));
        let Admission::Probe(probe) = breaker.admit(at(2)) else {
            panic!("no probe");
        };
        assert!(breaker.circuit().is_some(), "open until the probe succeeds");
        assert!(breaker.succeeded(probe).with_work);
        assert_eq!(breaker.circuit(), None);
        // Throttled again at once: the pauses go on; after a while they begin anew.
        assert_eq!(
            {
                let ticket = ticket(&breaker, at(3));
                breaker.failed(at(3), ticket, Scope::Object, &failure(Meaning::Throttled));
                breaker.until()
            },
            Some(at(5))
        );
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
}
