//! What is read, and what is not there.

use serde_json::{Value, json};

use crate::side::{CLUSTERS, EVENTS, SECRETS, checks, journal};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

checks! {
    "a cluster that is not there" => |t| { t.get(&t.path(), &Value::Null).await? }
    "a snapshot that is not there" => |t| {
        t.get(&t.path().replace("dwsclusters", "dwssnapshots"), &Value::Null).await?
    }
    "a Secret that is not there" => |t| { t.get(&format!("{SECRETS}/nothing"), &Value::Null).await? }
    "an event that is not there" => |t| { t.get(&format!("{EVENTS}/nothing"), &Value::Null).await? }
    "a definition that is there" => |t| {
        let (code, found) = t.read(&format!("{CRDS}/dwsclusters.dws.huaweicloud.com")).await?;
        assert!(code == 200 && found["metadata"]["deletionTimestamp"].is_null());
        t.get(&format!("{CRDS}/other.dws.huaweicloud.com"), &Value::Null).await?
    }
    "a namespace that is not there" => |t| { t.get("/api/v1/namespaces/nowhere", &Value::Null).await? }
    "a namespace that is there is not going" => |t| {
        let (code, found) = t.read("/api/v1/namespaces/team").await?;
        assert!(code == 200 && found["metadata"]["deletionTimestamp"].is_null());
        t.get("/api/v1/namespaces/elsewhere", &Value::Null).await?
    }
    "a cluster is read as it was made" => |t| {
        let made = t.cluster(json!({"labels": {"a": "1"}, "annotations": {"b": "2"}}), Value::Null).await?;
        t.get(&t.path(), &made).await?
    }
    "a status is read with its object" => |t| {
        let made = t.with_status(json!({"operation": journal("o", 1)})).await?;
        t.get(&t.path(), &made).await?
    }
    "the sub-resource shows the whole object" => |t| {
        let made = t.with_status(json!({"status": "AVAILABLE"})).await?;
        t.get(&t.status(), &made).await?
    }
    "nothing is made by a read" => |t| {
        t.get(&format!("{CLUSTERS}/{}", t.name), &Value::Null).await?;
        t.get(&format!("{CLUSTERS}/{}", t.name), &Value::Null).await?
    }
}
