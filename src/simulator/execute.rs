//! From an operation and its body to the world, and back to a reply.
//!
//! It knows the requests' fields (reference 5.1, 5.2). It must not know headers, credentials or faults.

use serde_json::{Map, Value, json};

use super::oddities::Oddities;
use super::operation::{Operation, Route};
use super::refusal::{Refusal, refuse};
use super::render;
use super::world::{Caller, Create, NetworkWish, NewSnapshot, PublicIpWish, Restore, World};

/// What an accepted operation answers.
pub(super) enum Reply {
    /// Status and JSON, already written.
    Json(u16, String),
    /// Status and nothing to say.
    Done(u16),
}

/// Does it. `body`: `None` where the request has none.
pub(super) fn execute(
    world: &mut World,
    caller: &Caller,
    route: &Route,
    enterprise_project: Option<&str>,
    body: Option<&Value>,
) -> Result<Reply, Refusal> {
    let target = route.target.as_deref().unwrap_or_default();
    match route.operation {
        Operation::CreateCluster => {
            let id = world.create(caller, &create(part(body, "cluster")?)?)?;
            Ok(cluster_id(&id, None, &world.oddities))
        }
        Operation::RestoreCluster => {
            let id = world.restore(caller, target, &restore(part(body, "restore")?)?)?;
            let job = world.oddities.extra_fields.then(|| world.uuid());
            Ok(cluster_id(&id, job.as_deref(), &world.oddities))
        }
        Operation::ListClusters => Ok(Reply::Json(
            200,
            list_clusters(world, &caller.project, enterprise_project),
        )),
        Operation::ShowCluster => {
            let (oddities, settings) = (world.oddities.clone(), world.settings.clone());
            let (at, cluster) = world.view_cluster(&caller.project, target)?;
            let state = cluster.state.at(at).unwrap_or(cluster.state());
            let detail = render::cluster(cluster, state, at, true, &oddities, &settings);
            Ok(Reply::Json(200, json!({"cluster": detail}).to_string()))
        }
        Operation::ListNodeTypes => Ok(Reply::Json(
            200,
            render::node_types(&world.settings.node_types).to_string(),
        )),
        Operation::DeleteCluster => {
            let body = body.ok_or_else(|| Refusal::of("DWS.0006"))?;
            world.delete(caller, target, integer(&body["keep_last_manual_snapshot"])?)?;
            Ok(done(202, &world.oddities))
        }
        Operation::RestartCluster => {
            // One client of the field sends no body at all.
            if body.is_some_and(|body| !body["restart"].is_object()) {
                return refuse("DWS.0001");
            }
            world.restart(caller, target)?;
            Ok(done(200, &world.oddities))
        }
        Operation::ResizeCluster => {
            let wish = part(body, "scale_out")?;
            world.resize(caller, target, integer_in(wish, "count")?)?;
            Ok(done(200, &world.oddities))
        }
        Operation::ResetPassword => {
            let body = body.ok_or_else(|| Refusal::of("DWS.0006"))?;
            world.reset_password(caller, target, text(&body["new_password"])?.as_deref())?;
            Ok(done(200, &world.oddities))
        }
        Operation::CreateSnapshot => {
            let wish = part(body, "snapshot")?;
            let wish = NewSnapshot {
                name: text_in(wish, "name")?,
                cluster_id: text_in(wish, "cluster_id")?,
                description: text_in(wish, "description")?,
            };
            let id = world.take_snapshot(caller, &wish)?;
            let mut answer = json!({"snapshot": {"id": id}});
            success_code(&mut answer, &world.oddities);
            Ok(Reply::Json(200, answer.to_string()))
        }
        Operation::ListSnapshots => {
            let oddities = world.oddities.clone();
            let seen = world.view_snapshots(&caller.project);
            let items = seen
                .into_iter()
                .map(|(snapshot, state)| render::snapshot(snapshot, state, &oddities).to_string())
                .collect();
            Ok(Reply::Json(
                200,
                render::list("snapshots", items, &oddities),
            ))
        }
        Operation::ShowSnapshot => {
            let oddities = world.oddities.clone();
            let (snapshot, state) = world.view_snapshot(&caller.project, target)?;
            let detail = render::snapshot(snapshot, state, &oddities);
            Ok(Reply::Json(200, json!({"snapshot": detail}).to_string()))
        }
        Operation::DeleteSnapshot => {
            world.delete_snapshot(caller, target)?;
            Ok(done(202, &world.oddities))
        }
        Operation::CreateToken | Operation::ListProjects => refuse("APIGW.0101"),
    }
}

/// What does not move is written once and kept: a list of ten thousand costs a copy.
fn list_clusters(world: &mut World, project: &str, enterprise_project: Option<&str>) -> String {
    let (at, serials) = world.view_clusters(project);
    let (oddities, settings) = (world.oddities.clone(), world.settings.clone());
    let generation = world.generation();
    let mut items = Vec::with_capacity(serials.len());
    for serial in serials {
        let Some(cluster) = world.by_serial(serial) else {
            continue;
        };
        let current = cluster.state.since() <= at;
        let Some(state) = cluster.state.at(at) else {
            continue;
        };
        if enterprise_project
            .is_some_and(|id| id != "all_granted_eps" && id != state.enterprise_project_id)
        {
            continue;
        }
        if let Some((of, kept)) = &cluster.rendered
            && current
            && *of == generation
        {
            items.push(kept.clone());
            continue;
        }
        let item = render::cluster(cluster, state, at, false, &oddities, &settings).to_string();
        if current && state.progress.is_none() {
            cluster.rendered = Some((generation, item.clone()));
        }
        items.push(item);
    }
    render::list("clusters", items, &oddities)
}

fn cluster_id(id: &str, job: Option<&str>, oddities: &Oddities) -> Reply {
    let mut answer = json!({"cluster": {"id": id}});
    if let Some(job) = job {
        answer["job_id"] = json!(job);
    }
    success_code(&mut answer, oddities);
    Reply::Json(200, answer.to_string())
}

fn done(status: u16, oddities: &Oddities) -> Reply {
    if oddities.success_code {
        Reply::Json(
            status,
            json!({"error_code": "DWS.0000", "error_msg": null}).to_string(),
        )
    } else if oddities.empty_body {
        Reply::Done(status)
    } else {
        Reply::Json(status, "{}".to_owned())
    }
}

fn success_code(answer: &mut Value, oddities: &Oddities) {
    if oddities.success_code {
        answer["error_code"] = json!("DWS.0000");
    }
}

/// The object that wraps a request's fields.
fn part<'a>(body: Option<&'a Value>, key: &str) -> Result<&'a Map<String, Value>, Refusal> {
    let body = body.ok_or_else(|| Refusal::of("DWS.0006"))?;
    body[key]
        .as_object()
        .ok_or_else(|| Refusal::of("DWS.5037").detail(key))
}

fn create(wish: &Map<String, Value>) -> Result<Create, Refusal> {
    Ok(Create {
        name: text_in(wish, "name")?,
        node_type: text_in(wish, "node_type")?,
        number_of_node: integer_in(wish, "number_of_node")?,
        number_of_cn: integer_in(wish, "number_of_cn")?,
        network: NetworkWish {
            vpc_id: text_in(wish, "vpc_id")?,
            subnet_id: text_in(wish, "subnet_id")?,
            security_group_id: text_in(wish, "security_group_id")?,
            availability_zone: text_in(wish, "availability_zone")?,
            port: integer_in(wish, "port")?,
        },
        user_name: text_in(wish, "user_name")?,
        user_pwd: text_in(wish, "user_pwd")?,
        public_ip: public_ip(wish)?,
        enterprise_project_id: text_in(wish, "enterprise_project_id")?,
    })
}

fn restore(wish: &Map<String, Value>) -> Result<Restore, Refusal> {
    Ok(Restore {
        name: text_in(wish, "name")?,
        network: NetworkWish {
            vpc_id: text_in(wish, "vpc_id")?,
            subnet_id: text_in(wish, "subnet_id")?,
            security_group_id: text_in(wish, "security_group_id")?,
            availability_zone: text_in(wish, "availability_zone")?,
            port: integer_in(wish, "port")?,
        },
        public_ip: public_ip(wish)?,
    })
}

fn public_ip(wish: &Map<String, Value>) -> Result<Option<PublicIpWish>, Refusal> {
    match wish.get("public_ip") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(ip)) => Ok(Some(PublicIpWish {
            public_bind_type: text_in(ip, "public_bind_type")?,
            eip_id: text_in(ip, "eip_id")?,
        })),
        Some(_) => Err(Refusal::of("DWS.5065").detail("public_ip")),
    }
}

fn text_in(wish: &Map<String, Value>, key: &str) -> Result<Option<String>, Refusal> {
    text(wish.get(key).unwrap_or(&Value::Null)).map_err(|refusal| refusal.detail(key))
}

fn integer_in(wish: &Map<String, Value>, key: &str) -> Result<Option<i64>, Refusal> {
    integer(wish.get(key).unwrap_or(&Value::Null)).map_err(|refusal| refusal.detail(key))
}

fn text(value: &Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => refuse("DWS.5065"),
    }
}

/// A number in quotes is no number.
fn integer(value: &Value) -> Result<Option<i64>, Refusal> {
    match value {
        Value::Null => Ok(None),
        value => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| Refusal::of("DWS.5065")),
    }
}

/// The fields of a request that the reference does not have: the service ignores them, a client's author may
/// want to know.
pub(super) fn ignored_fields(operation: Operation, body: &Value) -> Vec<String> {
    const IP: &[&str] = &["public_ip.public_bind_type", "public_ip.eip_id"];
    let (wrapper, known): (&str, &[&str]) = match operation {
        Operation::CreateCluster => (
            "cluster",
            &[
                "node_type",
                "number_of_node",
                "subnet_id",
                "security_group_id",
                "vpc_id",
                "availability_zone",
                "port",
                "name",
                "user_name",
                "user_pwd",
                "public_ip",
                "number_of_cn",
                "enterprise_project_id",
            ],
        ),
        Operation::RestoreCluster => (
            "restore",
            &[
                "name",
                "subnet_id",
                "security_group_id",
                "vpc_id",
                "availability_zone",
                "port",
                "public_ip",
            ],
        ),
        Operation::CreateSnapshot => ("snapshot", &["name", "cluster_id", "description"]),
        Operation::ResizeCluster => ("scale_out", &["count"]),
        Operation::RestartCluster => ("restart", &[]),
        Operation::DeleteCluster => ("", &["keep_last_manual_snapshot"]),
        Operation::ResetPassword => ("", &["new_password"]),
        _ => return Vec::new(),
    };
    let keys = |value: &Value, prefix: &str| -> Vec<String> {
        let keys = value.as_object().into_iter().flatten();
        keys.map(|(key, _)| format!("{prefix}{key}")).collect()
    };
    let mut ignored = Vec::new();
    let mut inner = body;
    if !wrapper.is_empty() {
        ignored.extend(keys(body, "").into_iter().filter(|key| key != wrapper));
        inner = &body[wrapper];
    }
    ignored.extend(
        keys(inner, "")
            .into_iter()
            .filter(|key| !known.contains(&key.as_str())),
    );
    let ip = keys(&inner["public_ip"], "public_ip.");
    ignored.extend(ip.into_iter().filter(|key| !IP.contains(&key.as_str())));
    ignored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_the_reference_does_not_have_are_named() {
        let body = json!({"cluster": {
            "name": "dws-1", "nodes": 3, "public_ip": {"public_bind_type": "not_use", "id": ""},
        }, "dry_run": true});
        assert_eq!(
            ignored_fields(Operation::CreateCluster, &body),
            ["dry_run", "nodes", "public_ip.id"]
        );
        let body = json!({"keep_last_manual_snapshot": 0});
        assert!(ignored_fields(Operation::DeleteCluster, &body).is_empty());
    }

    #[test]
    fn a_number_in_quotes_is_no_number() {
        assert_eq!(integer(&json!("3")).unwrap_err().code, "DWS.5065");
        assert_eq!(integer(&json!(3.5)).unwrap_err().code, "DWS.5065");
        assert_eq!(integer(&json!(null)).unwrap(), None);
    }
}
