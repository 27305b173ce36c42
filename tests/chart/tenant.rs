//! A tenant against another team: with all that `edit` allows in their own namespace, and the operator as the
//! chart configures it, they reach neither the other team's cluster nor its credentials.
//!
//! Every attempt bears a forged status as well. What the operator really did is read from the simulator, from
//! the API server's audit log and from a listener to which the tenant's Secrets point.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kube::Client;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::apply::{api, prepare};
use crate::attempts::{OURS, THEIRS, Victim, attempts};
use crate::helm::{Helm, RELEASE, by_name};
use crate::protection::warehouse;
use crate::roles;
use crate::support::control_plane::ControlPlane;
use crate::support::figures::figure;
use crate::support::stack::{ACCESS_KEY, Options, SECRET_KEY, Stack};
use crate::support::{Result, eventually};

const OPERATOR: &str = "system:serviceaccount:dws-system:dws-operator";
const TENANT: &str = "orders-team";
/// The access key in the other team's Secret, to which no resource refers.
const THEIR_KEY: &str = "BILLINGACCESSKEY0001";
const PATIENCE: Duration = Duration::from_mins(2);

async fn create(client: &Client, object: &Value) -> Result<Value> {
    let made = api(client, object)
        .create(
            &PostParams::default(),
            &serde_json::from_value(object.clone())?,
        )
        .await
        .with_context(|| object.to_string())?;
    Ok(serde_json::to_value(made)?)
}

fn secret(namespace: &str, name: &str, texts: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": texts})
}

/// Waits for a condition with this reason; gives the object.
async fn until(
    client: &Client,
    object: &Value,
    (type_, reason): (&str, &str),
    stack: &Stack,
) -> Result<Value> {
    let name = object["metadata"]["name"].as_str().context("no name")?;
    let api = api(client, object);
    let last = std::sync::Mutex::new(Value::Null);
    let found = eventually(name, PATIENCE, || async {
        let now = serde_json::to_value(api.get(name).await?)?;
        *last.lock().unwrap() = now["status"].clone();
        let conditions = now["status"]["conditions"].as_array().into_iter().flatten();
        let is = conditions
            .into_iter()
            .any(|one| one["type"] == type_ && one["reason"] == reason);
        Ok(is.then_some(now))
    })
    .await;
    found.map_err(|error| {
        let status = last.lock().unwrap().clone();
        anyhow::anyhow!(
            "{error}: no {type_} {reason} in {status}\n{}",
            stack.operator_log()
        )
    })
}

/// What the other team has: a warehouse, its backup, and Secrets that no resource of theirs takes.
async fn other_team(admin: &Client, stack: &Stack) -> Result<Victim> {
    let account = json!({
        "domain": THEIRS, "projects": [{"id": "6f1c2a9b0d3e4f5a8b7c6d5e4f3a2b1c", "name": "cn-north-4"}],
        "keys": [{"access_key": THEIR_KEY, "secret_key": "BillingSecretKeyForTryingThings000000001"}],
    });
    stack.sim_post("accounts", &account).await?;
    let keys = json!({"HW_ACCESS_KEY": THEIR_KEY, "HW_SECRET_KEY": "BillingSecretKeyForTryingThings000000001"});
    create(admin, &secret(THEIRS, "account", &keys)).await?;
    let chosen = json!({"password": "Their-Passw0rd"});
    create(admin, &secret(THEIRS, "chosen", &chosen)).await?;
    let mut object = warehouse(THEIRS, "warehouse", &json!({}));
    object["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("finalizers");
    create(admin, &object).await?;
    let ready = ("Ready", "Available");
    let cluster = until(admin, &object, ready, stack).await?;
    let backup = json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsSnapshot",
        "metadata": {"name": "backup", "namespace": THEIRS}, "spec": {"clusterRef": {"name": "warehouse"}},
    });
    create(admin, &backup).await?;
    let snapshot = until(admin, &backup, ready, stack).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Victim {
        cluster: text(&cluster["status"]["clusterId"]),
        snapshot: text(&snapshot["status"]["snapshotId"]),
    })
}

/// The tenant's own Secrets. Those named `elsewhere` point to this listener.
async fn own_secrets(tenant: &Client, listener: &TcpListener) -> Result<()> {
    let host = listener.local_addr()?.to_string();
    let elsewhere = json!({
        "HW_CLOUD": host, "HW_AUTH_URL": format!("http://{host}/v3"), "DWS_ENDPOINT": format!("http://{host}"),
    });
    let keys = |more: &Value| {
        let mut keys =
            json!({"HW_ACCESS_KEY": "ORDERSACCESSKEY00001", "HW_SECRET_KEY": "not-one-of-theirs"});
        for (key, value) in more.as_object().unwrap() {
            keys[key] = value.clone();
        }
        keys
    };
    let region = json!({"HW_REGION_NAME": format!("{host}/")});
    let same = json!({"HW_ACCESS_KEY": ACCESS_KEY, "HW_SECRET_KEY": SECRET_KEY});
    for (name, texts) in [
        ("elsewhere", keys(&elsewhere)),
        ("elsewhere-alone", elsewhere),
        ("elsewhere-by-region", keys(&region)),
        ("same-account", same),
    ] {
        create(tenant, &secret(OURS, name, &texts)).await?;
    }
    Ok(())
}

/// What the chart's defaults tell the operator of adoption and of credentials in namespaces.
fn configured(objects: &BTreeMap<String, Value>) -> Vec<(String, String)> {
    let container =
        &objects["Deployment/dws-system/dws-operator"]["spec"]["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().into_iter().flatten();
    let wanted = ["ADOPTION_NAMESPACES", "ALLOW_NAMESPACE_CREDENTIALS"];
    let mut found: Vec<_> = variables
        .filter_map(|one| Some((one["name"].as_str()?, one["value"].as_str()?)))
        .filter(|(name, _)| wanted.iter().any(|end| name.ends_with(end)))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    found.push(("DWS_OPERATOR_LEADER_ELECTION".into(), "true".into()));
    found
}

/// The requests that the service received and that were signed with the other team's key, of all.
async fn requests(stack: &Stack) -> Result<(usize, usize)> {
    let requests = stack.sim_get("requests").await?;
    let all = requests["requests"].as_array().context("no requests")?;
    let theirs = all
        .iter()
        .filter(|one| one["credential"] == format!("key {THEIR_KEY}"));
    Ok((theirs.count(), all.len()))
}

/// Requests of the operator for the other team's Secret, and those that were refused.
fn audited(plane: &ControlPlane) -> (usize, usize) {
    let (mut read, mut refused) = (0, 0);
    for line in plane.audit_log().lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_default();
        if entry["user"]["username"] != OPERATOR {
            continue;
        }
        let what = &entry["objectRef"];
        let theirs = what["namespace"] == THEIRS && what["resource"] == "secrets";
        read += usize::from(theirs && (what["name"] == "account" || what["name"] == "chosen"));
        refused += usize::from(entry["responseStatus"]["code"] == 403);
    }
    (read, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_reaches_nothing_of_another_team() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let groups = [
        "system:serviceaccounts",
        "system:serviceaccounts:dws-system",
    ];
    let plane = ControlPlane::builder()
        .audit()
        .user(OPERATOR, &groups)
        .user(TENANT, &[])
        .start()
        .await?;
    let admin = prepare(&plane).await?;
    let objects = by_name(helm.render(RELEASE, &json!({}))?.unwrap())?;
    roles::install(&plane, &admin, objects.values()).await?;
    for role in roles::EDIT {
        roles::put(&admin, &roles::bound(OURS, TENANT, role)).await?;
    }
    let options = Options {
        simulator: vec!["--automated-snapshots".into(), "off".into()],
        env: configured(&objects),
        ..Options::default()
    };
    let stack = Stack::start(&roles::in_the_pod(&plane, OPERATOR)?, options).await?;
    let victim = other_team(&admin, &stack).await?;
    let before = stack.ledger().await?.len();

    let tenant = plane.client_as(TENANT).await?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    own_secrets(&tenant, &listener).await?;
    let attempts = attempts(&victim);
    let mut made = Vec::new();
    for one in &attempts {
        let object = create(&tenant, &one.manifest(&victim)).await?;
        let forged = &object["status"]["clusterId"];
        ensure!(forged.is_null(), "{}: a forged status was stored", one.name);
        made.push(object);
    }
    for (one, object) in attempts.iter().zip(&made) {
        let now = until(&tenant, object, one.condition, &stack).await?;
        for id in ["clusterId", "snapshotId"] {
            let claimed = &now["status"][id];
            let theirs = *claimed == victim.cluster || *claimed == victim.snapshot;
            ensure!(!theirs, "{} took hold of {claimed}", one.name);
        }
    }
    let events = plane
        .kubectl()
        .args(["get", "events", "-n", OURS, "-o", "json"])
        .output()?;
    let events: Value = serde_json::from_slice(&events.stdout)?;
    let mut items = events["items"].as_array().into_iter().flatten();
    ensure!(
        items.any(|one| one["reason"] == "CredentialsKeysIgnored"),
        "nobody told of the endpoints: {events}"
    );

    // All of it goes again, under `deletionPolicy: Delete`, and takes nothing along.
    for object in &made {
        let name = object["metadata"]["name"].as_str().unwrap();
        let api = api(&tenant, object);
        api.delete(name, &DeleteParams::default()).await?;
        eventually(&format!("{name} gone"), PATIENCE, || async {
            Ok(api.get_opt(name).await?.is_none().then_some(()))
        })
        .await
        .map_err(|error| anyhow::anyhow!("{error}\n{}", stack.operator_log()))?;
    }
    let effects = stack.ledger().await?.split_off(before);
    ensure!(effects.is_empty(), "executed: {effects:?}");
    ensure!(
        listener
            .accept()
            .is_err_and(|none| none.kind() == std::io::ErrorKind::WouldBlock),
        "the operator came to the tenant's host"
    );
    let (theirs, all) = requests(&stack).await?;
    ensure!(theirs == 0, "{theirs} requests with the other team's key");
    let (read, refused) = audited(&plane);
    ensure!(read == 0, "the other team's Secrets were read {read} times");
    ensure!(refused == 0, "{refused} requests of the operator refused");
    let object = warehouse(THEIRS, "warehouse", &json!({}));
    until(&admin, &object, ("Ready", "Available"), &stack).await?;

    // The other team itself can use them, and then both logs show it.
    let watched =
        json!({"managementPolicy": "ObserveOnly", "credentialsSecretRef": {"name": "account"}});
    let mut watched = warehouse(THEIRS, "with-their-own", &watched);
    watched["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("finalizers");
    create(&admin, &watched).await?;
    eventually("a request with their key", PATIENCE, || async {
        Ok((requests(&stack).await?.0 > 0 && audited(&plane).0 > 0).then_some(()))
    })
    .await?;
    figure(
        "chart",
        &format!(
            "a tenant with `edit`: {} attempts, each told by its condition; of {all} requests at the service none \
             with another team's key, none elsewhere, no effect, no claim",
            attempts.len()
        ),
    );
    Ok(())
}
