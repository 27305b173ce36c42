"""Drives a running dws-simulator with Huawei Cloud's own SDK.

All thirteen operations of the DWS API, once with an access key, once with a temporary key and once with a token,
on warehouses of their own; then refusals, as the SDK's error types show them. What was really executed is read
from the simulator's ledger and must be exactly what was asked for.

usage: witness.py http://127.0.0.1:PORT
"""

import json
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.signer.signer import Signer
from huaweicloudsdkdws.v2 import (
    CreateClusterInfo, CreateClusterRequest, CreateClusterRequestBody, CreateSnapshotRequest,
    CreateSnapshotRequestBody, DeleteClusterRequest, DeleteClusterRequestBody, DeleteSnapshotRequest, DwsClient,
    ListClusterDetailsRequest, ListClustersRequest, ListNodeTypesRequest, ListSnapshotDetailsRequest,
    ListSnapshotsRequest, PublicIp, ResetPasswordRequest, ResetPasswordRequestBody, ResizeClusterRequest,
    ResizeClusterRequestBody, RestartClusterRequest, RestartClusterRequestBody, Restore, RestoreClusterRequest,
    RestoreClusterRequestBody, ScaleOut, Snapshot,
)
from huaweicloudsdkiam.v3 import (
    AuthScope, AuthScopeProject, IamClient, KeystoneCreateUserTokenByPasswordRequest,
    KeystoneCreateUserTokenByPasswordRequestBody, KeystoneListProjectsRequest, PwdAuth, PwdIdentity, PwdPassword,
    PwdPasswordUser, PwdPasswordUserDomain,
)

# The simulator's defaults, as it prints them at its start.
REGION = "cn-north-4"
PROJECT = "05f2e1b8c3d94a7fb6085c2d1e9f7a34"
KEY = ("SIMULATORACCESSKEY01", "SimulatorSecretKeyForTryingThings0000001")
TEMPORARY = ("SIMULATORTEMPORARY01", "SimulatorTemporarySecretForTryingThings1", "simulator-security-token-01")
DOMAIN, USER, USER_PASSWORD = "simulator", "operator", "Simulator-Passw0rd"

PASSWORD, NEW_PASSWORD = "Dws2017demo!", "NewPassword!"
VPC = "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574"
SUBNET = "374eca02-cfc4-4de7-8ab5-dbebf7d9a720"
SECURITY_GROUP = "dc3ec145-9029-4b39-b5a3-ace5a01f772b"
UNKNOWN = "7d85f602-a948-4a30-afd4-e84f47471c15"


def token_credentials(token):
    """The SDK itself signs with keys only: here the token goes where the reference says (3.2)."""
    credentials = BasicCredentials("unused", "unused", PROJECT)

    def with_token(request):
        request.header_params["X-Auth-Token"] = token
        request.header_params["X-Project-Id"] = PROJECT
        Signer(credentials).process_request_uri(request)
        return request

    credentials.sign_request = with_token
    return credentials


class Simulator:
    """The inspection interface."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/__sim/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def effects(self):
        return self.call("GET", "ledger")["effects"]

    def logs_in(self, cluster, password):
        body = {"cluster_id": cluster, "user": "dbadmin", "password": password}
        return self.call("POST", "login-check", body)["logs_in"]


def config():
    settings = HttpConfig.get_default_config()
    settings.timeout = (10, 60)
    return settings


def dws(endpoint, credentials):
    return (DwsClient.new_builder().with_http_config(config()).with_credentials(credentials)
            .with_region(Region(REGION, endpoint)).build())


def iam(endpoint, credentials):
    return (IamClient.new_builder().with_http_config(config()).with_credentials(credentials)
            .with_endpoint(endpoint).build())


def token_of(endpoint):
    """A project-scoped token by password (reference 3.1)."""
    user = PwdPasswordUser(domain=PwdPasswordUserDomain(name=DOMAIN), name=USER, password=USER_PASSWORD)
    auth = PwdAuth(identity=PwdIdentity(methods=["password"], password=PwdPassword(user=user)),
                   scope=AuthScope(project=AuthScopeProject(name=REGION)))
    request = KeystoneCreateUserTokenByPasswordRequest(body=KeystoneCreateUserTokenByPasswordRequestBody(auth=auth))
    client = iam(endpoint, GlobalCredentials(*KEY).with_domain_id("unused"))
    answer = client.keystone_create_user_token_by_password(request)
    assert answer.token.project.id == PROJECT, answer
    assert answer.x_subject_token
    return answer.x_subject_token


def until(what, look, done):
    """Polls, as clients do."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        seen = look()
        if done(seen):
            return seen
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within a minute, last seen {seen}")


class Drive:
    """One way of authentication through all thirteen operations."""

    def __init__(self, simulator, name, client, credential):
        self.simulator, self.name, self.client, self.credential = simulator, name, client, credential
        self.done = []

    def did(self, operation):
        assert operation not in self.done, operation
        self.done.append(operation)

    def detail(self, cluster):
        return self.client.list_cluster_details(ListClusterDetailsRequest(cluster_id=cluster)).cluster

    def at_rest(self, cluster):
        return until(f"{self.name}: cluster at rest", lambda: self.detail(cluster), lambda seen: (
            seen.status == "AVAILABLE" and not seen.task_status and seen.sub_status == "NORMAL"))

    def run(self):
        client, name = self.client, self.name
        types = client.list_node_types(ListNodeTypesRequest()).node_types
        assert "dws.d1.xlarge" in [known.spec_name for known in types], types
        assert all(known.id and known.detail for known in types)
        self.did("list_node_types")

        cluster = client.create_cluster(CreateClusterRequest(body=CreateClusterRequestBody(cluster=CreateClusterInfo(
            node_type="dws.d1.xlarge", number_of_node=3, subnet_id=SUBNET, security_group_id=SECURITY_GROUP,
            vpc_id=VPC, availability_zone=f"{REGION}a", port=8000, name=f"dws-{name}", user_name="dbadmin",
            user_pwd=PASSWORD, number_of_cn=2,
            public_ip=PublicIp(public_bind_type="auto_assign", eip_id=""))))).cluster.id
        self.did("create_cluster")

        listed = client.list_clusters(ListClustersRequest())
        assert listed.count == len(listed.clusters)
        mine = [known for known in listed.clusters if known.id == cluster][0]
        assert (mine.name, mine.number_of_node, mine.port) == (f"dws-{name}", 3, 8000), mine
        assert mine.status == "CREATING" and mine.action_progress["CREATING"].endswith("%"), mine
        self.did("list_clusters")

        up = self.at_rest(cluster)
        assert up.endpoints[0].connect_info.endswith(":8000"), up
        assert up.endpoints[0].jdbc_url.startswith("jdbc:postgresql://"), up
        assert up.public_endpoints[0].public_connect_info.endswith(":8000"), up
        assert up.public_ip.public_bind_type == "auto_assign" and up.public_ip.eip_id, up
        assert up.parameter_group.status == "In-Sync" and up.private_ip, up
        assert self.simulator.logs_in(cluster, PASSWORD)
        self.did("show_cluster")

        client.resize_cluster(ResizeClusterRequest(cluster_id=cluster, body=ResizeClusterRequestBody(
            scale_out=ScaleOut(count=2))))
        growing = until("growing", lambda: self.detail(cluster), lambda seen: seen.task_status == "GROWING")
        assert int(growing.resize_info.target_node_num) == 5, growing
        assert int(growing.resize_info.origin_node_num) == 3, growing
        assert self.at_rest_with(cluster, 5).resize_info is None
        self.did("resize_cluster")

        client.restart_cluster(RestartClusterRequest(cluster_id=cluster, body=RestartClusterRequestBody(restart={})))
        assert self.detail(cluster).task_status == "REBOOTING"
        self.at_rest(cluster)
        self.did("restart_cluster")

        client.reset_password(ResetPasswordRequest(cluster_id=cluster, body=ResetPasswordRequestBody(
            new_password=NEW_PASSWORD)))
        assert self.simulator.logs_in(cluster, NEW_PASSWORD) and not self.simulator.logs_in(cluster, PASSWORD)
        self.did("reset_password")

        snapshot = client.create_snapshot(CreateSnapshotRequest(body=CreateSnapshotRequestBody(snapshot=Snapshot(
            name=f"snap-{name}", cluster_id=cluster, description="by the SDK")))).snapshot.id
        self.did("create_snapshot")

        look = lambda: client.list_snapshot_details(ListSnapshotDetailsRequest(snapshot_id=snapshot)).snapshot
        assert look().status == "CREATING" and not look().finished
        taken = until("snapshot", look, lambda seen: seen.status == "AVAILABLE")
        assert taken.cluster_id == cluster and taken.type == "MANUAL" and taken.size > 0 and taken.finished, taken
        assert taken.description == "by the SDK"
        self.did("show_snapshot")

        listed = client.list_snapshots(ListSnapshotsRequest())
        assert listed.count == len(listed.snapshots) and snapshot in [known.id for known in listed.snapshots]
        self.did("list_snapshots")

        self.at_rest(cluster)
        restored = client.restore_cluster(RestoreClusterRequest(snapshot_id=snapshot, body=RestoreClusterRequestBody(
            restore=Restore(name=f"dws-{name}-2", port=8100)))).cluster.id
        assert self.detail(restored).task_status == "RESTORING"
        again = self.at_rest(restored)
        assert (again.number_of_node, again.port, again.node_type) == (5, 8100, "dws.d1.xlarge"), again
        assert self.simulator.logs_in(restored, NEW_PASSWORD)
        self.did("restore_cluster")

        for gone in (cluster, restored):
            client.delete_cluster(DeleteClusterRequest(cluster_id=gone, body=DeleteClusterRequestBody(
                keep_last_manual_snapshot=1)))
            assert self.detail(gone).status == "DELETING"
            until("deleted", lambda: client.list_clusters(ListClustersRequest()).clusters,
                  lambda seen: gone not in [known.id for known in seen])
        self.did("delete_cluster")

        assert look().status == "AVAILABLE", "kept"
        client.delete_snapshot(DeleteSnapshotRequest(snapshot_id=snapshot))
        refused(lambda: look(), 400, "DWS.5149")
        self.did("delete_snapshot")

        executed = [effect["effect"] for effect in self.simulator.effects()
                    if effect["by"]["request"]["credential"] == self.credential]
        assert executed == ["create", "resize", "restart", "reset_password", "snapshot", "restore",
                            "delete_cluster", "delete_cluster", "delete_snapshot"], executed
        return len(self.done)

    def at_rest_with(self, cluster, nodes):
        return until("grown", lambda: self.detail(cluster), lambda seen: (
            seen.number_of_node == nodes and not seen.task_status and seen.sub_status == "NORMAL"))


def refused(call, status, code):
    """The SDK must see this refusal."""
    try:
        call()
    except ServiceResponseException as error:
        assert (error.status_code, error.error_code) == (status, code), error
        return 1
    raise AssertionError(f"{code} was expected")


def refusals(simulator, endpoint, client):
    """What the SDK makes of refusals, in the body styles that it knows."""
    count = 0
    missing = lambda: client.list_cluster_details(ListClusterDetailsRequest(cluster_id=UNKNOWN))
    for style in ("modern", "both", "gateway"):
        simulator.call("POST", "oddities", {"errors": style})
        count += refused(missing, 403, "DWS.0015")
    simulator.call("POST", "oddities", {"errors": "modern", "not_found": "unauthorized"})
    count += refused(missing, 401, "DWS.0047")
    simulator.call("DELETE", "oddities")
    count += refused(lambda: client.list_cluster_details(ListClusterDetailsRequest(cluster_id="x")), 400, "DWS.0001")
    wrong = dws(endpoint, BasicCredentials(KEY[0], "wrong", PROJECT))
    count += refused(lambda: wrong.list_clusters(ListClustersRequest()), 401, "APIGW.0301")
    other = dws(endpoint, BasicCredentials(*KEY, "0" * 32))
    count += refused(lambda: other.list_clusters(ListClustersRequest()), 403, "APIGW.0802")
    bare = dws(endpoint, BasicCredentials(TEMPORARY[0], TEMPORARY[1], PROJECT))
    count += refused(lambda: bare.list_clusters(ListClustersRequest()), 401, "APIGW.0301")
    simulator.call("POST", "faults", {"kind": "throttled"})
    # A GET the SDK would repeat by itself.
    count += refused(lambda: client.restart_cluster(RestartClusterRequest(
        cluster_id=UNKNOWN, body=RestartClusterRequestBody(restart={}))), 429, "APIGW.0308")
    return count


def oddities(simulator, client):
    """Answers of other regions and generations that the SDK reads as well."""
    variants = [{"count": "text"}, {"timestamps": "no_zone"}, {"empty": "absent"}, {"extra_fields": True},
                {"unknown_fields": True}, {"newer_words": True}, {"bare_host": True}, {"resize_numbers": True},
                {"no_failure": "object"}, {"idle_progress_object": True}]
    simulator.call("POST", "outside", {"change": "create", "name": "odd-1", "node_type": "dws.d1.xlarge", "nodes": 3,
                                       "password": PASSWORD})
    simulator.call("POST", "outside", {"change": "finish_task", "cluster": "odd-1"})
    for variant in variants:
        simulator.call("POST", "oddities", variant)
        listed = client.list_clusters(ListClustersRequest())
        assert int(listed.count) == len(listed.clusters) == 1, (variant, listed)
        detail = client.list_cluster_details(ListClusterDetailsRequest(cluster_id=listed.clusters[0].id)).cluster
        assert detail.name == "odd-1", (variant, detail)
        simulator.call("DELETE", "oddities")
    return len(variants)


def main():
    endpoint = sys.argv[1]
    simulator = Simulator(endpoint)
    key = BasicCredentials(*KEY)
    # Without a project id the SDK asks IAM for it, signed with the key.
    key.with_iam_endpoint(endpoint)
    temporary = BasicCredentials(TEMPORARY[0], TEMPORARY[1], PROJECT).with_security_token(TEMPORARY[2])
    projects = iam(endpoint, GlobalCredentials(*KEY).with_domain_id("unused")).keystone_list_projects(
        KeystoneListProjectsRequest(name=REGION)).projects
    assert [project.id for project in projects] == [PROJECT], projects
    drives = [Drive(simulator, name, dws(endpoint, credentials), shown) for name, credentials, shown in (
        ("key", key, f"key {KEY[0]}"),
        ("temporary", temporary, f"key {TEMPORARY[0]}"),
        ("token", token_credentials(token_of(endpoint)), f"token {USER}"))]
    # Side by side: three clients, one service.
    with ThreadPoolExecutor(len(drives)) as pool:
        counts = dict(zip((drive.name for drive in drives), pool.map(Drive.run, drives)))
    for name, count in counts.items():
        print(f"{count} operations with {name}")
    assert set(counts.values()) == {13}, counts
    client = dws(endpoint, BasicCredentials(*KEY, PROJECT))
    seen = refusals(simulator, endpoint, client)
    read = oddities(simulator, client)
    ignored = [received["ignored"] for received in simulator.call("GET", "requests")["requests"] if received["ignored"]]
    assert not ignored, ignored
    print(f"13 operations x {len(counts)} authentications, {seen} refusals, {read} oddities read")


if __name__ == "__main__":
    main()
