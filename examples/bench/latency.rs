//! From apply to the executed create: the operator beside the floor of the same run.
//!
//! Both ends are read off the same clocks for both: when the resource was asked for, and when the simulator
//! executed its create.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::plan::Plan;
use crate::table::Table;
use crate::world::Effect;

/// Waits in milliseconds, in order.
#[derive(Default)]
pub struct Waits(Vec<f64>);

/// One at a time, in turn.
#[derive(Default)]
pub struct Paced {
    /// The bare loop.
    pub floor: Waits,
    /// The operator.
    pub operator: Waits,
}

impl Waits {
    /// From asking to execution, for each name that was asked for and executed.
    pub fn between(asked: &BTreeMap<String, Timestamp>, effects: &[Effect]) -> Self {
        let mut waits = Self::default();
        for effect in effects.iter().filter(|effect| effect.what == "create") {
            if let Some(asked) = asked.get(&effect.name) {
                waits.add(*asked, effect.at);
            }
        }
        waits
    }

    /// One more.
    pub fn add(&mut self, asked: Timestamp, executed: Timestamp) {
        let wait = executed.duration_since(asked).as_secs_f64() * 1e3;
        let place = self.0.partition_point(|known| *known < wait);
        self.0.insert(place, wait);
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The wait that this share (in percent) does not exceed.
    fn at(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        // Rounded up: the 99th percentile of forty is the longest.
        let place = (last * percent).div_ceil(100);
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// The rows of the table, with the times that the ratios are of.
pub fn rows(plan: &Plan, paced: &Paced, floor: &Waits, burst: &Waits, table: &mut Table) {
    let mut compare = |what: &str, operator: &Waits, floor: &Waits| {
        for percent in [50, 99] {
            let (ours, bare) = (operator.at(percent), floor.at(percent));
            let ratio = if bare > 0.0 {
                ours / bare
            } else {
                f64::INFINITY
            };
            table.row(
                &format!("apply -> create, {what}, p{percent}"),
                format!("{ratio:.2} x the floor ({ours:.0} ms / {bare:.0} ms)"),
                "2 x at most",
                ratio <= 2.0,
            );
        }
    };
    if plan.paced > 0 {
        let what = format!("{} one at a time", paced.operator.len());
        compare(&what, &paced.operator, &paced.floor);
    }
    compare(&format!("{} at once", burst.len()), burst, floor);
}
