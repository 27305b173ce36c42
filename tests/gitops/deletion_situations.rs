//! The rows of the table of conditions that tell of a warehouse being deleted. Flux and Argo CD look at the mark of
//! the deletion alone; what stands in the conditions is for people.

use serde_json::json;

use crate::api_server::CLUSTERS;
use crate::operation_situations::{change_key, take_away, throttle};
use crate::sim::Sim;
use crate::situation::Argo::Progressing;
use crate::situation::Flux::Terminating;
use crate::situation::Start::{self, Cluster, Nothing};
use crate::situation::Step::{self, Do, Shows};
use crate::situation::{Situation, cluster, console, delete, fault, make};
use crate::tenant;
use crate::waiting_situations::terminate_namespace;

pub fn all() -> Vec<Situation> {
    vec![
        going("deleting", Cluster, &[Do(delete_it)], DELETING),
        going("final-snapshot", Cluster, &[Do(delete_wh)], DELETING),
        going(
            "deletion-while-creating",
            Nothing,
            &[
                Do(|s| make(s, &json!({}))),
                Shows("Ready=False/Creating; Synced=True/Creating; Reconciling"),
                Do(delete_wh),
            ],
            DELETING,
        ),
        going(
            "deletion-protected",
            Cluster,
            &[Do(|s| {
                tenant::edit(s, "wh", |wh| wh["spec"]["deletionProtection"] = json!(true));
                delete_wh(s);
            })],
            BLOCKED,
        ),
        going(
            "deletion-of-an-unavailable-cluster",
            Cluster,
            &[Do(|s| {
                console(
                    s,
                    json!({"change": "set_status", "cluster": "warehouse", "status": "UNAVAILABLE"}),
                );
                delete_wh(s);
            })],
            BLOCKED,
        ),
        going(
            "deletion-of-the-definition",
            Cluster,
            &[Do(|s| {
                let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/dwsclusters.dws.huaweicloud.com";
                s.kubernetes.edit(path, |crd| {
                    crd["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
                    crd["metadata"]["finalizers"] =
                        json!(["customresourcecleanup.apiextensions.k8s.io"]);
                });
                delete_it(s);
            })],
            BLOCKED,
        ),
        going(
            "deletion-with-its-namespace",
            Cluster,
            &[Do(|s| {
                terminate_namespace(s);
                delete_it(s);
            })],
            DELETING,
        ),
        going(
            "deletion-refused",
            Cluster,
            &[Do(|s| {
                fault(
                    s,
                    &json!({"operation": "delete_cluster", "kind": "refused", "code": "DWS.5038"}),
                );
                delete_it(s);
            })],
            "Ready=False/Deleting; Synced=False/DeletionRefused",
        ),
        going(
            "deletion-refused-twice",
            Cluster,
            &[Do(|s| {
                fault(
                    s,
                    &json!({"operation": "delete_cluster", "kind": "refused", "code": "DWS.5038", "times": null}),
                );
                delete_it(s);
            })],
            BLOCKED,
        ),
        going(
            "deletion-paused",
            Cluster,
            &[Do(|s| {
                tenant::set_annotation(s, "wh", "paused", Some("true"));
                delete_wh(s);
            })],
            "Ready=False/Deleting; Synced=False/Paused",
        ),
        going(
            "deletion-throttled",
            Cluster,
            &[Do(throttle), Do(delete_it)],
            "Ready=False/Deleting; Synced=False/Throttled",
        ),
        going(
            "deletion-and-service-away",
            Cluster,
            &[Do(take_away), Do(delete_it)],
            "Ready=False/Deleting; Synced=False/ServiceUnavailable",
        ),
        going(
            "deletion-and-credentials-refused",
            Cluster,
            &[Do(change_key), Do(delete_it)],
            "Ready=False/Deleting; Synced=False/CredentialsInvalid",
        ),
    ]
}

const DELETING: &str = "Ready=False/Deleting; Synced=True/Deleting; Reconciling";
const BLOCKED: &str = "Ready=False/DeletionBlocked; Synced=False/DeletionBlocked";

fn going(
    name: &'static str,
    start: Start,
    steps: &'static [Step],
    shows: &'static str,
) -> Situation {
    cluster(name, start, steps, shows, Terminating, Progressing)
}

fn delete_wh(sim: &mut Sim) {
    delete(sim, &format!("{CLUSTERS}/wh"));
}

/// Without a final snapshot.
fn delete_it(sim: &mut Sim) {
    tenant::edit(sim, "wh", |wh| {
        wh["spec"]["deletionPolicy"] = json!("Delete");
    });
    delete_wh(sim);
}
