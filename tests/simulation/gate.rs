//! Where every request of a process passes: it can die there, stand still there, or take its time.
//!
//! It counts and decides by number or by a seeded die. It knows nothing of what the requests mean.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Notify;

/// What happens to a process at a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// It dies.
    Crash,
    /// It stands still for so long, and goes on as if nothing had been.
    Pause(Duration),
}

/// Which boundary a process is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nothing was carried out yet.
    Before { to_service: bool },
    /// Carried out, and the process does not know.
    After,
}

/// Random latency of requests, and blows now and then.
pub struct Dice {
    rng: StdRng,
    /// Longest latency of one request.
    pub latency: Duration,
    /// How likely a boundary is the last of its process.
    pub crash: f64,
    /// How likely a process stands still at a boundary, and for how long at most.
    pub pause: (f64, Duration),
}

impl Dice {
    /// From a seed: latency only.
    pub fn new(seed: u64, latency: Duration) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            latency,
            crash: 0.0,
            pause: (0.0, Duration::ZERO),
        }
    }

    fn roll(&mut self, armed: Option<Blow>) -> (Duration, Option<Blow>) {
        let latency = self.latency.mul_f64(self.rng.random::<f64>().powi(3));
        let die: f64 = self.rng.random();
        let blow = if die < self.crash {
            Some(Blow::Crash)
        } else if die < self.crash + self.pause.0 {
            Some(Blow::Pause(self.pause.1.mul_f64(self.rng.random())))
        } else {
            armed
        };
        (latency, blow)
    }
}

/// All boundaries of all processes; clones are the same.
#[derive(Clone, Default)]
pub struct Boundaries(Arc<Inner>);

#[derive(Default)]
struct Inner {
    passed: Mutex<u64>,
    armed: Mutex<BTreeMap<u64, Blow>>,
    dice: Mutex<Option<Dice>>,
    /// The processes that died and were not buried yet.
    dead: Mutex<Vec<u64>>,
    /// The processes that stand still.
    paused: Mutex<Vec<u64>>,
    /// Told at every boundary.
    stepped: Notify,
}

impl Boundaries {
    /// Processes meet these blows at the boundaries of these numbers, counted from now.
    pub fn arm(&self, blows: impl IntoIterator<Item = (u64, Blow)>) {
        *self.0.passed.lock() = 0;
        *self.0.armed.lock() = blows.into_iter().collect();
    }

    /// Latency and blows from now on; `None`: none.
    pub fn roll(&self, dice: Option<Dice>) {
        *self.0.dice.lock() = dice;
    }

    /// How many boundaries were passed since [`Self::arm`].
    pub fn passed(&self) -> u64 {
        *self.0.passed.lock()
    }

    /// Blows that no boundary has met yet.
    pub fn unmet(&self) -> usize {
        self.0.armed.lock().len()
    }

    /// Processes that died since the last call.
    pub fn take_dead(&self) -> Vec<u64> {
        std::mem::take(&mut *self.0.dead.lock())
    }

    /// Whether a process stands still.
    pub fn is_paused(&self, process: u64) -> bool {
        self.0.paused.lock().contains(&process)
    }

    /// A boundary was passed.
    pub async fn stepped(&self) {
        self.0.stepped.notified().await;
    }

    /// The door of one process.
    pub fn gate(&self, process: u64) -> Gate {
        Gate {
            boundaries: self.clone(),
            process,
        }
    }
}

/// The boundaries as one process meets them.
#[derive(Clone, Default)]
pub struct Gate {
    boundaries: Boundaries,
    process: u64,
}

impl Gate {
    /// Whose door it is.
    pub fn process(&self) -> u64 {
        self.process
    }

    /// Nothing was carried out yet. `to_service`: a changing call of the service follows, which nothing but
    /// time fences.
    pub async fn before(&self, to_service: bool) {
        self.pass(Side::Before { to_service }).await;
    }

    /// Carried out, and nobody knows: a read leaves nothing behind, so only changes count. A crash after
    /// the answer was read is one before the next request.
    pub async fn after(&self, changing: bool) {
        if changing {
            self.pass(Side::After).await;
        }
    }

    async fn pass(&self, side: Side) {
        let inner = &self.boundaries.0;
        let number = {
            let mut passed = inner.passed.lock();
            *passed += 1;
            *passed
        };
        let armed = inner.armed.lock().remove(&number);
        let rolled = inner.dice.lock().as_mut().map(|dice| dice.roll(armed));
        let late = if rolled.is_some() { LATE_BESIDE } else { LATE };
        let (latency, blow) = rolled.unwrap_or((Duration::ZERO, armed));
        // The worlds are looked at between what was done and what follows.
        inner.stepped.notify_one();
        tokio::task::yield_now().await;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match blow {
            Some(Blow::Crash) => {
                inner.dead.lock().push(self.process);
                inner.stepped.notify_one();
                std::future::pending::<()>().await;
            }
            Some(Blow::Pause(long)) => {
                // A process that stands between its last look at the clock and the wire sends what it
                // decided long ago: nothing on this side can prevent that, so it counts only as far as
                // the window for late requests reaches.
                let long = match side {
                    Side::Before { to_service: true } => long.min(late),
                    _ => long,
                };
                inner.paused.lock().push(self.process);
                inner.stepped.notify_one();
                tokio::time::sleep(long).await;
                // Another request of it may stand longer.
                let mut paused = inner.paused.lock();
                if let Some(at) = paused.iter().position(|one| *one == self.process) {
                    paused.swap_remove(at);
                }
            }
            None => {}
        }
    }
}

/// How late a request may be carried out and still be told from a lost one.
const LATE: Duration = Duration::from_mins(8);
/// The same where the request may be held up on its way as well, and lists may lag.
const LATE_BESIDE: Duration = Duration::from_mins(2);
