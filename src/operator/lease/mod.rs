//! Leader election: of several replicas the one that holds the Lease works, the others stand by.
//!
//! [`decision`] says what to do about a lease that was read, [`store`] reads and writes it, [`hold`] is what the
//! process itself knows of it, and [`Election`] and [`Reign`] put them together. The lease decides who works; it
//! is no fence. That two who believe in it at once do nothing twice is the doing of the compare-and-swap with
//! which each intent is stored.
//!
//! Nobody becomes a follower again: whoever lost the lease ends, and what it had in its caches ends with it.

pub mod decision;
pub mod hold;
mod standby;
pub mod store;

use std::fmt;
use std::time::Duration;

use kube::Client;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::decision::Standing;
use self::hold::Hold;
use self::store::{Store, Trouble};
use super::metrics::Metrics;
use crate::entropy::Entropy;

/// The times of the lease: `renew`, `give_up` and `duration` are client-go's; `look` and `answer` are ours.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Between two looks of a follower: after a release, as long as that it takes to be seen.
    pub look: Duration,
    /// Between two renewals.
    pub renew: Duration,
    /// The holder gives up so long after the begin of its last renewal that went through. That much before
    /// [`Terms::duration`], so that it has stopped when a follower may begin, as long as their clocks run at about
    /// the same rate.
    pub give_up: Duration,
    /// A follower takes the lease when it has seen it unchanged for so long.
    pub duration: Duration,
    /// Longest wait for one answer of the API server: two tries fit into `give_up`.
    pub answer: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(1),
            renew: Duration::from_secs(2),
            give_up: Duration::from_secs(10),
            duration: Duration::from_secs(15),
            answer: Duration::from_secs(5),
        }
    }
}

/// Between two tries of a renewal that failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Where the lease is, and under which name this process holds it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// This process: no other, and no later one, has this name.
    pub identity: String,
}

impl Place {
    /// A Lease, and a name for this process that says to a person which Pod it is.
    pub fn new(namespace: &str, name: &str) -> Self {
        let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let told = told.or_else(|| std::env::var("HOSTNAME").ok());
        let host = told
            .as_deref()
            .map(str::trim)
            .filter(|host| !host.is_empty());
        let host = host.unwrap_or("dws-operator");
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity: format!("{host}_{}", Entropy::system().uuid()),
        }
    }
}

/// A process that may come to lead.
pub struct Election {
    store: Store,
    terms: Terms,
    hold: Hold,
    metrics: Metrics,
    lost: bool,
}

impl fmt::Debug for Election {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Election")
            .field("place", self.store.place())
            .finish_non_exhaustive()
    }
}

impl Election {
    /// Nothing is asked yet. `hold` is what the permit of changing calls was made of.
    pub fn new(client: Client, place: Place, terms: Terms, hold: Hold, metrics: Metrics) -> Self {
        let shown = hold.clone();
        metrics.on_scrape(move |metrics| metrics.set_leader(shown.holds()));
        Self {
            store: Store::new(client, place, terms),
            terms,
            hold,
            metrics,
            lost: false,
        }
    }

    /// Begins to renew. `stop` is cancelled when the lease is lost.
    pub fn reign(self, stop: CancellationToken) -> Reign {
        let end = CancellationToken::new();
        Reign {
            keeper: tokio::spawn(self.keep(stop, end.clone())),
            end,
        }
    }

    /// Renews until told that the work has ended, or until the lease is lost. Gives itself back with what it
    /// holds then.
    async fn keep(mut self, stop: CancellationToken, end: CancellationToken) -> Self {
        // However this ends, a panic included, nobody renews afterwards.
        let _stops = stop.drop_guard();
        let mut pause = self.terms.renew;
        loop {
            let left = self.hold.time_left();
            tokio::select! {
                biased;
                () = end.cancelled() => return self,
                () = tokio::time::sleep(pause.min(left)) => {}
            }
            let start = Instant::now();
            pause = match self.renew().await {
                // From begin to begin: a slow API server takes none of the time that is left.
                Ok(()) => self.terms.renew.saturating_sub(start.elapsed()),
                Err(None) if self.hold.holds() => AGAIN,
                Err(why) => {
                    self.hold.end();
                    self.say_lost(why.as_deref());
                    return self;
                }
            };
        }
    }

    /// `Err`: it did not go through, for good where there is a reason.
    async fn renew(&mut self) -> Result<(), Option<String>> {
        let left = self.hold.time_left();
        if left.is_zero() {
            return Err(None);
        }
        let began = self.hold.moment();
        let trouble = match self.store.renew(left).await {
            Ok(()) if self.hold.renewed(began) => return Ok(()),
            Ok(()) => return Err(None),
            Err(trouble) => trouble,
        };
        self.metrics.lease_failed();
        match trouble {
            // Our own write whose answer was lost, somebody's label, or another holder.
            Trouble::Conflict | Trouble::Gone => self.look_again().await,
            Trouble::Failed(why) => {
                self.say_trouble(&why);
                Err(None)
            }
        }
    }

    /// The lease is not as we left it.
    async fn look_again(&mut self) -> Result<(), Option<String>> {
        let left = self.hold.time_left();
        let found = match self.store.read(left).await {
            Ok(found) => found,
            Err(trouble) => {
                self.say_trouble(&trouble.to_string());
                return Err(None);
            }
        };
        let me = self.store.place().identity.clone();
        match decision::standing(&me, found.as_ref()) {
            Standing::Lost(Some(holder)) => Err(Some(format!("{holder} holds it"))),
            Standing::Lost(None) => Err(Some("somebody emptied its holderIdentity".to_owned())),
            Standing::Ours | Standing::Deleted => {
                let left = self.hold.time_left();
                if left.is_zero() {
                    return Err(None);
                }
                let began = self.hold.moment();
                match self.store.write(left).await {
                    Ok(()) if self.hold.renewed(began) => Ok(()),
                    Ok(()) => Err(None),
                    Err(trouble) => {
                        self.metrics.lease_failed();
                        self.say_trouble(&trouble.to_string());
                        Err(None)
                    }
                }
            }
        }
    }

    fn say_trouble(&self, why: &str) {
        let left = self.hold.time_left();
        warn!(
            "the lease could not be renewed ({why}); it is given up in {:.1} s",
            left.as_secs_f64()
        );
    }

    fn say_lost(&mut self, why: Option<&str>) {
        self.lost = true;
        let Place {
            namespace, name, ..
        } = self.store.place();
        let limit = format!("not renewed for {} s", self.terms.give_up.as_secs());
        error!(
            lease = format!("{namespace}/{name}"),
            "the lease is lost ({}): no changing call begins any more, and this process ends",
            why.unwrap_or(&limit)
        );
    }
}

/// The time in which this process leads.
#[derive(Debug)]
pub struct Reign {
    keeper: JoinHandle<Election>,
    end: CancellationToken,
}

impl Reign {
    /// The work has ended; the lease is released where it may be. Says whether it was held to the end.
    ///
    /// Where calls were cut off it is left to run out: they may still be on their way.
    pub async fn end(self, orderly: bool) -> bool {
        self.end.cancel();
        let Ok(mut election) = self.keeper.await else {
            return false;
        };
        let held = election.hold.holds();
        // Before it is another's: nothing may begin any more.
        election.hold.end();
        if !held && !election.lost {
            election.say_lost(None);
        }
        if held && orderly {
            match election.store.release().await {
                Ok(()) => info!("the lease is released"),
                Err(trouble) => warn!("the lease could not be released ({trouble}); it runs out"),
            }
        }
        held
    }
}

#[cfg(test)]
mod tests;
