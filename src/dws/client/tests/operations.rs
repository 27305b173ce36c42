//! All thirteen operations, and the two of IAM: method, path, headers, body.

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::dws::answer::Meaning;

const CREATED: &str = "7d85f602-a948-4a30-afd4-e84f47471c15";

fn answers(seen: &Seen, _: usize) -> Result<Response, TransportError> {
    let cluster = json!({"id": CLUSTER, "name": "dws-1", "status": "AVAILABLE"});
    let snapshot = json!({"id": SNAPSHOT, "name": "s", "status": "AVAILABLE"});
    let (method, path) = seen.line.split_once(' ').unwrap();
    let path = path
        .replace(PROJECT, "p")
        .replace(CLUSTER, "c")
        .replace(SNAPSHOT, "s");
    match (method, path.as_str()) {
        ("POST", "/v1.0/p/clusters" | "/v1.0/p/snapshots/s/actions") => {
            reply(200, json!({"cluster": {"id": CREATED}}))
        }
        ("POST", "/v1.0/p/snapshots") => reply(200, json!({"snapshot": {"id": CREATED}})),
        ("POST", "/v1.0/p/clusters/c/restart" | "/v1.0/p/clusters/c/resize") => {
            reply(200, json!({}))
        }
        ("POST", "/v1.0/p/clusters/c/reset-password") => reply(200, Value::Null),
        ("DELETE", "/v1.0/p/clusters/c" | "/v1.0/p/snapshots/s") => reply(202, Value::Null),
        ("GET", "/v1.0/p/clusters") => reply(200, json!({"clusters": [cluster], "count": "1"})),
        ("GET", "/v1.0/p/clusters/c") => reply(200, json!({"cluster": cluster})),
        ("GET", "/v1.0/p/snapshots") => reply(200, json!({"snapshots": [snapshot], "count": 1})),
        ("GET", "/v1.0/p/snapshots/s") => reply(200, json!({"snapshot": snapshot})),
        ("GET", "/v2/p/node-types") => reply(
            200,
            json!({"node_types": [{"spec_name": "dws.d1.xlarge", "id": "n"}]}),
        ),
        ("POST", "/v3/auth/tokens") => token("the-token"),
        ("GET", "/v3/projects?name=eu-west-0") => reply(
            200,
            json!({"projects": [{"name": "eu-west-0", "id": PROJECT}]}),
        ),
        other => panic!("{other:?}"),
    }
}

/// What a server computes from what it got.
fn verify(seen: &Seen) {
    let authorization = &seen.headers["authorization"];
    let rest =
        authorization.strip_prefix("SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=");
    let (signed, signature) = rest.unwrap().split_once(", Signature=").unwrap();
    let (method, target) = seen.line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut canonical = format!("{method}\n{path}/\n{query}\n");
    for name in signed.split(';') {
        let value = if name == "host" {
            &seen.host
        } else {
            &seen.headers[name]
        };
        canonical = format!("{canonical}{name}:{value}\n");
    }
    let body = hex::encode(Sha256::digest(&seen.raw));
    canonical = format!("{canonical}\n{signed}\n{body}");
    let to_sign = format!(
        "SDK-HMAC-SHA256\n{}\n{}",
        seen.headers["x-sdk-date"],
        hex::encode(Sha256::digest(canonical))
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET_KEY.as_bytes()).unwrap();
    mac.update(to_sign.as_bytes());
    assert_eq!(signature, hex::encode(mac.finalize().into_bytes()));

    let mut expected = vec![
        "content-type",
        "host",
        "x-project-id",
        "x-sdk-date",
        "x-security-token",
    ];
    expected.retain(|name| *name == "host" || seen.headers.contains_key(*name));
    assert_eq!(signed, expected.join(";"));
}

#[tokio::test]
async fn every_changing_operation() {
    let memory = Memory::new(answers);
    let client = client(access_key(), &memory);
    let expected = [
        (
            "POST /v1.0/{p}/clusters",
            json!({"cluster": {
                "node_type": "dws.d1.xlarge.ultrahigh",
                "number_of_node": 3,
                "subnet_id": "374eca02-cfc4-4de7-8ab5-dbebf7d9a720",
                "security_group_id": "dc3ec145-9029-4b39-b5a3-ace5a01f772b",
                "vpc_id": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574",
                "availability_zone": "eu-west-0a",
                "port": 8000,
                "name": "dws-1",
                "user_name": "dbadmin",
                "user_pwd": DATABASE_PASSWORD,
                "public_ip": {"public_bind_type": "auto_assign"},
                "number_of_cn": 3,
                "enterprise_project_id": "0"
            }}),
        ),
        (
            "POST /v1.0/{p}/snapshots/{s}/actions",
            json!({"restore": {"name": "dws-2"}}),
        ),
        (
            "DELETE /v1.0/{p}/clusters/{c}",
            json!({"keep_last_manual_snapshot": 5}),
        ),
        (
            "POST /v1.0/{p}/clusters/{c}/restart",
            json!({"restart": {}}),
        ),
        (
            "POST /v1.0/{p}/clusters/{c}/resize",
            json!({"scale_out": {"count": 3}}),
        ),
        (
            "POST /v1.0/{p}/clusters/{c}/reset-password",
            json!({"new_password": DATABASE_PASSWORD}),
        ),
        (
            "POST /v1.0/{p}/snapshots",
            json!({"snapshot": {
                "name": "snapshot-3",
                "cluster_id": CLUSTER,
                "description": "Snapshot-3 description"
            }}),
        ),
        ("DELETE /v1.0/{p}/snapshots/{s}", Value::Null),
    ];
    for (call, (line, body)) in calls().iter().zip(&expected) {
        let answer = client.execute(call, soon()).await;
        let Answer::Accepted { id, .. } = answer else {
            panic!("{line}: {answer:?}")
        };
        let made = Operation::of(call).0.makes().is_some();
        assert_eq!(id.as_deref(), made.then_some(CREATED), "{line}");
        let seen = memory.seen().pop().unwrap();
        let line = line
            .replace("{p}", PROJECT)
            .replace("{c}", CLUSTER)
            .replace("{s}", SNAPSHOT);
        assert_eq!(seen.line, line);
        assert_eq!(seen.body, *body, "{line}");
        assert!(seen.changing, "{line}");
        assert_eq!(seen.host, "dws.eu-west-0.myhuaweicloud.com");
        verify(&seen);
    }
    assert_eq!(memory.seen().len(), 8, "each once, and nothing else");
    crate::dws::figures::figure(
        "dws-client",
        &format!("{} changing calls by path, header and body", expected.len()),
    );
}

#[tokio::test]
async fn what_is_not_set_is_not_sent_and_what_is_set_is() {
    let memory = Memory::new(answers);
    let client = client(access_key(), &memory);
    let Call::CreateCluster(mut small) = create() else {
        unreachable!()
    };
    small.availability_zone = None;
    small.public_ip = None;
    small.number_of_cn = None;
    small.enterprise_project_id = None;
    client.execute(&Call::CreateCluster(small), soon()).await;
    let keys =
        |body: &Value| -> Vec<String> { body.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(
        keys(&memory.seen()[0].body["cluster"]),
        [
            "node_type",
            "number_of_node",
            "subnet_id",
            "security_group_id",
            "vpc_id",
            "port",
            "name",
            "user_name",
            "user_pwd"
        ]
    );

    let Call::RestoreSnapshot {
        snapshot_id,
        restore,
    } = restore()
    else {
        unreachable!()
    };
    let text = |text: &str| Some(text.to_owned());
    let restore = Restore {
        vpc_id: text("v"),
        subnet_id: text("s"),
        security_group_id: text("g"),
        availability_zone: text("z"),
        port: Some(8001),
        public_ip: Some(PublicIpRequest {
            public_bind_type: "bind_existing",
            eip_id: text("e"),
        }),
        ..restore
    };
    client
        .execute(
            &Call::RestoreSnapshot {
                snapshot_id,
                restore,
            },
            soon(),
        )
        .await;
    assert_eq!(
        memory.seen()[1].body,
        json!({"restore": {
            "name": "dws-2", "vpc_id": "v", "subnet_id": "s", "security_group_id": "g",
            "availability_zone": "z", "port": 8001,
            "public_ip": {"public_bind_type": "bind_existing", "eip_id": "e"}
        }})
    );

    let bare = Call::CreateSnapshot {
        name: "snap".into(),
        cluster_id: CLUSTER.into(),
        description: None,
    };
    client.execute(&bare, soon()).await;
    assert_eq!(
        memory.seen()[2].body,
        json!({"snapshot": {"name": "snap", "cluster_id": CLUSTER}})
    );
}

#[tokio::test]
async fn every_read() {
    let memory = Memory::new(answers);
    let client = client(temporary_key(), &memory);
    assert!(client.list_clusters().await.unwrap().complete);
    assert_eq!(client.cluster(CLUSTER).await.unwrap().id, CLUSTER);
    assert!(client.list_snapshots().await.unwrap().complete);
    assert_eq!(client.snapshot(SNAPSHOT).await.unwrap().id, SNAPSHOT);
    assert_eq!(
        client.node_types().await.unwrap()[0].spec_name,
        "dws.d1.xlarge"
    );
    let expected = [
        format!("GET /v1.0/{PROJECT}/clusters"),
        format!("GET /v1.0/{PROJECT}/clusters/{CLUSTER}"),
        format!("GET /v1.0/{PROJECT}/snapshots"),
        format!("GET /v1.0/{PROJECT}/snapshots/{SNAPSHOT}"),
        format!("GET /v2/{PROJECT}/node-types"),
    ];
    assert_eq!(memory.lines(), expected);
    for seen in memory.seen() {
        assert!(!seen.changing && seen.raw.is_empty());
        let large = seen.line.ends_with("/clusters") || seen.line.ends_with("/snapshots");
        assert_eq!(seen.max_answer, if large { 64 << 20 } else { 1 << 20 });
        assert_eq!(seen.headers["x-security-token"], SECURITY_TOKEN);
        verify(&seen);
    }
    let reads = expected.len();
    crate::dws::figures::figure("dws-client", &format!("{reads} reads by path and header"));
}

#[tokio::test]
async fn headers_of_a_signed_request() {
    let memory = Memory::new(answers);
    let settings = Settings {
        dws_endpoint: Some("http://127.0.0.1:18080".into()),
        allow_insecure: true,
        language: Some("zh_cn".into()),
        ..settings()
    };
    with(&settings, access_key(), &memory, &Still::new())
        .list_clusters()
        .await
        .unwrap();
    let seen = memory.seen().pop().unwrap();
    let names: Vec<_> = seen.headers.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "accept",
            "authorization",
            "content-type",
            "user-agent",
            "x-language",
            "x-project-id",
            "x-sdk-date"
        ]
    );
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.headers["x-language"], "zh_cn");
    assert_eq!(seen.headers["x-project-id"], PROJECT);
    assert_eq!(seen.headers["x-sdk-date"], "20191115T033655Z");
    assert_eq!(
        seen.host, "127.0.0.1:18080",
        "the port is signed with the host"
    );
    verify(&seen);
}

#[tokio::test]
async fn headers_of_a_request_with_a_token() {
    let memory = Memory::new(answers);
    client(password(), &memory).list_clusters().await.unwrap();
    let [login, list] = memory.seen().try_into().unwrap();
    assert_eq!(login.line, "POST /v3/auth/tokens");
    assert_eq!(login.host, "iam.eu-west-0.myhuaweicloud.com");
    let names: Vec<_> = login.headers.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["accept", "content-type", "user-agent", "x-language"]
    );
    assert_eq!(
        login.body["auth"]["scope"],
        json!({"project": {"id": PROJECT}})
    );
    assert_eq!(list.headers["x-auth-token"], "the-token");
    assert_eq!(list.headers["x-project-id"], PROJECT);
    assert!(!list.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_project_is_looked_up_by_its_name_once() {
    let memory = Memory::new(answers);
    let by_name = Settings {
        project_id: None,
        ..settings()
    };
    let client = with(&by_name, access_key(), &memory, &Still::new());
    let (a, b, c) = tokio::join!(
        client.project_id(),
        client.list_clusters(),
        client.list_snapshots()
    );
    assert_eq!(a.unwrap(), PROJECT);
    assert!(b.is_ok() && c.is_ok());
    let seen = memory.seen();
    assert_eq!(seen[0].line, "GET /v3/projects?name=eu-west-0");
    assert_eq!(seen[0].host, "iam.eu-west-0.myhuaweicloud.com");
    verify(&seen[0]);
    assert_eq!(seen.len(), 3, "{:?}", memory.lines());
}

#[tokio::test]
async fn with_a_token_the_project_is_in_it_or_looked_up() {
    let by_name = Settings {
        project_id: None,
        ..settings()
    };
    let memory = Memory::new(answers);
    let client = with(&by_name, password(), &memory, &Still::new());
    assert_eq!(client.project_id().await.unwrap(), PROJECT);
    assert_eq!(
        memory.lines(),
        ["POST /v3/auth/tokens", "GET /v3/projects?name=eu-west-0"]
    );
    assert_eq!(
        memory.seen()[0].body["auth"]["scope"],
        json!({"project": {"name": "eu-west-0"}})
    );

    let memory = Memory::new(|seen, before| {
        if seen.line != "POST /v3/auth/tokens" {
            return answers(seen, before);
        }
        let mut response = token("t")?;
        response.body = json!({"token": {"project": {"id": PROJECT}}})
            .to_string()
            .into();
        Ok(response)
    });
    let client = with(&by_name, password(), &memory, &Still::new());
    assert_eq!(client.project_id().await.unwrap(), PROJECT);
    assert_eq!(memory.lines(), ["POST /v3/auth/tokens"]);
}

#[tokio::test]
async fn a_project_that_is_not_there_is_named() {
    for projects in [json!([]), json!([{"name": "eu-west-0", "id": "../x"}])] {
        let memory = Memory::new(move |_, _| reply(200, json!({"projects": projects})));
        let by_name = Settings {
            project_id: None,
            ..settings()
        };
        let client = with(&by_name, access_key(), &memory, &Still::new());
        let failure = client.list_clusters().await.unwrap_err();
        assert_eq!(failure.meaning, Meaning::Forbidden);
        assert!(failure.message.contains("`eu-west-0`"), "{failure}");
        assert!(failure.advice.contains("HW_PROJECT_NAME"));
        assert_eq!(memory.seen().len(), 1);
    }
}
