//! The table that a run ends with: what was measured, the goal, and whether it is met.
//!
//! It knows texts and numbers, not where they come from.

use crate::plan::Plan;

/// One measure beside its goal.
struct Row {
    what: String,
    measured: String,
    goal: String,
    met: bool,
}

/// See the module.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    /// A measure with a goal.
    pub fn row(&mut self, what: &str, measured: impl Into<String>, goal: &str, met: bool) {
        self.rows.push(Row {
            what: what.to_owned(),
            measured: measured.into(),
            goal: goal.to_owned(),
            met,
        });
    }

    /// Something that has no goal, or explains a row.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// To standard output.
    pub fn print(&self, plan: &Plan) {
        let width = |of: fn(&Row) -> &str| {
            let widths = self.rows.iter().map(|row| of(row).chars().count());
            widths.max().unwrap_or_default()
        };
        let (what, measured) = (width(|row| &row.what), width(|row| &row.measured));
        let goal = width(|row| &row.goal);
        println!(
            "\n{} DwsClusters, {} DwsSnapshots, one account; quiet for {} s",
            plan.clusters,
            plan.snapshots,
            plan.quiet.as_secs()
        );
        println!(
            "{:what$}  {:measured$}  {:goal$}  met",
            "", "measured", "goal"
        );
        for row in &self.rows {
            let met = if row.met { "yes" } else { "NO" };
            println!(
                "{:what$}  {:measured$}  {:goal$}  {met}",
                row.what, row.measured, row.goal
            );
        }
        for note in &self.notes {
            println!("  {note}");
        }
        let met = self.rows.iter().filter(|row| row.met).count();
        println!("{met} of {} goals met", self.rows.len());
    }
}
