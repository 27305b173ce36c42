//! The operation journal: an intent is stored before its call, and only a stored intent can be sent.
//!
//! [`Intent`] is what a plan wants; [`StoredIntent`] can only be made from the API server's answer to the
//! write that stored it. The executor takes nothing else, so "sent but not stored" does not compile.

use jiff::Timestamp;

use crate::api::{Baseline, Operation, OperationKind, OperationPhase, Target};
use crate::core::conditions::whole_second;
use crate::dws::call::Call;

/// A changing call that is planned and not yet stored.
#[derive(Debug)]
pub struct Intent {
    operation: Operation,
    call: Call,
}

impl Intent {
    /// A first attempt.
    pub fn new(
        id: &str,
        kind: OperationKind,
        target: Target,
        baseline: Baseline,
        now: Timestamp,
        call: Call,
    ) -> Self {
        let operation = Operation {
            id: id.to_owned(),
            kind,
            attempt: 1,
            phase: OperationPhase::Intended,
            target,
            baseline,
            intended_at: whole_second(now),
            message: None,
            task_seen: None,
            other: std::collections::BTreeMap::default(),
        };
        Self { operation, call }
    }

    /// The next attempt of an operation whose former one is settled as not executed.
    pub fn renewed(former: &Operation, now: Timestamp, call: Call) -> Self {
        let operation = Operation {
            attempt: former.attempt.saturating_add(1),
            phase: OperationPhase::Intended,
            intended_at: whole_second(now),
            message: None,
            task_seen: None,
            ..former.clone()
        };
        Self { operation, call }
    }

    /// The journal entry to be stored.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// What is to be sent.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Proof that it is stored: `stored` is `status.operation` as the API server answered the write.
    ///
    /// # Errors
    /// [`NotStored`] when the stored entry is another one, or an older attempt.
    pub fn stored(self, stored: Option<&Operation>) -> Result<StoredIntent, NotStored> {
        match stored {
            Some(found)
                if found.id == self.operation.id
                    && found.attempt == self.operation.attempt
                    && found.phase == OperationPhase::Intended =>
            {
                Ok(StoredIntent {
                    operation: self.operation,
                    call: self.call,
                })
            }
            _ => Err(NotStored {
                id: self.operation.id,
                attempt: self.operation.attempt,
            }),
        }
    }
}

/// The API server does not hold the intent that was to be stored.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("intent {id} attempt {attempt} is not what the API server holds; nothing is sent")]
pub struct NotStored {
    /// The operation's id.
    pub id: String,
    /// Its attempt.
    pub attempt: i32,
}

/// An intent that the API server holds: it may be sent, once.
#[derive(Debug)]
pub struct StoredIntent {
    operation: Operation,
    call: Call,
}

impl StoredIntent {
    /// The journal entry.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Gives up the proof for the one call that it allows.
    pub fn into_call(self) -> (Operation, Call) {
        (self.operation, self.call)
    }
}

/// The baseline of an intent: the service's clock of the list, else ours minus five minutes.
pub fn clock(service: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let ours = now
        .checked_sub(jiff::SignedDuration::from_mins(5))
        .unwrap_or(now);
    let time = service.unwrap_or(ours);
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// An open intent whose answer is not there: whether its call was executed is in doubt.
pub fn doubt(open: &mut Option<Operation>) {
    if let Some(open) = open
        && open.phase == OperationPhase::Intended
    {
        open.phase = OperationPhase::Ambiguous;
    }
}
