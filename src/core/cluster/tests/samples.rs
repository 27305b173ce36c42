//! Things as the service and the API server show them, for the tables.

use super::*;

/// The present of every table; whole seconds.
pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(super) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// A cluster as the service shows it, fitting [`Facts::new`]'s manifest.
pub(super) fn cluster(status: &str, task: &str, nodes: i32) -> Cluster {
    Cluster {
        id: ID.into(),
        name: "warehouse".into(),
        status: status.into(),
        sub_status: Some("NORMAL".into()),
        task_status: (!task.is_empty()).then(|| task.into()),
        node_type: Some("dws.m3.xlarge".into()),
        vpc_id: Some("vpc".into()),
        subnet_id: Some("subnet".into()),
        security_group_id: Some("group".into()),
        node_count: Some(nodes),
        port: Some(8000),
        user_name: Some("dbadmin".into()),
        endpoints: vec![Endpoint {
            connect_info: Some("192.168.0.10:8000".into()),
            jdbc_url: None,
        }],
        created_at: Some(now()),
        ..Cluster::default()
    }
}

pub(super) fn snapshot(id: &str, name: &str, status: &str, age: i64) -> Snapshot {
    Snapshot {
        id: id.into(),
        name: name.into(),
        status: status.into(),
        started_at: Some(ago(age)),
        type_: Some("MANUAL".into()),
        cluster_id: Some(ID.into()),
        ..Snapshot::default()
    }
}

pub(super) fn account() -> AccountRef {
    AccountRef {
        region: "eu-west-101".into(),
        project_id: "project".into(),
    }
}

pub(super) fn operation(kind: OperationKind, phase: OperationPhase, age: i64) -> Operation {
    Operation {
        id: OP.into(),
        kind,
        attempt: 1,
        phase,
        target: Target {
            name: Some("warehouse".into()),
            node_count: Some(3),
            ..Target::default()
        },
        baseline: Baseline {
            service_time: Some(ago(age)),
            ..Baseline::default()
        },
        intended_at: ago(age),
        message: None,
        task_seen: None,
        other: BTreeMap::default(),
    }
}

pub(super) fn last_failure(kind: OperationKind, reason: &str, age: i64) -> LastFailure {
    LastFailure {
        kind,
        reason: reason.into(),
        code: None,
        message: "The service's words.".into(),
        credentials: None,
        generation: 1,
        at: ago(age),
        other: BTreeMap::default(),
    }
}

pub(super) fn rival(namespace: &str, holds: bool, age: i64) -> Rival {
    Rival {
        namespace: namespace.into(),
        name: "other".into(),
        uid: "zz".into(),
        holds,
        created: Some(ago(age)),
    }
}

pub(super) fn why(code: &str) -> FailedReasons {
    FailedReasons {
        error_code: Some(code.into()),
        error_msg: Some("No luck.".into()),
    }
}
