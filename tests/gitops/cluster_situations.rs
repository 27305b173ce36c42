//! The rows of the table of conditions that tell how a warehouse is, and what others did to it.

use serde_json::{Value, json};

use crate::sim::Sim;
use crate::situation::Argo::{Degraded, Healthy, Progressing, Unknown};
use crate::situation::Flux::{Current, Failed, InProgress};
use crate::situation::Start::{Cluster, Nothing};
use crate::situation::Step::{Do, Seen};
use crate::situation::{READY, Situation, cluster, console, fault, made, make, restart_operator};
use crate::tenant;

pub fn all() -> Vec<Situation> {
    vec![
        // Before the operator has seen it, and before it has seen a change.
        cluster(
            "new",
            Nothing,
            &[Do(|s| make(s, &json!({})))],
            "",
            InProgress,
            Progressing,
        ),
        cluster(
            "edited",
            Cluster,
            &[Do(|s| tenant::resize(s, "wh", 5))],
            READY,
            InProgress,
            Progressing,
        ),
        cluster(
            "account-not-read-yet",
            Nothing,
            &[Do(|s| {
                fault(
                    s,
                    &json!({"operation": "list_clusters", "kind": "slow", "after": 20}),
                );
                s.habits.workers = 2;
                restart_operator(s);
                make(s, &json!({}));
            })],
            "Ready=False/Waiting; Synced=False/Waiting; Reconciling",
            InProgress,
            Progressing,
        ),
        // As the service says.
        cluster("ready", Cluster, &[], READY, Current, Healthy),
        cluster(
            "nightly-snapshot",
            Cluster,
            &[Do(|s| {
                console(
                    s,
                    json!({"change": "snapshot", "cluster": "warehouse", "name": "auto", "automated": true}),
                );
            })],
            "Ready=True/Snapshotting; Synced=True/InSync",
            Current,
            Healthy,
        ),
        cluster(
            "grown-by-others",
            Cluster,
            &[Do(|s| {
                console(
                    s,
                    json!({"change": "resize", "cluster": "warehouse", "added": 1}),
                );
            })],
            "Ready=True/Resizing; Synced=True/InSync",
            Current,
            Healthy,
        ),
        cluster(
            "restarted-by-others",
            Cluster,
            &[Do(|s| {
                console(s, json!({"change": "restart", "cluster": "warehouse"}));
            })],
            "Ready=False/Restarting; Synced=True/InSync",
            InProgress,
            Progressing,
        ),
        cluster(
            "another-task",
            Cluster,
            &[
                Do(|s| {
                    console(
                        s,
                        json!({"change": "set_task", "cluster": "warehouse", "task": "SETTING_CONFIGURATION"}),
                    );
                }),
                Seen("taskStatus", "SETTING_CONFIGURATION"),
            ],
            READY,
            Current,
            Healthy,
        ),
        cluster(
            "degraded",
            Cluster,
            &[Do(|s| sub_status(s, "DEGRADED"))],
            "Ready=True/Degraded; Synced=True/InSync",
            Current,
            Healthy,
        ),
        cluster(
            "unbalanced",
            Cluster,
            &[
                Do(|s| sub_status(s, "UNBALANCED")),
                Seen("subStatus", "UNBALANCED"),
            ],
            READY,
            Current,
            Healthy,
        ),
        cluster(
            "redistributing",
            Cluster,
            &[
                Do(|s| sub_status(s, "REDISTRIBUTING")),
                Seen("subStatus", "REDISTRIBUTING"),
            ],
            READY,
            Current,
            Healthy,
        ),
        cluster(
            "read-only",
            Cluster,
            &[Do(|s| sub_status(s, "READONLY"))],
            "Ready=False/ReadOnly; Synced=True/InSync",
            InProgress,
            Degraded,
        ),
        cluster(
            "unavailable",
            Cluster,
            &[Do(|s| status(s, "UNAVAILABLE"))],
            UNAVAILABLE,
            InProgress,
            Degraded,
        ),
        cluster(
            "frozen",
            Cluster,
            &[Do(|s| status(s, "FROZEN"))],
            UNAVAILABLE,
            InProgress,
            Degraded,
        ),
        cluster(
            "a-new-word",
            Cluster,
            &[Do(|s| status(s, "DREAMING"))],
            "Ready=False/Unknown; Synced=True/InSync",
            InProgress,
            Unknown,
        ),
        cluster(
            "deleted-by-others",
            Cluster,
            &[Do(|s| {
                console(s, json!({"change": "delete", "cluster": "warehouse"}));
            })],
            "Ready=False/Deleting; Synced=True/InSync",
            InProgress,
            Degraded,
        ),
        // It is not shown any more.
        cluster(
            "not-shown",
            Cluster,
            &[Do(vanish)],
            "Ready=True/Available; Synced=False/ConfirmingAbsence",
            Current,
            Healthy,
        ),
        cluster(
            "lost",
            Cluster,
            &[Do(vanish)],
            "Ready=False/Lost; Synced=False/Lost; Stalled",
            Failed,
            Degraded,
        ),
        cluster(
            "gone-or-hidden",
            Cluster,
            &[Do(|s| {
                vanish(s);
                let mut service = s.cloud.service.lock();
                let mut oddities = service.oddities().clone();
                oddities.deleted_is_unknown = true;
                oddities.not_found = dws_operator::simulator::NotFound::Forbidden;
                service.set_oddities(oddities);
                drop(service);
                restart_operator(s);
            })],
            "Ready=True/Available; Synced=False/Forbidden",
            Current,
            Healthy,
        ),
        // Somebody changed it, or made it otherwise.
        cluster(
            "drifted",
            Cluster,
            &[Do(|s| {
                console(
                    s,
                    json!({"change": "set_nodes", "cluster": "warehouse", "nodes": 9}),
                );
            })],
            "Ready=True/Available; Synced=False/Drifted",
            Current,
            Healthy,
        ),
        cluster(
            "adopted",
            Nothing,
            &[Do(|s| adopt(s, &json!({})))],
            READY,
            Current,
            Healthy,
        ),
        cluster(
            "adopted-and-different",
            Nothing,
            &[Do(|s| adopt(s, &json!({"nodeCount": 7})))],
            "Ready=True/Available; Synced=False/Drifted",
            Current,
            Healthy,
        ),
        cluster(
            "observed-only",
            Nothing,
            &[Do(|s| {
                adopt(s, &json!({"managementPolicy": "ObserveOnly"}));
            })],
            "Ready=True/Available; Synced=True/ObserveOnly",
            Current,
            Healthy,
        ),
    ]
}

const UNAVAILABLE: &str = "Ready=False/Unavailable; Synced=True/InSync";
/// The service says this word of the warehouse.
pub fn status(sim: &mut Sim, word: &str) {
    console(
        sim,
        json!({"change": "set_status", "cluster": "warehouse", "status": word}),
    );
}

fn sub_status(sim: &mut Sim, word: &str) {
    console(
        sim,
        json!({"change": "set_sub_status", "cluster": "warehouse", "sub_status": word}),
    );
}

fn vanish(sim: &mut Sim) {
    console(sim, json!({"change": "vanish", "cluster": "warehouse"}));
}

/// A cluster of three nodes that somebody made, taken over by its id.
fn adopt(sim: &mut Sim, more: &Value) {
    let wanted = json!({
        "change": "create", "name": "warehouse", "node_type": "dws.d1.xlarge", "nodes": 3, "password": "Correct-horse-1",
    });
    let id = made(sim, wanted);
    console(
        sim,
        json!({"change": "finish_task", "cluster": "warehouse"}),
    );
    let mut spec = json!({"clusterId": id});
    json_patch::merge(&mut spec, more);
    tenant::put_spec(sim, "wh", &spec);
}
