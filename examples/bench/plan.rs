//! What is asked for: sizes and times, from the environment.
//!
//! It knows names and defaults. A value that cannot be read ends the run in one line.

use std::time::Duration;

use anyhow::Context;

use crate::support::Result;

/// The size of a run.
pub struct Plan {
    /// `DwsCluster`s, made in one burst.
    pub clusters: usize,
    /// `DwsSnapshot`s, each of another cluster as long as there are enough.
    pub snapshots: usize,
    /// How long nothing is changed while writes and reads are counted.
    pub quiet: Duration,
    /// `DwsCluster`s that are made one at a time, by the bare loop and by the operator in turn.
    pub paced: usize,
}

impl Plan {
    /// `N`, `SNAPSHOTS`, `QUIET` and `PACED`.
    pub fn from_environment() -> Result<Self> {
        Ok(Self {
            clusters: number("N", 1000)?.max(1),
            snapshots: number("SNAPSHOTS", 100)?,
            quiet: match std::env::var("QUIET") {
                Ok(text) => humantime::parse_duration(&text).context("QUIET: write it like 60s")?,
                Err(_) => Duration::from_mins(5),
            },
            paced: number("PACED", 40)?,
        })
    }
}

fn number(name: &str, default: usize) -> Result<usize> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name}: a number")),
        Err(_) => Ok(default),
    }
}
