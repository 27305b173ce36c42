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

/// A cluster of somebody's own is looked through for all that would be made, and deleted, in it.
#[test]
fn every_namespace_is_looked_for_before() {
    let looked_for = format!("get ns {} ", world::PLACES.join(" "));
    assert!(include_str!("../../hack/e2e.sh").contains(&looked_for));
}

/// Two modules pin Kubernetes: that of the API server and that of what runs beside it on a node.
#[test]
fn a_node_runs_the_version_of_its_api_server() {
    let pins = |go_mod: &str| {
        let lines = go_mod
            .lines()
            .map(|line| line.trim().trim_end_matches(" // indirect"));
        let pins =
            lines.filter(|line| line.contains(" => ") || line.starts_with("k8s.io/kubernetes v"));
        pins.map(str::to_owned).collect::<Vec<_>>()
    };
    let beside = pins(include_str!("../../hack/tools/kubernetes-node/go.mod"));
    assert!(beside.len() > 30, "{beside:?}");
    assert_eq!(
        beside,
        pins(include_str!("../../hack/controlplane/kubernetes/go.mod"))
    );
}
