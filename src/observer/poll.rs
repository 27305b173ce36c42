//! Polls of one account: the lists, what they change in the view, and when the next one is due.
//!
//! It knows who follows what by [`super::interests`] only.

use std::sync::Arc;

use jiff::Timestamp;

use super::account::{Account, READ_IDS_KEPT};
use super::circuit::Admission;
use super::request::Errand;
use super::view::Subject;
use super::{ResourceKey, interval, view};
use crate::core::facts::{ClusterList, SnapshotList};
use crate::dws::answer::{Failure, Meaning};
use crate::dws::model::Listing;

impl Account {
    /// One poll: a list of clusters, and one of snapshots if somebody follows any. Returns the resources
    /// to wake: what they follow changed, or they have work and the circuit changed, or three polls
    /// failed (idle ones), or that is over. While the circuit holds calls back nothing is sent.
    ///
    /// Resources that were to be woken since the last poll are among them.
    pub async fn poll(&self) -> Vec<ResourceKey> {
        if let Admission::Held(_) = self.admit() {
            return self.take_wakes();
        }
        let wants_snapshots = self.seat().interests.lock().any_snapshots();
        {
            let (now, unit) = (self.now(), self.unit());
            let mut state = self.state().lock();
            state.polls.last = Some(now);
            state.polls.unit = unit;
            state.polls.snapshots_tried = wants_snapshots;
            if !wants_snapshots {
                // Nobody keeps it fresh any more, so nobody may take it for the present.
                state.snapshots = None;
                state.busy.snapshots = false;
            }
        }
        let mut failure = self.fresh_clusters().await.err();
        if failure.is_none() && wants_snapshots {
            failure = self.fresh_snapshots().await.err();
        }
        let signal = {
            let mut state = self.state().lock();
            state.polls.returned = true;
            match &failure {
                None => state.breaker.poll_succeeded(),
                Some(_) => state.breaker.poll_failed(),
            }
        };
        if let Some(failure) = failure {
            tracing::warn!(
                region = self.region(),
                meaning = ?failure.meaning,
                code = failure.code.as_deref(),
                "a poll of the account failed: {failure}"
            );
        }
        self.seat().signal(signal);
        self.prune();
        self.take_wakes()
    }

    /// When the next poll is due: at the end of the circuit's pause; at the active interval while any
    /// task of the account runs or any resource has work; else at the idle one. Never earlier than a
    /// whole interval after the last, except for the first list of a errand.
    pub fn next_poll(&self) -> Timestamp {
        let now = self.now();
        let (any_work, any_snapshots) = {
            let interests = self.seat().interests.lock();
            (interests.any_work(), interests.any_snapshots())
        };
        let state = self.state().lock();
        if let Some(until) = state.breaker.until() {
            return match state.breaker.admit(now) {
                Admission::Held(_) => until,
                Admission::Go(_) | Admission::Probe(_) => now,
            };
        }
        let snapshots_due = any_snapshots && !state.polls.snapshots_tried;
        match state.polls.last {
            // A last poll in the future means that the clock was set back.
            Some(last) if last <= now && !snapshots_due => {
                let active = any_work
                    || state.busy.clusters
                    || state.busy.snapshots
                    || state.clusters.is_none();
                interval::next(last, self.pace(), active, state.polls.unit)
            }
            _ => now,
        }
    }

    pub(super) async fn list_clusters(&self) -> Result<Arc<ClusterList>, Failure> {
        self.project().await?;
        let errand = Errand::of_account();
        let pass = self.admitted(errand).await?;
        self.clusters_depart();
        let requested_at = self.now();
        let list = self
            .read(errand, pass, async {
                let listing = self.client().list_clusters().await?;
                let shape = shape(&listing);
                let before = self.state().lock().clusters.clone().unwrap_or_default();
                ClusterList::following(&before, listing, requested_at)
                    .ok_or_else(|| incomplete(&shape))
            })
            .await?;
        let list = Arc::new(list);
        self.seat().listed(requested_at);
        self.take_clusters(&list);
        Ok(list)
    }

    pub(super) async fn list_snapshots(&self) -> Result<Arc<SnapshotList>, Failure> {
        self.project().await?;
        let errand = Errand::of_account();
        let pass = self.admitted(errand).await?;
        self.snapshots_depart();
        let requested_at = self.now();
        let list = self
            .read(errand, pass, async {
                let listing = self.client().list_snapshots().await?;
                let shape = shape(&listing);
                let before = self.state().lock().snapshots.clone().unwrap_or_default();
                SnapshotList::following(&before, listing, requested_at)
                    .ok_or_else(|| incomplete(&shape))
            })
            .await?;
        let list = Arc::new(list);
        self.take_snapshots(&list);
        Ok(list)
    }

    fn take_clusters(&self, list: &Arc<ClusterList>) {
        let mut interests = self.seat().interests.lock();
        let followed = interests.cluster_ids();
        let mut state = self.state().lock();
        let before = state.clusters.replace(list.clone());
        if state.first_list_at.is_none() {
            state.first_list_at = Some(self.now());
        }
        state.busy.clusters = list.by_id.values().any(|c| interval::cluster_is_busy(c));
        state.cluster_absences.list(
            followed,
            |id| list.by_id.contains_key(id),
            list.requested_at,
        );
        state.polls.returned = true;
        drop(state);
        let keys = if let Some(before) = before {
            interests.clusters_arrived(&view::cluster_changes(&before, list))
        } else {
            // The account is known from now on: everybody waited for that.
            interests.clusters_arrived(&[]);
            interests.all()
        };
        drop(interests);
        self.seat().wake(keys);
    }

    fn take_snapshots(&self, list: &Arc<SnapshotList>) {
        let mut interests = self.seat().interests.lock();
        let followed = interests.snapshot_ids();
        let mut state = self.state().lock();
        let before = state.snapshots.replace(list.clone());
        state.busy.snapshots = list.by_id.values().any(|s| interval::snapshot_is_busy(s));
        state.snapshot_absences.list(
            followed,
            |id| list.by_id.contains_key(id),
            list.requested_at,
        );
        drop(state);
        let changes = match before {
            Some(before) => view::snapshot_changes(&before, list),
            None => view::snapshot_changes(&SnapshotList::default(), list),
        };
        let keys = interests.snapshots_arrived(&changes);
        drop(interests);
        self.seat().wake(keys);
    }

    /// Forgets ids that were read and that nobody follows.
    fn prune(&self) {
        let now = self.now();
        let interests = self.seat().interests.lock();
        let mut state = self.state().lock();
        state.read_ids.retain(|id, read_at| {
            now.duration_since(*read_at) < READ_IDS_KEPT
                || interests.followed(&Subject::Cluster(id.clone()))
                || interests.followed(&Subject::Snapshot(id.clone()))
        });
        if !interests.any_snapshots() {
            state.snapshot_absences.list(Vec::new(), |_| true, now);
        }
    }
}

fn shape<T>(listing: &Listing<T>) -> String {
    format!(
        "the list is not complete: {} items could be read, and its count is another",
        listing.items.len()
    )
}

fn incomplete(message: &str) -> Failure {
    Failure {
        meaning: Meaning::Garbled,
        http: Some(200),
        code: None,
        message: message.to_owned(),
        field: None,
        advice: "Wait: nothing is concluded from an incomplete list, and it is asked for again.",
        retry_after: None,
        sent: true,
    }
}
