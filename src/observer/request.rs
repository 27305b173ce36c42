//! One request of an account: admitted by the circuit, in turn by the bucket, counted, and judged.
//!
//! It knows how a request goes out and not what it is for.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::MutexGuard;
use tokio::time::Instant;

use super::account::Account;
use super::bucket::Urgency;
use super::circuit::{self, Admission, Scope, Ticket};
use super::stats;
use crate::dws::Executed;
use crate::dws::answer::{Answer, Class, Failure, Meaning};
use crate::dws::call::Call;
use crate::dws::operation::Operation;

/// What a request is, for its turn, its count and its judgement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) operation: Operation,
    pub(super) urgency: Urgency,
    pub(super) scope: Scope,
}

impl Kind {
    /// A list, or the look-up of the project.
    pub(super) fn of_account(operation: Operation) -> Self {
        Self {
            operation,
            urgency: Urgency::Prompt,
            scope: Scope::Account,
        }
    }
}

/// The right to send one request; a probe keeps the gate shut meanwhile.
pub(super) struct Pass<'a> {
    ticket: Ticket,
    _gate: Option<MutexGuard<'a, ()>>,
}

impl Account {
    /// Waits for the right to send. Fails at once while the circuit holds calls back.
    ///
    /// An untried account and one whose pause is over are probed by one request alone, while the others
    /// wait for what comes of it: ten requests with a wrong key at once would lock the key.
    pub(super) async fn admitted(&self, kind: Kind) -> Result<Pass<'_>, Failure> {
        let held = |failure| {
            let stats = &self.seat().stats;
            stats.record(kind.operation, stats::HELD, Duration::ZERO);
            Err(failure)
        };
        loop {
            let gate = match self.admit() {
                Admission::Held(failure) => return held(failure),
                Admission::Go(_) => None,
                Admission::Probe(_) => {
                    let gate = self.gate().lock().await;
                    match self.admit() {
                        Admission::Held(failure) => return held(failure),
                        Admission::Go(_) => None,
                        Admission::Probe(_) => Some(gate),
                    }
                }
            };
            if let Err(failure) = self.turn(kind.urgency).await {
                return held(failure);
            }
            // The circuit may have opened, or its pause ended, while this one waited for its turn.
            match self.admit() {
                Admission::Held(failure) => return held(failure),
                Admission::Probe(_) if gate.is_none() => {}
                Admission::Go(ticket) | Admission::Probe(ticket) => {
                    return Ok(Pass {
                        ticket,
                        _gate: gate,
                    });
                }
            }
        }
    }

    /// Waits for a token, or until the circuit opens: those who would be held back anyway must not use up
    /// tokens before the probe gets one.
    async fn turn(&self, urgency: Urgency) -> Result<(), Failure> {
        let token = self.seat().limiter.acquire(urgency);
        tokio::pin!(token);
        loop {
            let opened = self.opened().notified();
            tokio::pin!(opened);
            opened.as_mut().enable();
            if let Admission::Held(failure) = self.admit() {
                return Err(failure);
            }
            tokio::select! {
                biased;
                () = &mut token => return Ok(()),
                () = opened => {}
            }
        }
    }

    /// Sends a read and lets circuit and counters know what came of it.
    pub(super) async fn read<T>(
        &self,
        kind: Kind,
        pass: Pass<'_>,
        request: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let outcome = request.await;
        let result = outcome
            .as_ref()
            .map_or_else(stats::result_name, |_| stats::OK);
        self.seat()
            .stats
            .record(kind.operation, result, began.elapsed());
        self.judge(kind.scope, pass.ticket, outcome.as_ref().err());
        outcome.map_err(|failure| match kind.scope {
            Scope::Account => circuit::of_account(failure),
            Scope::Object => failure,
        })
    }

    /// The project's id, looked up once.
    pub(super) async fn project(&self) -> Result<String, Failure> {
        if let Some(known) = self.known_project() {
            return Ok(known);
        }
        let _one_asks = self.project_gate().lock().await;
        if let Some(known) = self.known_project() {
            return Ok(known);
        }
        let kind = Kind::of_account(Operation::ListProjects);
        let pass = self.admitted(kind).await?;
        let id = self.read(kind, pass, self.client().project_id()).await?;
        self.learn_project(&id);
        Ok(id)
    }

    /// See [`Account::execute`].
    pub(super) async fn send_changing(&self, call: &Call, deadline: Timestamp) -> Answer {
        let kind = Kind {
            operation: Operation::of(call).0,
            urgency: Urgency::Changing,
            scope: Scope::Object,
        };
        let left = deadline.duration_since(self.now());
        let Ok(left) = Duration::try_from(left) else {
            return Answer::Refused(too_late());
        };
        let turn = async {
            self.project().await?;
            self.admitted(kind).await
        };
        // Waiting counts against the deadline: past it nothing may be sent.
        let pass = match tokio::time::timeout(left, turn).await {
            Ok(Ok(pass)) => pass,
            Ok(Err(failure)) => {
                return Answer::Refused(Failure {
                    sent: false,
                    ..failure
                });
            }
            Err(_) => return Answer::Refused(too_late()),
        };
        if self.now() >= deadline {
            return Answer::Refused(too_late());
        }
        let began = Instant::now();
        let Executed {
            answer,
            token_ended,
        } = self.client().execute_once(call, deadline).await;
        let (result, failure) = match &answer {
            Answer::Accepted { .. } => (stats::OK, None),
            Answer::Refused(failure) => (stats::result_name(failure), Some(failure)),
            Answer::Ambiguous(failure) => (stats::AMBIGUOUS, Some(failure)),
        };
        self.seat()
            .stats
            .record(kind.operation, result, began.elapsed());
        // The call is planned anew with a new token, which tells whether the credential is still good.
        if !token_ended {
            self.judge(kind.scope, pass.ticket, failure);
        }
        answer
    }
}

fn too_late() -> Failure {
    Failure {
        meaning: Meaning::Unavailable,
        class: Class::Retry,
        http: None,
        code: None,
        message: "not sent: its turn did not come before the deadline for sending".to_owned(),
        field: None,
        advice: "Wait: the request is planned anew.",
        retry_after: None,
        sent: false,
    }
}
