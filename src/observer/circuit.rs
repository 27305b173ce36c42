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
const AUTHENTICATION_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// The longest `Retry-After` that is honoured: a wrong one must not stop the account for a day.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// The same trouble again this soon after the pause: the pauses go on growing. One request that works does
/// not mean that the next one of another kind does.
const MEMORY: SignedDuration = SignedDuration::from_secs(30);
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
    /// Why the last pause was made that grows, when it ended, and which it was.
    last: Option<(CircuitReason, Timestamp, usize)>,
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
        let Some(open) = self.open.take() else {
            return Signal::default();
        };
        if open.reason != CircuitReason::CredentialsInvalid {
            self.last = Some((open.reason, open.until, self.step));
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
        let former = match before {
            Some(before) => (before == reason).then_some(self.step),
            None => self
                .last
                .filter(|(former, until, _)| {
                    *former == reason && now >= *until && now.duration_since(*until) < MEMORY
                })
                .map(|(_, _, step)| step),
        };
        self.step = former.map_or(0, |step| step.saturating_add(1));
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
    let of_account = scope == Scope::Account;
    match meaning {
        Meaning::Throttled => Some(CircuitReason::Throttled),
        Meaning::Unauthenticated => Some(CircuitReason::CredentialsInvalid),
        Meaning::Unavailable | Meaning::Garbled => Some(CircuitReason::ServiceUnavailable),
        // No list, no project: this credential cannot work as it is.
        Meaning::Forbidden | Meaning::Absent | Meaning::AbsentOrForbidden | Meaning::Invalid => {
            of_account.then_some(CircuitReason::CredentialsInvalid)
        }
        Meaning::Busy
        | Meaning::NameTaken
        | Meaning::BadPassword
        | Meaning::Quota
        | Meaning::SoldOut
        | Meaning::Unknown => of_account.then_some(CircuitReason::ServiceUnavailable),
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

/// A failure of a list or of the project's look-up, as those see it who wanted something else: it says
/// nothing about any object. A not-found of the project must never read as one of a cluster.
pub(super) fn of_account(failure: Failure) -> Failure {
    let Some(reason) = reason(failure.meaning, Scope::Account) else {
        return failure;
    };
    let meaning = match (failure.meaning, reason) {
        (Meaning::Garbled, _) => Meaning::Garbled,
        (_, reason) => meaning(reason),
    };
    Failure {
        meaning,
        field: None,
        ..failure
    }
}

fn meaning(reason: CircuitReason) -> Meaning {
    match reason {
        CircuitReason::Throttled => Meaning::Throttled,
        CircuitReason::CredentialsInvalid => Meaning::Unauthenticated,
        CircuitReason::ServiceUnavailable => Meaning::Unavailable,
    }
}

fn held(open: &Opening, now: Timestamp) -> Failure {
    let meaning = meaning(open.reason);
    Failure {
        meaning,
        field: None,
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
mod tests;
