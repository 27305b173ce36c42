//! Table 6-2 of the reference, second part: parameters that this client does not send, and rules about
//! the request as a whole. Met all the same when an endpoint is of another version.

use super::{Code, codes};

pub(super) const CODES: &[Code] = codes! { Reference:
    "DWS.5002" [400] Invalid "Check DWS_ENDPOINT: a data warehouse endpoint has only one type of database.";
    "DWS.5003" [400] Invalid "Check DWS_ENDPOINT: this endpoint wants a database version, which the v1.0 API chooses itself.";
    "DWS.5004" [400] Invalid "Check DWS_ENDPOINT: this endpoint wants a data store, which the v1.0 API does not have.";
    "DWS.5005" [400] Invalid "Check that DWS_ENDPOINT is the data warehouse endpoint of this region.";
    "DWS.5017" [400] Invalid "Correct the retention days of automatic backups in the console.";
    "DWS.5018" [400] Invalid "Correct the period of automatic backups in the console.";
    "DWS.5033" [400] Invalid in "spec.nodeType" "Choose a node type with a fixed disk: this one wants a volume in steps of 10 GB.";
    "DWS.5036" [403] Forbidden "Ask the account's administrator for a right to this data store, or use another account.";
    "DWS.5037" [400] Invalid "Report the request to the service's support: it does not know one of the parameters.";
    "DWS.5038" [400] Invalid "Compare the numbers of the spec with the limits of the region, node and coordinator counts first.";
    "DWS.5039" [400] Invalid "Report the request to the service's support: it sees one parameter twice.";
    "DWS.5045" [400] Forbidden "Use credentials of the tenant that owns the cluster.";
    "DWS.5048" [400] Invalid "Remove optional settings from the spec one by one: the service refuses an extension parameter.";
    "DWS.5051" [400] Invalid in "spec.publicIp.eipId" "Check the elastic IP that is to be bound: its address is refused.";
    "DWS.5053" [400] Invalid "Report the request to the service's support: it refuses an affinity between nodes that was not asked for.";
    "DWS.5054" [400] Invalid "Check that the cluster's parameter group still exists in the console.";
    "DWS.5056" [400] Invalid "Shorten the texts of the spec: one of them is longer than the service takes.";
    "DWS.5060" [400] Invalid "Correct the numbers of the spec: one of them is larger than the service takes.";
    "DWS.5061" [400] Invalid in "spec.nodeType" "Choose a node type whose volume type this region supports.";
    "DWS.5062" [400] Invalid in "spec.nodeType" "Choose a node type whose volume label this region supports.";
    "DWS.5063" [400] Invalid "Report the request to the service's support: it refuses a field that this client does not send.";
    "DWS.5064" [400] Invalid "Correct the ids of the spec: one of them is not a UUID.";
    "DWS.5065" [400] Invalid "Correct the spec: the format of one of its values is refused.";
    "DWS.5070" [400] Invalid in "spec.nodeType" "Choose another node type: the service's own catalogue contradicts this one.";
    "DWS.5071" [400] Invalid in "spec.nodeType" "Choose another node type: its disk type is not in the service's catalogue.";
    "DWS.5078" [400] Invalid in "spec.nodeType" "Choose a node type whose disk size the service accepts.";
    "DWS.5079" [400] Invalid "Bring the period of automatic backups into the allowed range in the console.";
    "DWS.5080" [400] Invalid "Bring the retention of automatic backups into the allowed range in the console.";
    "DWS.5081" [400] Invalid in "spec.nodeType" "Choose a node type whose disk type is offered in this region.";
    "DWS.5083" [400] Invalid "Report the request to the service's support: the affinity of the nodes is outside its own limits.";
    "DWS.5084" [400] Invalid in "spec.nodeType" "Choose another node type: the service refuses the volume that belongs to this one.";
    "DWS.5087" [400] Invalid in "spec.nodeType" "Choose a node type that gives every node the same disks.";
    "DWS.5095" [400] Invalid "Check that the cluster is a standard warehouse: this kind of cluster does not support the operation.";
    "DWS.5096" [400] Invalid in "spec.nodeType" "Choose a node type whose number of disks the service accepts.";
    "DWS.5106" [400] Invalid in "spec.nodeType" "Choose a node type of the data warehouse service, one whose name starts with dws.";
    "DWS.5107" [400] Invalid in "spec.nodeType" "Choose a node type that can form a cluster of several nodes.";
    "DWS.5130" [400] Invalid "Check the agency of the data warehouse service in IAM: its name is refused.";
    "DWS.5146" [400] Invalid "Report the request to the service's support: it misses a server group that this API does not set.";
    "DWS.5147" [400] Invalid "Report the request to the service's support: it refuses a server group that this API does not set.";
    "DWS.5148" [400] Quota "Delete unused server groups or have their quota raised.";
    "DWS.5191" [400] Invalid "Correct the tag in the console: it is not on this cluster.";
    "DWS.5194" [400] Quota "Remove tags from the cluster: it bears as many as the service allows.";
    "DWS.5197" [400] Invalid "Correct the tag in the console: its key or value has a character that is not allowed.";
    "DWS.5206" [400] Invalid "Upgrade the warehouse first: its version does not support this operation.";
};
