//! An installation on a real cluster: the chart by Helm, images in Pods, a kubelet that runs them, a
//! garbage collector and a namespace controller that go about their work. `make test-e2e` brings a
//! cluster of its own, or takes the one that it is given, and tells by the environment what is where.
//!
//! One test, since each step begins where the one before it ended. The judge of each is the simulator's ledger.

mod cloud;
mod operator;
mod report;
mod shell;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod world;

#[test]
#[ignore = "it needs a Kubernetes node: make test-e2e"]
fn an_installation_lives() -> support::Result<()> {
    let world = world::World::from_environment()?;
    let mut report = report::Report::new();
    let outcome = steps::STEPS
        .iter()
        .try_for_each(|(name, step)| report.step(name, || step(&world)));
    if outcome.is_err() {
        world.tell();
    }
    report.print();
    if world::setting("E2E_CLEAN_UP").is_ok() {
        world.clean_up()?;
    }
    outcome
}
