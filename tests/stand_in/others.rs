//! Secrets and events.

use serde_json::{Value, json};

use crate::side::{EVENTS, SECRETS, Talk, checks};

fn secret(t: &Talk) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "servicebinding.io/postgresql",
        "metadata": {
            "name": t.name, "namespace": "team", "labels": {"app.kubernetes.io/managed-by": "dws-operator"},
            "ownerReferences": [{
                "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsCluster", "name": "wh", "uid": "u",
                "controller": true, "blockOwnerDeletion": false,
            }],
        },
        "data": {"password": "b25l", "username": "ZGJhZG1pbg=="},
    })
}

fn event(t: &Talk) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": t.name, "namespace": "team"},
        "involvedObject": {
            "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsCluster", "name": "wh", "namespace": "team",
            "uid": "u",
        },
        "type": "Normal", "reason": "CreateAccepted", "message": "first", "count": 1,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
        "source": {"component": "dws-operator"}, "reportingComponent": "dws-operator", "reportingInstance": "",
    })
}

fn at(folder: &str, t: &Talk) -> String {
    format!("{folder}/{}", t.name)
}

checks! {
    "a Secret is made with owner, label and type" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        t.get(&at(SECRETS, &t), &made).await?
    }
    "a Secret of that name exists" => |t| {
        t.post(SECRETS, &secret(&t)).await?;
        t.post(SECRETS, &secret(&t)).await?
    }
    "a Secret is replaced" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        let mut wanted = made.clone();
        wanted["data"] = json!({"password": "dHdv"});
        t.put(&at(SECRETS, &t), &wanted, &made).await?;
        t.get(&at(SECRETS, &t), &made).await?
    }
    "a Secret over an older version" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        let mut wanted = made.clone();
        wanted["data"] = json!({"password": "dHdv"});
        let stored = t.put(&at(SECRETS, &t), &wanted, &made).await?;
        wanted["data"] = json!({"password": "dGhyZWU="});
        t.put(&at(SECRETS, &t), &wanted, &made).await?;
        t.get(&at(SECRETS, &t), &stored).await?
    }
    "the same Secret again is no write" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        t.put(&at(SECRETS, &t), &made, &made).await?
    }
    "a Secret is given another owner" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        let mut wanted = made.clone();
        wanted["metadata"]["ownerReferences"][0]["uid"] = json!("v");
        t.put(&at(SECRETS, &t), &wanted, &made).await?
    }
    "a Secret loses its owner" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        let mut wanted = made.clone();
        wanted["metadata"].as_object_mut().unwrap().remove("ownerReferences");
        t.put(&at(SECRETS, &t), &wanted, &made).await?
    }
    "a Secret is deleted as it was seen" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        let meta = &made["metadata"];
        let seen = json!({"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]});
        t.delete_if(&at(SECRETS, &t), &seen).await?;
        t.get(&at(SECRETS, &t), &made).await?
    }
    "a Secret that was changed since is not deleted" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        let mut wanted = made.clone();
        wanted["data"] = json!({"password": "dHdv"});
        t.put(&at(SECRETS, &t), &wanted, &made).await?;
        let seen = json!({"resourceVersion": made["metadata"]["resourceVersion"]});
        t.delete_if(&at(SECRETS, &t), &seen).await?;
        t.get(&at(SECRETS, &t), &made).await?
    }
    "another Secret of that name is not deleted" => |t| {
        let made = t.post(SECRETS, &secret(&t)).await?;
        t.delete_if(&at(SECRETS, &t), &json!({"uid": "somebody-else"})).await?;
        t.get(&at(SECRETS, &t), &made).await?
    }
    "a Secret that is not there is not deleted" => |t| {
        t.delete_if(&at(SECRETS, &t), &json!({"uid": "u"})).await?
    }
    "a Secret that is not there is not replaced" => |t| {
        let mut wanted = secret(&t);
        wanted["metadata"]["resourceVersion"] = json!("1");
        t.put(&at(SECRETS, &t), &wanted, &Value::Null).await?
    }
    "an event is made" => |t| { t.post(EVENTS, &event(&t)).await? }
    "an event of that name exists" => |t| {
        t.post(EVENTS, &event(&t)).await?;
        t.post(EVENTS, &event(&t)).await?
    }
    "an event is counted" => |t| {
        let made = t.post(EVENTS, &event(&t)).await?;
        let repetition = json!({"count": 2, "lastTimestamp": "2026-01-01T00:01:00Z", "message": "second"});
        t.merge(&at(EVENTS, &t), repetition, &made).await?;
        t.get(&at(EVENTS, &t), &made).await?
    }
    "an event that is not there is not counted" => |t| {
        t.merge(&at(EVENTS, &t), json!({"count": 2}), &Value::Null).await?
    }
}
