//! The failures that stand in a status: each of its kind, and what is held because of it.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::draft::Draft;
use crate::api::OperationKind;
use crate::api::annotations::Request;
use crate::api::cluster_status::LastFailure;
use crate::core::conditions;
use crate::core::failures::{self, TRY_AGAIN};

impl Draft<'_> {
    pub fn fail(
        &mut self,
        kind: OperationKind,
        reason: &str,
        code: Option<String>,
        message: String,
    ) {
        let failure = LastFailure {
            kind,
            reason: reason.to_owned(),
            code,
            message,
            credentials: None,
            generation: self.generation(),
            at: conditions::whole_second(self.facts.now),
            other: BTreeMap::default(),
        };
        failures::record(&mut self.status, failure);
    }

    /// The last failure of this kind that stands (a service that was only busy is none).
    pub fn failure_of(&self, kind: OperationKind) -> Option<&LastFailure> {
        failures::of_kind(&self.status, kind)
    }

    /// The service itself failed over a call of this kind a while ago: it is given ten minutes.
    pub fn holds(&self, kind: OperationKind) -> bool {
        self.failure_of(kind).is_some_and(|one| {
            one.reason == failures::SERVICE_FAILED
                && one.generation == self.generation()
                && self.facts.now.duration_since(one.at) < TRY_AGAIN
        })
    }

    /// When the first of the held calls that are still wanted is due.
    pub fn next_try(&self) -> Option<SignedDuration> {
        let settings = &self.facts.settings;
        let due = self.status.failures.iter().filter_map(|one| {
            let pause = match one.reason.as_str() {
                failures::SERVICE_FAILED => TRY_AGAIN,
                "PasswordRejected" if self.due(Request::RotatePassword).is_some() => {
                    settings.idle_interval
                }
                "PasswordRejected" if self.awaits_first_password() => settings.idle_interval,
                _ => return None,
            };
            let left = pause - self.facts.now.duration_since(one.at);
            left.is_positive().then_some(left)
        });
        due.min()
    }

    /// A failure of this kind is overcome; one of another kind stays told.
    pub fn overcome(&mut self, kind: OperationKind) {
        failures::overcome(&mut self.status, kind);
    }

    /// The failure of the create or restore that the resource begins with.
    pub fn failed_beginning(&self) -> Option<&LastFailure> {
        self.failure_of(OperationKind::Create)
            .or(self.failure_of(OperationKind::Restore))
    }

    /// That failure is overcome.
    pub fn overcome_beginning(&mut self) {
        self.overcome(OperationKind::Create);
        self.overcome(OperationKind::Restore);
    }

    /// The service said "busy" a moment ago although it looked idle: it is given one interval.
    pub fn just_refused_as_busy(&self) -> bool {
        self.status.last_busy.as_ref().is_some_and(|one| {
            self.facts.now.duration_since(one.at) < self.facts.settings.active_interval
        })
    }
}
