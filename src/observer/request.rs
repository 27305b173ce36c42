//! One request of an account: admitted by the circuit, in turn by the bucket, and judged.
//!
//! It knows how a request goes out and not what it is for.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::MutexGuard;

use super::account::Account;
use super::bucket::Urgency;
use super::circuit::{self, Admission, Scope, Ticket};
use crate::dws::Executed;
use crate::dws::answer::{Answer, Failure, Meaning};
use crate::dws::call::Call;

/// What a request is, for its turn and its judgement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errand {
    pub(super) urgency: Urgency,
    pub(super) scope: Scope,
}

impl Errand {
    /// A list, or the look-up of the project.
    pub(super) fn of_account() -> Self {
        Self {
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
    pub(super) async fn admitted(&self, errand: Errand) -> Result<Pass<'_>, Failure> {
        loop {
            let gate = match self.admit() {
                Admission::Held(failure) => return Err(failure),
                Admission::Go(_) => None,
                Admission::Probe(_) => {
                    let gate = self.gate().lock().await;
                    match self.admit() {
                        Admission::Held(failure) => return Err(failure),
                        Admission::Go(_) => None,
                        Admission::Probe(_) => Some(gate),
                    }
                }
            };
            self.turn(errand.urgency).await?;
            // The circuit may have opened, or its pause ended, while this one waited for its turn.
            match self.admit() {
                Admission::Held(failure) => return Err(failure),
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

    /// Sends a read and lets the circuit know what came of it.
    pub(super) async fn read<T>(
        &self,
        errand: Errand,
        pass: Pass<'_>,
        request: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let outcome = request.await;
        self.judge(errand.scope, pass.ticket, outcome.as_ref().err());
        outcome.map_err(|failure| match errand.scope {
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
        let errand = Errand::of_account();
        let pass = self.admitted(errand).await?;
        let id = self.read(errand, pass, self.client().project_id()).await?;
        self.learn_project(&id);
        Ok(id)
    }

    /// See [`Account::execute`].
    pub(super) async fn send_changing(&self, call: &Call, deadline: Timestamp) -> Answer {
        let errand = Errand {
            urgency: Urgency::Changing,
            scope: Scope::Object,
        };
        let left = deadline.duration_since(self.now());
        let Ok(left) = Duration::try_from(left) else {
            return Answer::Refused(too_late());
        };
        let turn = async {
            self.project().await?;
            self.admitted(errand).await
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
        let Executed {
            answer,
            token_ended,
        } = self.client().execute_once(call, deadline).await;
        let failure = match &answer {
            Answer::Accepted { .. } => None,
            Answer::Refused(failure) | Answer::Ambiguous(failure) => Some(failure),
        };
        // The call is planned anew with a new token, which tells whether the credential is still good.
        if !token_ended {
            self.judge(errand.scope, pass.ticket, failure);
        }
        answer
    }
}

fn too_late() -> Failure {
    Failure {
        meaning: Meaning::Unavailable,
        http: None,
        code: None,
        message: "not sent: its turn did not come before the deadline for sending".to_owned(),
        field: None,
        advice: "Wait: the request is planned anew.",
        retry_after: None,
        sent: false,
    }
}
