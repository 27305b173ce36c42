//! The index alone: what it finds, whom it wakes, what it forgets.

use super::*;
use crate::api::cluster::{AdoptionPolicy, LocalRef, ManagementPolicy, RestoreFrom, SecretKeyRef};
use crate::api::cluster_status::AccountRef;
use crate::api::{
    Baseline, DwsClusterSpec, DwsClusterStatus, DwsSnapshotSpec, DwsSnapshotStatus, Operation,
    OperationKind, OperationPhase, Target,
};
use jiff::Timestamp;

fn cluster(name: &str, version: u64, id: Option<&str>) -> DwsCluster {
    let mut cluster = DwsCluster::new(name, DwsClusterSpec::default());
    cluster.metadata.namespace = Some("team".to_owned());
    cluster.metadata.uid = Some(format!("uid-{name}"));
    cluster.metadata.resource_version = Some(version.to_string());
    cluster.status = Some(DwsClusterStatus {
        cluster_id: id.map(str::to_owned),
        ..DwsClusterStatus::default()
    });
    cluster
}

fn snapshot(name: &str, of: &str) -> DwsSnapshot {
    let spec = DwsSnapshotSpec {
        cluster_ref: Some(LocalRef {
            name: of.to_owned(),
        }),
        ..DwsSnapshotSpec::default()
    };
    let mut snapshot = DwsSnapshot::new(name, spec);
    snapshot.metadata.namespace = Some("team".to_owned());
    snapshot.metadata.uid = Some(format!("uid-{name}"));
    snapshot
}

fn operation(id: &str, kind: OperationKind, intended: i64) -> Operation {
    Operation {
        id: id.to_owned(),
        kind,
        attempt: 1,
        phase: OperationPhase::Accepted,
        target: Target::default(),
        baseline: Baseline::default(),
        intended_at: Timestamp::from_second(intended).unwrap(),
        message: None,
        task_seen: None,
        other: BTreeMap::default(),
    }
}

fn names(keys: &[ResourceKey]) -> Vec<&str> {
    keys.iter().map(|key| key.name.as_str()).collect()
}

#[test]
fn rivals_are_those_that_hold_or_ask_for_the_id() {
    let index = Index::default();
    index.apply_cluster(&cluster("a", 1, Some("id-1")), Order::Stream);
    let mut asks = cluster("b", 2, None);
    asks.spec.cluster_id = Some("id-1".to_owned());
    index.apply_cluster(&asks, Order::Stream);
    index.apply_cluster(&cluster("c", 3, Some("id-2")), Order::Stream);

    let rivals = index.rivals(Kind::Cluster, "uid-a", &["id-1"]);
    assert_eq!(rivals.len(), 1);
    assert!(!rivals[0].holds && rivals[0].name == "b");
    let rivals = index.rivals(Kind::Cluster, "uid-b", &["id-1"]);
    assert!(rivals[0].holds && rivals[0].name == "a");

    let held = index.held_elsewhere(Kind::Cluster, "uid-b", ["id-1", "id-2", "id-3"]);
    assert_eq!(held.keys().collect::<Vec<_>>(), ["id-1", "id-2"]);
    // Asking is not holding.
    assert!(
        index
            .held_elsewhere(Kind::Cluster, "uid-a", ["id-1"])
            .is_empty()
    );
}

#[test]
fn those_that_are_making_a_cluster_are_found_by_project_and_name() {
    let index = Index::default();
    let account = |project: &str| AccountRef {
        region: "r".to_owned(),
        project_id: project.to_owned(),
    };
    let mut a = cluster("a", 1, None);
    a.spec.cluster_name = Some("warehouse".to_owned());
    let status = a.status.as_mut().unwrap();
    status.account = Some(account("p"));
    status.operation = Some(operation("o", OperationKind::Create, 1));
    index.apply_cluster(&a, Order::Stream);
    let making = |uid: &str, project: &str, name: &str| {
        let found = index.making(&account(project), name, uid);
        found
            .into_iter()
            .map(|rival| rival.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(making("uid-b", "p", "warehouse"), ["a"]);
    assert!(making("uid-a", "p", "warehouse").is_empty());
    assert!(making("uid-b", "other", "warehouse").is_empty());
    assert!(making("uid-b", "p", "a").is_empty());
    // Once the id is known, it is found by that.
    a.status.as_mut().unwrap().cluster_id = Some("id".to_owned());
    index.apply_cluster(&a, Order::Stream);
    assert!(making("uid-b", "p", "warehouse").is_empty());
}

#[test]
fn one_that_would_take_over_a_name_is_a_rival_of_who_holds_it_here() {
    let index = Index::default();
    let mut a = cluster("a", 1, Some("id"));
    a.spec.cluster_name = Some("warehouse".to_owned());
    index.apply_cluster(&a, Order::Stream);
    let mut b = cluster("b", 2, None);
    b.spec.cluster_name = Some("warehouse".to_owned());
    index.apply_cluster(&b, Order::Stream);
    let asking = |namespace: &str, credentials: Option<&str>| {
        let found = index.asking_by_name(namespace, "warehouse", credentials, "uid-a");
        found
            .into_iter()
            .map(|rival| rival.name)
            .collect::<Vec<_>>()
    };
    assert!(asking("team", None).is_empty());
    b.spec.adoption_policy = Some(AdoptionPolicy::IfExists);
    // The holder looks again.
    assert_eq!(names(&index.apply_cluster(&b, Order::Stream)), ["a"]);
    assert_eq!(asking("team", None), ["b"]);
    assert!(asking("other", None).is_empty());
    assert!(asking("team", Some("cloud")).is_empty());
    // Who only observes stops nobody.
    b.spec.management_policy = Some(ManagementPolicy::ObserveOnly);
    index.apply_cluster(&b, Order::Stream);
    assert!(asking("team", None).is_empty());
}

#[test]
fn an_id_that_is_asked_for_beside_a_held_one_is_no_claim() {
    let index = Index::default();
    let mut a = cluster("a", 1, None);
    a.spec.cluster_id = Some("x".to_owned());
    index.apply_cluster(&a, Order::Stream);
    assert_eq!(index.rivals(Kind::Cluster, "uid-b", &["x"]).len(), 1);
    a.status.as_mut().unwrap().cluster_id = Some("y".to_owned());
    index.apply_cluster(&a, Order::Stream);
    assert!(index.rivals(Kind::Cluster, "uid-b", &["x"]).is_empty());
    assert_eq!(index.rivals(Kind::Cluster, "uid-b", &["y"]).len(), 1);
}

#[test]
fn one_of_two_claims_of_an_id_wins_before_either_is_stored() {
    let index = Index::default();
    let (a, b) = (cluster("a", 1, None), cluster("b", 2, None));
    index.apply_cluster(&a, Order::Stream);
    index.apply_cluster(&b, Order::Stream);
    let key = |name: &str| ResourceKey {
        kind: Kind::Cluster,
        namespace: "team".to_owned(),
        name: name.to_owned(),
    };
    assert!(index.reserve(&key("a"), "uid-a", "id"));
    assert!(!index.reserve(&key("b"), "uid-b", "id"));
    assert!(index.reserve(&key("a"), "uid-a", "id"));
    // The claim was never stored, as the next live read shows: the id is free again.
    index.apply_cluster(&a, Order::Stream);
    assert!(index.reserve(&key("b"), "uid-b", "id"));
}

#[test]
fn an_older_version_is_dropped_unless_it_is_listed() {
    let index = Index::default();
    index.apply_cluster(&cluster("a", 5, Some("id")), Order::Stream);
    index.apply_cluster(&cluster("a", 4, None), Order::Stream);
    assert_eq!(
        index.cluster_of("id"),
        Some(("team".to_owned(), "a".to_owned()))
    );
    index.apply_cluster(&cluster("a", 4, None), Order::List);
    assert_eq!(index.cluster_of("id"), None);
}

#[test]
fn a_change_wakes_those_it_concerns_and_an_echo_wakes_nobody() {
    let index = Index::default();
    let mut done = snapshot("done", "wh");
    done.status = Some(DwsSnapshotStatus {
        snapshot_id: Some("s".to_owned()),
        conditions: vec![condition("Ready", "True", "Available")],
        ..DwsSnapshotStatus::default()
    });
    index.apply_snapshot(&done, Order::Stream);
    index.apply_snapshot(&snapshot("waiting", "wh"), Order::Stream);
    let mut wh = cluster("wh", 1, Some("id"));
    assert_eq!(names(&index.apply_cluster(&wh, Order::Stream)), ["waiting"]);
    assert!(index.apply_cluster(&wh, Order::Stream).is_empty());
    wh.status.as_mut().unwrap().task_status = Some("GROWING".to_owned());
    assert_eq!(names(&index.apply_cluster(&wh, Order::Stream)), ["waiting"]);
    // The snapshot that goes leaves its turn to the others, and its cluster counts again.
    let gone = ResourceKey {
        kind: Kind::Snapshot,
        namespace: "team".to_owned(),
        name: "done".to_owned(),
    };
    assert_eq!(names(&index.remove(&gone)), ["wh", "waiting"]);
}

#[test]
fn secrets_lead_to_their_users_and_no_further() {
    let index = Index::default();
    let mut wh = cluster("wh", 1, None);
    wh.spec.admin_password_secret_ref = Some(SecretKeyRef {
        name: "admin".to_owned(),
        key: None,
    });
    wh.spec.credentials_secret_ref = Some(LocalRef {
        name: "cloud".to_owned(),
    });
    index.apply_cluster(&wh, Order::Stream);
    for secret in ["admin", "cloud", "wh-connection"] {
        assert_eq!(
            names(&index.secret_users("team", secret)),
            ["wh"],
            "{secret}"
        );
        assert!(index.secret_users("other", secret).is_empty());
    }
    assert_eq!(index.credentials_users("team", "cloud").len(), 1);
    assert!(index.credentials_users("team", "admin").is_empty());
    wh.spec.admin_password_secret_ref = None;
    index.apply_cluster(&wh, Order::Stream);
    assert!(index.secret_users("team", "admin").is_empty());
}

#[test]
fn a_snapshot_that_waited_for_a_whole_operation_is_overdue() {
    let index = Index::default();
    let mut wh = cluster("wh", 1, Some("id"));
    let mut waits = snapshot("s", "wh");
    waits.status = Some(DwsSnapshotStatus {
        waiting_since: Some(Timestamp::from_second(100).unwrap()),
        conditions: vec![condition("Synced", "False", "WaitingForCluster")],
        ..DwsSnapshotStatus::default()
    });
    index.apply_snapshot(&waits, Order::Stream);
    let seen = |index: &Index| {
        let waiting = index.snapshots_of(Some(("team", "wh")), Some("id"));
        assert_eq!(waiting.len(), 1);
        (waiting[0].waits, waiting[0].overdue)
    };
    let mut at = |operation: Option<Operation>| {
        wh.status.as_mut().unwrap().operation = operation;
        index.apply_cluster(&wh, Order::Stream);
    };
    // One that ran already when the snapshot began to wait does not count.
    at(Some(operation("o1", OperationKind::Resize, 50)));
    at(None);
    assert_eq!(seen(&index), (true, false));
    at(Some(operation("o2", OperationKind::Restart, 150)));
    assert_eq!(seen(&index), (true, false));
    at(None);
    assert_eq!(seen(&index), (true, true));
}

#[test]
fn what_holds_a_snapshot_back_besides_its_turn_takes_it_out_of_the_queue() {
    let index = Index::default();
    let mut held = snapshot("s", "wh");
    for (reason, waits) in [
        ("Busy", true),
        ("CredentialsMissing", false),
        ("NameConflict", false),
    ] {
        held.status = Some(DwsSnapshotStatus {
            conditions: vec![condition("Synced", "False", reason)],
            ..DwsSnapshotStatus::default()
        });
        index.apply_snapshot(&held, Order::Stream);
        let found = index.snapshots_of(Some(("team", "wh")), None);
        assert_eq!(found[0].waits, waits, "{reason}");
    }
}

#[test]
fn a_restore_that_runs_is_found_by_reference_and_by_id() {
    let index = Index::default();
    let mut by_reference = cluster("r1", 1, None);
    by_reference.spec.restore_from = Some(RestoreFrom {
        snapshot_ref: Some(LocalRef {
            name: "s".to_owned(),
        }),
        snapshot_id: None,
    });
    let mut by_id = cluster("r2", 2, None);
    by_id.spec.restore_from = Some(RestoreFrom {
        snapshot_ref: None,
        snapshot_id: Some("sid".to_owned()),
    });
    index.apply_cluster(&by_reference, Order::Stream);
    index.apply_cluster(&by_id, Order::Stream);
    assert!(index.restoring("team", "s", Some("sid")).is_empty());
    for cluster in [&mut by_reference, &mut by_id] {
        cluster.status.as_mut().unwrap().operation =
            Some(operation("o", OperationKind::Restore, 1));
        index.apply_cluster(cluster, Order::Stream);
    }
    assert_eq!(
        index.restoring("team", "s", Some("sid")),
        ["team/r1", "team/r2"]
    );
    assert_eq!(index.restoring("team", "s", None), ["team/r1"]);
}

#[test]
fn a_list_removes_what_it_does_not_hold_within_its_namespace() {
    let index = Index::default();
    index.apply_cluster(&cluster("a", 1, None), Order::Stream);
    let mut other = cluster("b", 1, None);
    other.metadata.namespace = Some("other".to_owned());
    index.apply_cluster(&other, Order::Stream);
    assert_eq!(
        names(&index.retain(Kind::Cluster, Some("team"), &HashSet::new())),
        ["a"]
    );
    assert_eq!(index.count(Kind::Cluster), 1);
    assert_eq!(
        names(&index.retain(Kind::Cluster, None, &HashSet::new())),
        ["b"]
    );
    assert!(
        index.inner.lock().terms.is_empty(),
        "nothing is left behind"
    );
}

fn condition(
    type_: &str,
    status: &str,
    reason: &str,
) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition {
    k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: String::new(),
        observed_generation: None,
        last_transition_time: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
            Timestamp::UNIX_EPOCH,
        ),
    }
}
