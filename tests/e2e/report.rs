//! What each step took and showed: a line as it ends, a table at the end, figures for `make test`'s list.

use std::time::Instant;

use super::support::{Result, figures::figure};

/// The steps so far.
pub struct Report {
    begin: Instant,
    rows: Vec<(String, f32, String)>,
}

impl Report {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            begin: Instant::now(),
            rows: Vec::new(),
        }
    }

    /// Runs one; what it gives is what it showed, in a few words.
    pub fn step(&mut self, name: &str, step: impl FnOnce() -> Result<String>) -> Result<()> {
        println!("==> {name}");
        let begin = Instant::now();
        let outcome = step();
        let seconds = begin.elapsed().as_secs_f32();
        let shown = match &outcome {
            Ok(shown) => shown.clone(),
            Err(error) => format!("FAILED: {error:#}"),
        };
        println!("    {seconds:.1} s: {shown}");
        self.rows.push((name.to_owned(), seconds, shown));
        outcome.map(drop)
    }

    /// The table.
    pub fn print(&self) {
        println!("\n{:<44} {:>8}  shown", "step", "seconds");
        for (name, seconds, shown) in &self.rows {
            println!("{name:<44} {seconds:>8.1}  {shown}");
        }
        let all = self.begin.elapsed().as_secs_f32();
        println!("{:<44} {all:>8.1}\n", "all");
        for (name, seconds, shown) in &self.rows {
            figure("e2e", &format!("{name}: {seconds:.1} s: {shown}"));
        }
        let steps = self.rows.len();
        figure("e2e", &format!("{steps} steps in {all:.0} s"));
    }
}
