//! What the controller tells of its work, as metrics and readiness; and the accounts as gauges.
//!
//! The only place that knows the controller's and the observer's words as well as the labels.

use std::collections::HashSet;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};

use super::census::{Census, Entry};
use super::health::Readiness;
use super::metrics::{AccountView, Metrics};
use crate::api::OperationKind;
use crate::controller::Observe;
use crate::core::step::Outcome;
use crate::observer::{Account, Accounts, Kind, ResourceKey, Source};

/// See the module.
#[derive(Debug)]
pub struct Reporter {
    metrics: Metrics,
    readiness: Readiness,
    census: Census,
}

impl Reporter {
    /// Reports into these.
    pub fn new(metrics: Metrics, readiness: Readiness) -> Self {
        Self {
            metrics,
            readiness,
            census: Census::default(),
        }
    }

    /// Sets the gauges of resources.
    pub fn show_resources(&self, metrics: &Metrics) {
        metrics.set_resources(&self.census.counts());
    }
}

impl Observe for Reporter {
    fn reconciled(&self, kind: Kind, outcome: Outcome) {
        self.metrics.reconciled(kind.as_str(), outcome.as_str());
    }

    fn failed(&self, kind: Kind, class: &'static str) {
        self.metrics.reconciled(kind.as_str(), failure_label(class));
    }

    fn called(&self, operation: OperationKind, result: &'static str) {
        self.metrics.changed(operation_label(operation), result);
    }

    fn status_written(&self, kind: Kind) {
        self.metrics.status_written(kind.as_str());
    }

    fn event_failed(&self) {
        self.metrics.event_failed();
    }

    fn synced(&self) {
        self.readiness.set_ready();
    }

    fn queue(&self, waiting: usize, running: usize) {
        self.metrics.queue(waiting, running);
    }

    fn saw(&self, kind: Kind, meta: &ObjectMeta, conditions: &[Condition]) {
        let seconds = self.census.saw(&Entry {
            kind: kind.as_str(),
            namespace: meta.namespace.as_deref().unwrap_or_default(),
            name: meta.name.as_deref().unwrap_or_default(),
            uid: meta.uid.as_deref().unwrap_or_default(),
            created: meta.creation_timestamp.as_ref().map(|time| time.0),
            conditions,
        });
        if let Some(seconds) = seconds {
            self.metrics.became_ready(kind.as_str(), seconds);
        }
    }

    fn gone(&self, key: &ResourceKey) {
        self.census
            .gone(key.kind.as_str(), &key.namespace, &key.name);
    }

    fn listed(&self, kind: Kind, namespace: Option<&str>, listed: &HashSet<ResourceKey>) {
        let is_listed = |namespace: &str, name: &str| {
            listed.contains(&ResourceKey {
                kind,
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            })
        };
        self.census.retain(kind.as_str(), namespace, is_listed);
    }
}

fn operation_label(operation: OperationKind) -> &'static str {
    match operation {
        OperationKind::Create => "create",
        OperationKind::Restore => "restore",
        OperationKind::Resize => "resize",
        OperationKind::Restart => "restart",
        OperationKind::ResetPassword => "reset_password",
        OperationKind::Delete => "delete",
        OperationKind::Snapshot => "create_snapshot",
        OperationKind::DeleteSnapshot => "delete_snapshot",
    }
}

/// Failures stand beside the outcomes, told apart by their prefix.
fn failure_label(class: &'static str) -> &'static str {
    match class {
        "gone" => "error_gone",
        "conflict" => "error_conflict",
        "forbidden" => "error_forbidden",
        "refused" => "error_refused",
        "unavailable" => "error_unavailable",
        "plan" => "error_plan",
        "account" => "error_account",
        "lost" => "error_lost",
        "timeout" => "error_timeout",
        "stopping" => "error_stopping",
        _ => "error_other",
    }
}

/// The accounts as the gauges show them: one view per source of credentials, also where two share one, so
/// that a series stays while its Secret does.
pub fn account_views(accounts: &Accounts, now: Timestamp) -> Vec<AccountView> {
    accounts
        .all()
        .iter()
        .map(|(source, account)| view(source, account, now))
        .collect()
}

fn view(source: &Source, account: &Account, now: Timestamp) -> AccountView {
    let age = now.duration_since(account.seen_at());
    AccountView {
        credentials: source.to_string(),
        region: account.region().to_owned(),
        project: account.project_setting().to_owned(),
        list_age_seconds: age.as_secs_f64().max(0.0),
        circuit: account.circuit().map(|circuit| circuit.reason.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn key(name: &str) -> ResourceKey {
        ResourceKey {
            kind: Kind::Cluster,
            namespace: "team".into(),
            name: name.into(),
        }
    }

    fn meta(name: &str) -> ObjectMeta {
        ObjectMeta {
            namespace: Some("team".into()),
            name: Some(name.into()),
            uid: Some(format!("uid of {name}")),
            creation_timestamp: Some(Time(Timestamp::UNIX_EPOCH)),
            ..ObjectMeta::default()
        }
    }

    fn text(reporter: &Reporter, metrics: &Metrics) -> String {
        reporter.show_resources(metrics);
        metrics.render().unwrap()
    }

    #[test]
    fn ready_is_said_when_the_lists_are_in() {
        let readiness = Readiness::default();
        let reporter = Reporter::new(Metrics::new(), readiness.clone());
        assert!(readiness.why_not().is_some());
        reporter.synced();
        assert!(readiness.why_not().is_none());
    }

    #[test]
    fn what_is_told_is_shown() {
        let metrics = Metrics::new();
        let reporter = Reporter::new(metrics.clone(), Readiness::default());
        reporter.reconciled(Kind::Cluster, Outcome::Acted);
        reporter.failed(Kind::Snapshot, "conflict");
        reporter.called(OperationKind::Resize, "ambiguous");
        reporter.queue(5, 1);
        let text = text(&reporter, &metrics);
        for line in [
            "reconciles_total{kind=\"DwsCluster\",outcome=\"acted\"} 1",
            "reconciles_total{kind=\"DwsSnapshot\",outcome=\"error_conflict\"} 1",
            "changing_calls_total{operation=\"resize\",result=\"ambiguous\"} 1",
            "queue_waiting 5",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn what_a_list_does_not_hold_is_no_longer_counted() {
        let metrics = Metrics::new();
        let reporter = Reporter::new(metrics.clone(), Readiness::default());
        for name in ["a", "b", "c"] {
            reporter.saw(Kind::Cluster, &meta(name), &[]);
        }
        let pending = "resources{kind=\"DwsCluster\",reason=\"Pending\"}";
        assert!(text(&reporter, &metrics).contains(&format!("{pending} 3")));
        reporter.listed(Kind::Cluster, Some("other"), &HashSet::new());
        reporter.listed(Kind::Snapshot, None, &HashSet::new());
        assert!(text(&reporter, &metrics).contains(&format!("{pending} 3")));
        reporter.listed(Kind::Cluster, None, &HashSet::from([key("a"), key("b")]));
        assert!(text(&reporter, &metrics).contains(&format!("{pending} 2")));
        reporter.gone(&key("a"));
        assert!(text(&reporter, &metrics).contains(&format!("{pending} 1")));
    }
}
