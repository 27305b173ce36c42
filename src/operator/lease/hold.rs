//! The hold on the lease as this process knows it: a deadline by its own clocks, asked without any I/O.
//!
//! It is what a process that stood still asks first when it goes on: no timer has to fire and no task has to run
//! before. A hold that was over once is over for ever; the process ends then.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::dws::clock::Clock;
use crate::dws::permit::Permit;

/// A moment by both clocks. The steady one stands while the machine sleeps, the other can be set: whichever says
/// that more time has passed is believed.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    steady: Instant,
    wall: Timestamp,
}

/// See the module. Clones are one hold.
#[derive(Clone)]
pub struct Hold(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// After the begin of the last renewal that went through.
    give_up: Duration,
    clock: Arc<dyn Clock>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Not ours yet.
    Standby,
    /// Ours; the last renewal that went through began then.
    Since(Moment),
    /// It was ours, and is no more.
    Over,
}

impl Hold {
    /// None yet. It is over `give_up` after the begin of the last renewal that went through.
    pub fn new(give_up: Duration, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::new(State::Standby),
            give_up,
            clock,
        }))
    }

    /// Now: to be noted before a renewal is sent.
    pub fn moment(&self) -> Moment {
        Moment {
            steady: Instant::now(),
            wall: self.0.clock.now(),
        }
    }

    /// A renewal that began then has gone through. `false`: that was too long ago, or the hold is over.
    pub fn renewed(&self, began: Moment) -> bool {
        let mut state = self.0.state.lock();
        *state = match *state {
            State::Since(before) if self.left(before).is_zero() => State::Over,
            State::Since(before) if before.steady > began.steady => State::Since(before),
            State::Since(_) | State::Standby if !self.left(began).is_zero() => State::Since(began),
            // An answer that took so long makes nobody a leader: it is renewed first.
            State::Standby => State::Standby,
            State::Since(_) | State::Over => State::Over,
        };
        matches!(*state, State::Since(_))
    }

    /// Whether the lease is ours at this moment.
    pub fn holds(&self) -> bool {
        !self.time_left().is_zero()
    }

    /// How long it still is, if nothing is renewed.
    pub fn time_left(&self) -> Duration {
        let mut state = self.0.state.lock();
        let State::Since(began) = *state else {
            return Duration::ZERO;
        };
        let left = self.left(began);
        if left.is_zero() {
            *state = State::Over;
        }
        left
    }

    /// It is over from now on: it is to be released, or another took it.
    pub fn end(&self) {
        *self.0.state.lock() = State::Over;
    }

    /// The same, for those who make changing calls.
    pub fn permit(&self) -> Permit {
        let hold = self.clone();
        Permit::new(move || hold.holds())
    }

    fn left(&self, began: Moment) -> Duration {
        let wall = self.0.clock.now().duration_since(began.wall);
        // A clock that was set back says nothing.
        let wall = Duration::try_from(wall).unwrap_or_default();
        self.0
            .give_up
            .saturating_sub(began.steady.elapsed().max(wall))
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hold").field(&*self.0.state.lock()).finish()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    /// Tokio's paused clock, and how far somebody has set it.
    struct Wall(Instant, Mutex<SignedDuration>);

    impl Clock for Wall {
        fn now(&self) -> Timestamp {
            let passed = SignedDuration::try_from(self.0.elapsed()).unwrap();
            Timestamp::from_second(1_800_000_000).unwrap() + passed + *self.1.lock()
        }
    }

    fn hold() -> (Hold, Arc<Wall>) {
        let wall = Arc::new(Wall(Instant::now(), Mutex::default()));
        (Hold::new(Duration::from_secs(10), wall.clone()), wall)
    }

    async fn pass(seconds: f64) {
        tokio::time::advance(Duration::from_secs_f64(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_counts_from_the_begin_of_the_renewal_and_not_from_its_answer() {
        let (hold, _) = hold();
        assert!(!hold.holds(), "nobody gave it");
        let began = hold.moment();
        pass(4.0).await;
        assert!(hold.renewed(began));
        assert_eq!(hold.time_left(), Duration::from_secs(6));
        pass(5.9).await;
        assert!(hold.holds());
        pass(0.1).await;
        assert!(!hold.holds());
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_goes_through_in_time_prolongs_it() {
        let (hold, _) = hold();
        for _ in 0..10 {
            let began = hold.moment();
            pass(3.0).await;
            assert!(hold.renewed(began));
            pass(3.0).await;
            assert!(hold.holds());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_over_once_is_over_for_ever() {
        let (hold, _) = hold();
        assert!(hold.renewed(hold.moment()));
        pass(8.0).await;
        let began = hold.moment();
        pass(3.0).await;
        // The answer came in time for the renewal and too late for the hold, which nobody had asked meanwhile.
        assert!(!hold.renewed(began));
        assert!(!hold.renewed(hold.moment()));
        assert!(!hold.holds());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_took_too_long_makes_nobody_a_leader_yet() {
        let (hold, _) = hold();
        let began = hold.moment();
        pass(10.0).await;
        assert!(!hold.renewed(began));
        assert!(hold.renewed(hold.moment()), "the next one may");
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_answers_the_later_begin_counts() {
        let (hold, _) = hold();
        let first = hold.moment();
        pass(2.0).await;
        assert!(hold.renewed(hold.moment()));
        assert!(hold.renewed(first));
        assert_eq!(hold.time_left(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_is_found_out_by_the_clock_on_the_wall() {
        let (hold, wall) = hold();
        assert!(hold.renewed(hold.moment()));
        *wall.1.lock() = SignedDuration::from_hours(-1);
        assert!(hold.holds(), "set back says nothing");
        *wall.1.lock() = SignedDuration::from_secs(11);
        assert!(!hold.holds());
    }

    #[tokio::test(start_paused = true)]
    async fn the_permit_goes_with_it() {
        let (hold, _) = hold();
        let permit = hold.permit();
        assert!(!permit.holds());
        hold.renewed(hold.moment());
        assert!(permit.holds());
        hold.end();
        assert!(!permit.holds() && !hold.holds());
    }
}
