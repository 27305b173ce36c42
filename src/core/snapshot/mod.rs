//! The plan for a `DwsSnapshot`.

use jiff::Timestamp;

use super::facts::SnapshotFacts;
use super::step::{Absorbed, Decision, Outcome, Step};
use crate::api::{DwsSnapshotStatus, Operation};
use crate::dws::answer::Answer;

/// The next step for these facts.
pub fn plan(facts: &SnapshotFacts) -> Step<DwsSnapshotStatus> {
    Step::Act(Box::new(Decision {
        add_finalizer: false,
        secret: None,
        status: facts.object.status.clone().unwrap_or_default(),
        call: None,
        remove_finalizer: false,
        events: Vec::new(),
        wake: None,
        outcome: Outcome::InSync,
    }))
}

/// The status with an answer in it. `status` is the freshest stored one, whose journal holds `operation`.
pub fn absorb(
    status: &DwsSnapshotStatus,
    generation: i64,
    operation: &Operation,
    answer: &Answer,
    now: Timestamp,
) -> Absorbed<DwsSnapshotStatus> {
    let _ = (generation, operation, answer, now);
    Absorbed {
        status: status.clone(),
        events: Vec::new(),
        wake: None,
    }
}
