//! Table 6-2 of the reference, first part: what a create, a restore or a password can break, each with
//! the field to mend.

use super::{Code, codes};

pub(super) const CODES: &[Code] = codes! { Reference:
    "DWS.5001" [400] Invalid in "spec.clusterName" "Choose a name of 4 to 64 letters, digits, hyphens and underscores that starts with a letter.";
    "DWS.5006" [400] Invalid in "spec.nodeType" "Set spec.nodeType to a node type that this region sells.";
    "DWS.5010" [400] Invalid "Set HW_REGION_NAME to the region that the DWS endpoint serves.";
    "DWS.5011" [400] Invalid in "spec.network.availabilityZone" "Set spec.network.availabilityZone to a zone of this region, or leave it out and let the service choose.";
    "DWS.5012" [400] Invalid in "spec.network.availabilityZone" "Check that the zone in spec.network.availabilityZone exists in the region of this account.";
    "DWS.5013" [400] BadPassword in "spec.adminPasswordSecretRef" "Put a password of 8 to 32 characters from three of the four classes into the referenced Secret.";
    "DWS.5014" [400] Invalid in "spec.network.vpcId" "Set spec.network.vpcId to the id of a VPC, not its name.";
    "DWS.5015" [400] Invalid in "spec.network.subnetId" "Set spec.network.subnetId to the network id of a subnet, not its name.";
    "DWS.5016" [400] Invalid in "spec.network.securityGroupId" "Set spec.network.securityGroupId to the id of a security group, not its name.";
    "DWS.5021" [404] Invalid in "spec.network.vpcId" "Create the VPC first, or name one that belongs to the project of this account.";
    "DWS.5022" [404] Invalid in "spec.network.subnetId" "Name a subnet that exists in the VPC of spec.network.vpcId.";
    "DWS.5023" [404] Invalid in "spec.network.securityGroupId" "Name a security group that exists in the project of this account.";
    "DWS.5027" [400] Invalid in "spec.network.availabilityZone" "Correct the zone's name in spec.network.availabilityZone, for example eu-west-0a.";
    "DWS.5034" [400] Invalid in "spec.nodeType" "Choose a node type that fits the kind of warehouse and the zone asked for.";
    "DWS.5046" [400] Invalid in "spec.network.subnetId" "Give the cluster a network: spec.network.subnetId must name an existing subnet.";
    "DWS.5047" [400] Invalid in "spec.nodeCount" "Set spec.nodeCount to a number of nodes that the node type allows, at least 3 for most.";
    "DWS.5050" [409] NameTaken in "spec.clusterName" "Choose another spec.clusterName, or set spec.adoptionPolicy to IfExists to take the existing cluster over.";
    "DWS.5052" [400] Invalid in "spec.network.availabilityZone" "Use the zone's code as the console lists it in spec.network.availabilityZone.";
    "DWS.5057" [400] Invalid in "spec.clusterName" "Shorten the name to 4 to 64 characters and use only letters, digits, hyphens and underscores.";
    "DWS.5059" [400] Invalid in "spec.adminUser" "Choose an administrator of lower-case letters, digits and underscores that does not start with a digit.";
    "DWS.5082" [400] Invalid in "spec.adminUser" "Choose another administrator in spec.adminUser: this one is reserved by the database.";
    "DWS.5086" [400] Invalid in "spec.nodeType" "Choose one node type that serves all nodes of the cluster alike.";
    "DWS.5089" [400] Invalid in "spec.nodeType" "Choose a node type of the standard warehouse, the only kind that this API creates.";
    "DWS.5091" [400] Quota in "spec.nodeCount" "Lower spec.nodeCount or have the node quota of the project raised.";
    "DWS.5093" [400] Invalid in "spec.nodeType" "Correct spec.nodeType to the exact name of a node type on sale, for example dws.d1.xlarge.";
    "DWS.5097" [400] Invalid in "spec.network.availabilityZone" "Check region and zone: spec.network.availabilityZone must be one of this region.";
    "DWS.5098" [400] Invalid in "spec.publicIp.bindType" "Set spec.publicIp.bindType to AutoAssign, NotUse or BindExisting.";
    "DWS.5104" [400] Invalid in "spec.network.subnetId" "Name exactly one subnet for all nodes in spec.network.subnetId.";
    "DWS.5111" [400] Invalid in "spec.restoreFrom" "Restore from a snapshot that still exists.";
    "DWS.5133" [400] Invalid in "spec.publicIp.eipId" "Set spec.publicIp.eipId to the id of an elastic IP, not its address.";
    "DWS.5135" [400] Invalid in "spec.publicIp.eipId" "Create the elastic IP first, or name one of this project that is not bound.";
    "DWS.5144" [400] BadPassword in "spec.adminPasswordSecretRef" "Put a stronger password into the referenced Secret, one that was not used before and is no common word.";
    "DWS.5145" [400] BadPassword in "spec.adminPasswordSecretRef" "Put a password into the referenced Secret that is neither the administrator's name nor that name reversed.";
    "DWS.5149" [400] Invalid in "spec.restoreFrom" "Name a snapshot that exists: this id is none of the project's snapshots.";
    "DWS.5171" [400] Invalid in "spec.adminPasswordSecretRef" "Check administrator and password: the database accepts at least one of them not.";
    "DWS.5175" [400] Invalid in "spec.adminUser" "Set spec.adminUser, or leave it out and take dbadmin.";
    "DWS.5176" [400] BadPassword in "spec.adminPasswordSecretRef" "Put a password into the referenced Secret: the one sent is empty.";
    "DWS.5198" [400] Invalid in "spec.adminUser" "Correct spec.adminUser to 1 to 63 lower-case letters, digits and underscores.";
    "DWS.5199" [400] BadPassword in "spec.adminPasswordSecretRef" "Put a password into the referenced Secret that meets the service's rules, 12 to 32 characters in newer regions.";
    "DWS.5200" [400] SoldOut in "spec.nodeType" "Wait for stock, or choose another node type, availability zone or region.";
    "DWS.5202" [400] Invalid in "spec.network.subnetId" "Set spec.network.subnetId: the service got none.";
    "DWS.5203" [400] Invalid in "spec.network.securityGroupId" "Set spec.network.securityGroupId: the service got none.";
};
