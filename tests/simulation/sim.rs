//! The worlds that outlive every process, and the time that passes in them.
//!
//! It lets the processes live until something holds, buries the dead and starts others in their place, and
//! has the worlds looked at after every step.

use std::sync::Arc;
use std::time::Duration;

use dws_operator::dws::clock::Clock;
use dws_operator::simulator::{self, Service};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::time::Instant;

use super::api_server::{ApiServer, CLUSTERS};
use super::checks;
use super::cloud::{Cloud, Lie};
use super::gate::{Boundaries, Gate};
use super::process::{Habits, Process};
use super::tenant::Book;

/// No run has more changes of objects than this, unless somebody writes in a circle.
const MOST_CHANGES: usize = 20_000;

/// Tokio's paused clock as a wall clock.
pub struct SimClock(Instant);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let base = Timestamp::from_second(1_800_000_000).unwrap();
        base + SignedDuration::try_from(self.0.elapsed()).unwrap()
    }
}

/// What a person does.
pub type Deed = fn(&mut Sim);

/// The worlds, and the processes of the moment.
pub struct Sim {
    pub kubernetes: ApiServer,
    pub cloud: Cloud,
    pub clock: Arc<SimClock>,
    pub boundaries: Boundaries,
    /// What was asked for.
    pub book: Book,
    /// What was found wrong on the way.
    pub wrong: Vec<String>,
    /// How many processes there were.
    pub processes: u64,
    pub habits: Habits,
    alive: Vec<Process>,
    /// What a person will do, and when.
    later: Vec<(Timestamp, Deed)>,
    /// Version and ledger as they were looked at last.
    looked: (u64, usize),
}

impl Sim {
    /// Empty worlds and a first process.
    pub fn new(speed: f64, lie: Lie) -> Self {
        Self::with(
            lie,
            Habits::default(),
            simulator::Settings {
                speed,
                automated_snapshots: None,
                ..simulator::Settings::default()
            },
        )
    }

    /// The same with processes of other habits, and another service.
    pub fn with(lie: Lie, habits: Habits, settings: simulator::Settings) -> Self {
        let clock = Arc::new(SimClock(Instant::now()));
        let kubernetes = ApiServer::new();
        let cloud = Cloud {
            service: Arc::new(Mutex::new(Service::new(settings, clock.now()))),
            clock: clock.clone(),
            kubernetes: kubernetes.clone(),
            lie,
            claimed: Arc::default(),
            judge: Arc::default(),
            gate: Gate::default(),
        };
        let mut sim = Self {
            kubernetes,
            cloud,
            clock,
            boundaries: Boundaries::default(),
            book: Book::default(),
            wrong: Vec::new(),
            processes: 0,
            habits,
            alive: Vec::new(),
            later: Vec::new(),
            looked: (0, 0),
        };
        sim.start();
        sim
    }

    /// The resource that most scenarios are about.
    pub fn wh(&self) -> Option<Value> {
        self.kubernetes.get(&format!("{CLUSTERS}/wh"))
    }

    /// One more process; gives its number.
    pub fn start(&mut self) -> u64 {
        self.processes += 1;
        let number = self.processes;
        self.alive.push(Process::start(
            &self.kubernetes,
            &self.cloud,
            &self.clock,
            &self.boundaries.gate(number),
            number,
            &self.habits,
        ));
        number
    }

    /// Ends a process.
    pub fn kill(&mut self, number: u64) {
        self.alive.retain(|process| process.number != number);
    }

    /// Has a person do something after a while.
    pub fn later(&mut self, pause: Duration, what: fn(&mut Self)) {
        let at = self.clock.now() + SignedDuration::try_from(pause).unwrap();
        self.later.push((at, what));
        self.later.sort_by_key(|(at, _)| *at);
    }

    /// A person has done everything.
    pub fn later_is_over(&self) -> bool {
        self.later.is_empty()
    }

    /// The processes that live.
    pub fn alive(&self) -> &[Process] {
        &self.alive
    }

    /// Goes on until it is so, at most this long. `false` where it did not come to it.
    pub async fn until(&mut self, limit: Duration, so: impl Fn(&Self) -> bool) -> bool {
        let end = self.clock.now() + SignedDuration::try_from(limit).unwrap();
        while self.clock.now() < end {
            if self.is_in_a_circle() {
                self.wrong
                    .push(format!("I7: more than {MOST_CHANGES} changes"));
                return false;
            }
            if so(self) {
                return true;
            }
            self.turn(end).await;
        }
        so(self)
    }

    /// Somebody writes without end.
    pub fn is_in_a_circle(&self) -> bool {
        self.kubernetes.state.lock().log.len() > MOST_CHANGES
    }

    /// One step.
    async fn turn(&mut self, end: Timestamp) {
        while self
            .later
            .first()
            .is_some_and(|(at, _)| *at <= self.clock.now())
        {
            let (_, what) = self.later.remove(0);
            what(self);
        }
        let next = self.cloud.service.lock().next_event();
        let next = next
            .into_iter()
            .chain(self.later.first().map(|(at, _)| *at))
            .min();
        let wait = next
            .map_or(end, |next| next.min(end))
            .duration_since(self.clock.now());
        let wait = Duration::try_from(wait).unwrap_or_default();
        let alive = &mut self.alive;
        let lives = std::future::poll_fn(|cx| {
            for process in alive.iter_mut() {
                // A life never ends by itself.
                let _ = process.life.as_mut().poll(cx);
            }
            std::task::Poll::<()>::Pending
        });
        tokio::select! {
            biased;
            () = self.boundaries.stepped() => {}
            () = lives => {}
            () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
        }
        let mut service = self.cloud.service.lock();
        service.advance(self.clock.now());
        self.cloud.judge.lock().look(&service, &self.kubernetes);
        let now = (
            self.kubernetes.state.lock().version(),
            service.ledger().len(),
        );
        drop(service);
        if now != self.looked {
            self.looked = now;
            checks::always(self);
        }
        for number in self.boundaries.take_dead() {
            self.kill(number);
            self.start();
        }
    }
}
