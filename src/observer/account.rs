//! One account: its client, what its lists last said, its circuit.
//!
//! It knows one credential for its whole life; other credentials make another [`Account`] on the same
//! seat, so nothing that was seen with one can be taken for what another may see. It knows no Secret
//! and no resource but by its key.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::absence::Absences;
use super::bucket::Urgency;
use super::circuit::{Admission, Breaker, Scope, Ticket};
use super::flight::Flight;
use super::request::Errand;
use super::seat::Seat;
use super::view::Subject;
use super::{Interest, ResourceKey, interval};
use crate::api::cluster_status::AccountRef;
use crate::core::facts::{self, Absence, Circuit, ClusterList, KnownAccount, SnapshotList};
use crate::dws::answer::{Answer, Failure};
use crate::dws::call::Call;
use crate::dws::clock::Clock;
use crate::dws::model::{Cluster, Snapshot};
use crate::dws::{Client, Project};
use crate::entropy::Entropy;

/// An id that was read stays known this long before somebody must follow it.
pub(super) const READ_IDS_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// A reconcile that found the account pending is over by then.
const LOOKED_TOO_EARLY: SignedDuration = SignedDuration::from_secs(5);

/// One account: its client, its observer, its circuit, its token bucket. Clones are the same account.
#[derive(Clone)]
pub struct Account(Arc<Inner>);

struct Inner {
    client: Client,
    seat: Arc<Seat>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    since: Timestamp,
    pace: interval::Pace,
    gate: tokio::sync::Mutex<()>,
    opened: tokio::sync::Notify,
    project_gate: tokio::sync::Mutex<()>,
    clusters: Flight<ClusterList>,
    snapshots: Flight<SnapshotList>,
    state: Mutex<State>,
}

/// See [`Account::following`]. It keeps no credential, and nothing alive.
#[derive(Clone, Debug)]
pub struct Following(Weak<Seat>);

impl PartialEq for Following {
    fn eq(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Following {}

/// What is known; never locked across an await.
#[derive(Default)]
pub(super) struct State {
    pub(super) breaker: Breaker,
    pub(super) project: Option<String>,
    pub(super) clusters: Option<Arc<ClusterList>>,
    /// When the first list arrived.
    pub(super) first_list_at: Option<Timestamp>,
    pub(super) snapshots: Option<Arc<SnapshotList>>,
    pub(super) busy: Busy,
    pub(super) cluster_absences: Absences,
    pub(super) snapshot_absences: Absences,
    /// When which ids were read in detail.
    pub(super) read_ids: HashMap<String, Timestamp>,
    pub(super) polls: Polls,
}

/// Something goes on that will end by itself.
#[derive(Default)]
pub(super) struct Busy {
    pub(super) clusters: bool,
    pub(super) snapshots: bool,
}

/// The polls so far.
#[derive(Default)]
pub(super) struct Polls {
    /// One came back, well or not, or somebody else's list did.
    pub(super) returned: bool,
    /// When the latest began.
    pub(super) last: Option<Timestamp>,
    /// The latest listed snapshots, or tried to.
    pub(super) snapshots_tried: bool,
    /// Spreads the next one, from `[0, 1)`.
    pub(super) unit: f64,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("client", &self.0.client)
            .finish_non_exhaustive()
    }
}

impl Account {
    pub(super) fn new(
        client: Client,
        seat: Arc<Seat>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        pace: interval::Pace,
    ) -> Self {
        let project = match &client.config().project {
            Project::Id(id) => Some(id.clone()),
            Project::Name(_) => None,
        };
        Self(Arc::new(Inner {
            client,
            seat,
            since: clock.now(),
            clock,
            entropy,
            pace,
            gate: tokio::sync::Mutex::default(),
            opened: tokio::sync::Notify::new(),
            project_gate: tokio::sync::Mutex::default(),
            clusters: Flight::default(),
            snapshots: Flight::default(),
            state: Mutex::new(State {
                project,
                ..State::default()
            }),
        }))
    }

    /// The account as a plan may know it. `adoption_allowed` is passed on.
    pub fn facts(&self, adoption_allowed: bool) -> facts::Account {
        let state = self.0.state.lock();
        let circuit = state.breaker.circuit();
        if !state.polls.returned && circuit.is_none() {
            return facts::Account::Pending;
        }
        let Some(project_id) = state.project.clone() else {
            return circuit.map_or(facts::Account::Pending, facts::Account::Unreachable);
        };
        facts::Account::Known(KnownAccount {
            account: AccountRef {
                region: self.region().to_owned(),
                project_id,
            },
            adoption_allowed,
            circuit,
            clusters: state.clusters.clone(),
            snapshots: state.snapshots.clone(),
        })
    }

    /// Region and project, once the project's id is known.
    pub fn account_ref(&self) -> Option<AccountRef> {
        let project_id = self.known_project()?;
        Some(AccountRef {
            region: self.region().to_owned(),
            project_id,
        })
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.0.client.config().region
    }

    /// A complete list of clusters whose request starts after this call. All who wait share one. It
    /// feeds the view as a poll does. An incomplete list is a failure (`Garbled`).
    pub async fn fresh_clusters(&self) -> Result<Arc<ClusterList>, Failure> {
        self.0.clusters.join(|| self.list_clusters()).await
    }

    /// A complete list of snapshots whose request starts after this call; as above.
    pub async fn fresh_snapshots(&self) -> Result<Arc<SnapshotList>, Failure> {
        self.0.snapshots.join(|| self.list_snapshots()).await
    }

    /// A cluster in detail. A success is remembered for [`Self::id_was_read`] and ends an absence.
    pub async fn cluster(&self, id: &str) -> Result<Arc<Cluster>, Failure> {
        self.project().await?;
        let errand = self.detail(&Subject::Cluster(id.to_owned()));
        let pass = self.admitted(errand).await?;
        let cluster = self.read(errand, pass, self.0.client.cluster(id)).await?;
        let mut state = self.0.state.lock();
        state.read_ids.insert(id.to_owned(), self.now());
        if cluster.status != "DELETED" {
            state.cluster_absences.seen(id);
        }
        Ok(Arc::new(cluster))
    }

    /// A snapshot in detail; as above.
    pub async fn snapshot(&self, id: &str) -> Result<Arc<Snapshot>, Failure> {
        self.project().await?;
        let errand = self.detail(&Subject::Snapshot(id.to_owned()));
        let pass = self.admitted(errand).await?;
        let snapshot = self.read(errand, pass, self.0.client.snapshot(id)).await?;
        let mut state = self.0.state.lock();
        state.read_ids.insert(id.to_owned(), self.now());
        if snapshot.status != "DELETED" {
            state.snapshot_absences.seen(id);
        }
        Ok(Arc::new(snapshot))
    }

    /// Sends a changing call, once, if its turn comes before the deadline. While the circuit holds
    /// calls back, and past the deadline, it is refused unsent.
    pub async fn execute(&self, call: &Call, deadline: Timestamp) -> Answer {
        self.send_changing(call, deadline).await
    }

    /// This credential has read this id in detail (in this process, while somebody followed it).
    pub fn id_was_read(&self, id: &str) -> bool {
        self.0.state.lock().read_ids.contains_key(id)
    }

    /// Complete lists without this cluster since it was last seen. Only for ids that are followed.
    pub fn cluster_absence(&self, id: &str) -> Option<Absence> {
        self.0.state.lock().cluster_absences.of(id)
    }

    /// Complete lists without this snapshot since it was last seen. Only for ids that are followed.
    pub fn snapshot_absence(&self, id: &str) -> Option<Absence> {
        self.0.state.lock().snapshot_absences.of(id)
    }

    /// A resource tells what it follows from now on, in place of what it told before.
    ///
    /// One who is new here may have looked before the first list arrived and told its interest after: it
    /// is woken at once, rather than by the next list.
    pub fn watch(&self, interest: Interest) {
        let key = interest.key.clone();
        let is_new = self.0.seat.watch(interest);
        let first = self.0.state.lock().first_list_at;
        let is_recent = |first| self.now().duration_since(first) < LOOKED_TOO_EARLY;
        if is_new && first.is_some_and(is_recent) {
            self.0.seat.wake(vec![key]);
        }
    }

    /// A resource follows nothing any more.
    pub fn unwatch(&self, resource_uid: &str) {
        self.0.seat.unwatch(resource_uid);
    }

    /// Resources to be woken since this was last asked, without a poll.
    pub fn take_wakes(&self) -> Vec<ResourceKey> {
        self.0.seat.take_wakes()
    }

    /// Set while calls are held back.
    pub fn circuit(&self) -> Option<Circuit> {
        self.0.state.lock().breaker.circuit()
    }

    /// How many resources follow something here.
    pub fn interested(&self) -> usize {
        self.0.seat.interests.lock().len()
    }

    /// When the latest complete list of clusters was requested, by these credentials or those before
    /// them; while there was none: since when the account is there.
    pub fn seen_at(&self) -> Timestamp {
        self.0.seat.last_list().unwrap_or(self.0.since)
    }

    /// Its project as the settings name it: the id or the name.
    pub fn project_setting(&self) -> &str {
        match &self.0.client.config().project {
            Project::Id(text) | Project::Name(text) => text,
        }
    }

    /// Where what is followed here is kept, to tell whether it still is here.
    pub fn following(&self) -> Following {
        Following(Arc::downgrade(&self.0.seat))
    }

    /// Tells the account from all others that live.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// Both are the same account, with the same credentials.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn detail(&self, subject: &Subject) -> Errand {
        let urgency = if self.0.seat.interests.lock().work_on(subject) {
            Urgency::Prompt
        } else {
            Urgency::Idle
        };
        Errand {
            urgency,
            scope: Scope::Object,
        }
    }

    pub(super) fn seat(&self) -> &Arc<Seat> {
        &self.0.seat
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(super) fn gate(&self) -> &tokio::sync::Mutex<()> {
        &self.0.gate
    }

    /// The circuit opened.
    pub(super) fn opened(&self) -> &tokio::sync::Notify {
        &self.0.opened
    }

    pub(super) fn project_gate(&self) -> &tokio::sync::Mutex<()> {
        &self.0.project_gate
    }

    pub(super) fn clusters_depart(&self) {
        self.0.clusters.depart();
    }

    pub(super) fn snapshots_depart(&self) {
        self.0.snapshots.depart();
    }

    pub(super) fn state(&self) -> &Mutex<State> {
        &self.0.state
    }

    pub(super) fn pace(&self) -> interval::Pace {
        self.0.pace
    }

    pub(super) fn unit(&self) -> f64 {
        self.0.entropy.unit()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(super) fn admit(&self) -> Admission {
        let now = self.now();
        self.0.state.lock().breaker.admit(now)
    }

    pub(super) fn judge(&self, scope: Scope, ticket: Ticket, failure: Option<&Failure>) {
        let now = self.now();
        let mut state = self.0.state.lock();
        let signal = match failure {
            None => state.breaker.succeeded(ticket),
            Some(failure) => state.breaker.failed(now, ticket, scope, failure),
        };
        let open = failure.is_some() && state.breaker.until().is_some();
        drop(state);
        if open {
            self.0.opened.notify_waiters();
        }
        self.0.seat.signal(signal);
    }

    pub(super) fn known_project(&self) -> Option<String> {
        self.0.state.lock().project.clone()
    }

    pub(super) fn learn_project(&self, id: &str) {
        self.0.state.lock().project = Some(id.to_owned());
    }
}
