//! `make bench`: what the operator costs and how fast it is with N warehouses in one account, measured in
//! one run on a real kube-apiserver and etcd, with the simulator in the service's place.
//!
//! Times depend on the machine; counts and ratios are what to compare. A missed goal is printed and ends
//! nothing: only a run that breaks fails. `N` (1000), `SNAPSHOTS` (100), `QUIET` (300s) and `PACED` (40)
//! come from the environment.

#[path = "../../tests/support/mod.rs"]
mod support;

mod counters;
mod floor;
mod latency;
mod phases;
mod plan;
mod table;
mod world;

use plan::Plan;
use support::Result;
use table::Table;
use world::World;

#[tokio::main]
async fn main() -> Result<()> {
    let plan = Plan::from_environment()?;
    let mut world = World::begin(&plan).await?;
    let mut table = Table::default();

    // Without the operator first: the bare loop gets the machine for itself, as the operator does later.
    let floor = phases::floor_burst(&world, &plan).await?;
    world.start_operator().await?;
    phases::at_nothing(&world, &mut table).await?;
    let burst = phases::burst(&world, &plan).await?;
    phases::settle(&world, &plan, &mut table).await?;
    phases::at_rest(&world, &plan, &mut table).await?;
    phases::observed_changes(&world, &plan, &mut table).await?;
    let paced = phases::paced(&world, &plan).await?;

    latency::rows(&plan, &paced, &floor, &burst, &mut table);
    table.note(format!("release binary: {:.1} MB", world::binary_size()?));
    table.print(&plan);
    Ok(())
}
