//! The plan for a `DwsCluster`.

use jiff::Timestamp;

use super::facts::ClusterFacts;
use super::step::{Absorbed, Decision, Outcome, Step};
use crate::api::{DwsClusterStatus, Operation};
use crate::dws::answer::Answer;

/// The next step for these facts.
pub fn plan(facts: &ClusterFacts) -> Step<DwsClusterStatus> {
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
    status: &DwsClusterStatus,
    generation: i64,
    operation: &Operation,
    answer: &Answer,
    now: Timestamp,
) -> Absorbed<DwsClusterStatus> {
    let _ = (generation, operation, answer, now);
    Absorbed {
        status: status.clone(),
        events: Vec::new(),
        wake: None,
    }
}
