//! Codes that the service gives beyond its reference, and the numbers in `failed_reasons`.

use super::{Code, codes};

pub(super) const CODES: &[Code] = codes! { Beyond:
    "DWS.0001" [400] Invalid "Correct the id: the service does not take it for one of its own.";
    "DWS.0005" [500] Unavailable "Wait: the service failed inside and is asked again.";
    "DWS.0006" [400] Invalid "Check what stands between operator and service: the request arrived without its body.";
    "DWS.0011" [409] Busy "Wait until the cluster's running task has ended.";
    "DWS.0015" [403] AbsentOrForbidden "Check the id and the account's rights: the service says the same for a missing and for a forbidden resource.";
    "DWS.0020" [403] Forbidden "Settle the account's restriction (arrears or a freeze) with the cloud provider.";
    "DWS.0047" [401 404] Absent "Check the id: no cluster of this project bears it.";
    "DWS.3027" [404] Absent "Remove the reference: the cluster was deleted earlier.";
    "DWS.7023" [403] Busy "Wait until the cluster's running task has ended, which can last a while beyond its status.";
    "DWS.9999" [500] Unavailable "Wait: the service failed without a reason and is asked again.";
};

/// What `failed_reasons.error_code` of a cluster says after a task that was accepted has failed.
pub(super) const FAILED_TASKS: &[Code] = codes! { FailedTask:
    "6000" [] Unknown "Delete the failed cluster and create it with another node type or zone: this one is often sold out.";
    "6001" [] Unknown "Check quota and stock for the nodes to be added, then ask the service's support to settle the failed resize.";
    "6002" [] Unknown "Look at the cluster in the console and restart it again once its nodes are healthy.";
    "6003" [] Unknown "Delete the failed cluster and restore again, once the snapshot is available and quota is left.";
    "6004" [] Unknown "Ask the service's support to repair the failed node.";
    "6005" [] Unknown "Check the quota of elastic IPs and bind one in the console.";
    "6006" [] Unknown "Check that the elastic IP exists and is free, and bind it in the console.";
    "6007" [] Unknown "Unbind the elastic IP in the console: the service could not.";
    "6008" [] Unknown "Ask the service's support to repair the cluster's domain name.";
    "6013" [] Unknown "Check the load balancer of the cluster in the console and bind it again.";
    "6014" [] Unknown "Delete the cluster again, and ask the service's support if it stays.";
};
