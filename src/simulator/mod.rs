//! The other side of the wire: DWS and IAM as one deterministic value, without sockets, threads or clocks.
//!
//! [`Service::handle`] takes a request and the time and gives what the network delivers. The same seed and the
//! same requests at the same times give the same ledger. It was written from the reference alone and shares no
//! type with the client in `dws`, so that one's mistake shows against the other.
//!
//! The service's clock is the caller's: dates of signatures, `Date`, `created` and the life of tokens follow it.
//! [`Settings::speed`] only divides how long tasks take.

mod body;
mod control;
mod exchange;
mod execute;
mod faults;
mod http;
mod iam;
mod ledger;
mod mishap;
mod oddities;
mod operation;
mod record;
mod refusal;
mod render;
mod rules;
pub mod server;
mod settings;
mod signature;
mod world;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub use control::{HELP, PREFIX as CONTROL_PREFIX};
pub use faults::{Fault, FaultKind};
pub use http::{Delivery, HttpRequest, HttpResponse};
pub use ledger::{By, Effect, EffectKind, Received};
pub use oddities::{
    BodyStyle, Busy, Count, Empty, NoFailure, NotFound, Oddities, Redistribution, Timestamps,
};
pub use operation::Operation;
pub use settings::{
    AccessKey, Account, AutomatedSnapshots, Durations, NodeType, Project, Settings, Throttle, User,
};
pub use world::{
    Cluster, Failure, Network, Note, Outside, OutsideError, Progress, PublicIp, Resize, Snapshot,
    SnapshotState, State, World,
};

/// DWS and IAM of one region, with the faults to come and the record of what was.
pub struct Service {
    settings: Arc<Settings>,
    world: World,
    iam: iam::Iam,
    faults: Vec<Fault>,
    /// Requests to be executed although their senders have given up.
    late: BTreeMap<(Timestamp, u64), Late>,
    received: VecDeque<Received>,
    received_total: u64,
    counts: BTreeMap<Operation, u64>,
    /// Per account: when the window began, requests since.
    windows: HashMap<usize, (Timestamp, u32)>,
}

/// A request that waits to be executed.
struct Late {
    route: operation::Route,
    caller: world::Caller,
    body: Option<Value>,
}

impl Service {
    /// An empty world at `now`.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        Self::from_shared(Arc::new(settings), now)
    }

    fn from_shared(settings: Arc<Settings>, now: Timestamp) -> Self {
        Self {
            world: World::new(Arc::clone(&settings), now),
            iam: iam::Iam::new(
                settings.all_accounts(),
                settings.token_life,
                settings.region.clone(),
            ),
            settings,
            faults: Vec::new(),
            late: BTreeMap::new(),
            received: VecDeque::new(),
            received_total: 0,
            counts: BTreeMap::new(),
            windows: HashMap::new(),
        }
    }

    /// Lets everything happen that is due by `now`: ends of tasks, late requests, nightly snapshots. Time never
    /// goes back: an earlier `now` does nothing.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.late.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let late = entry.remove();
            self.world.advance(at);
            self.execute_late(&late);
        }
        self.world.advance(now);
    }

    /// When something happens by itself next.
    pub fn next_event(&self) -> Option<Timestamp> {
        let late = self.late.first_key_value().map(|((at, _), _)| *at);
        late.into_iter().chain(self.world.next_event()).min()
    }

    /// Everything executed, in order.
    pub fn ledger(&self) -> &[Effect] {
        self.world.ledger()
    }

    /// The latest requests received, as many as [`Settings::request_log`] keeps, oldest first.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = &Received> {
        self.received.iter()
    }

    /// All requests received since the start or the last reset.
    pub fn request_count(&self) -> u64 {
        self.received_total
    }

    /// How many of them were of this operation.
    pub fn count_of(&self, operation: Operation) -> u64 {
        self.counts.get(&operation).copied().unwrap_or(0)
    }

    /// Clusters and snapshots as they truly are.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The settings that it was made from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One more fault to come; the first that matches a request meets it.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The faults to come.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// No more faults. Requests that are late already still come.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The oddities that are switched on.
    pub fn oddities(&self) -> &Oddities {
        &self.world.oddities
    }

    /// Switches oddities.
    pub fn set_oddities(&mut self, oddities: Oddities) {
        self.world.set_oddities(oddities);
    }

    /// Does what somebody else did, at `now`. Gives the id of what was changed or made.
    pub fn outside(&mut self, now: Timestamp, change: &Outside) -> Result<String, OutsideError> {
        self.advance(now);
        self.world.outside(change)
    }

    /// Ends all tokens, as a changed password, key or permission does. Gives how many there were.
    pub fn revoke_tokens(&mut self) -> usize {
        self.iam.revoke_tokens()
    }

    /// One more account.
    pub fn add_account(&mut self, account: Account) {
        self.iam.add_account(account);
    }

    /// Another secret for an access key; `false` where no account has it.
    pub fn set_secret_key(&mut self, access_key: &str, secret_key: &str) -> bool {
        self.iam.set_secret_key(access_key, secret_key)
    }

    /// Another password for an IAM user, which also ends its tokens; `false` where there is none of that name.
    pub fn set_user_password(&mut self, user: &str, password: &str) -> bool {
        self.iam.set_user_password(user, password)
    }

    /// What was noted since the last call, one line each: calls, and what happened by itself.
    pub fn drain_notes(&mut self) -> Vec<Note> {
        self.world.drain_notes()
    }

    /// Starts over: an empty world from the same settings, no faults, no oddities, no tokens, no record.
    pub fn reset(&mut self, now: Timestamp) {
        *self = Self::from_shared(Arc::clone(&self.settings), now);
    }
}
