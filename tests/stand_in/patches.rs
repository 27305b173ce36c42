//! JSON Patches: their tests, that they happen whole or not at all, and what each endpoint leaves alone.

use serde_json::{Value, json};

use crate::side::{checks, journal};

checks! {
    "an answer is stored where the journal stands as tested" => |t| {
        let read = t.with_status(json!({"operation": journal("o", 2)})).await?;
        t.patch(&t.status(), json!([
            {"op": "test", "path": "/metadata/uid", "value": read["metadata"]["uid"]},
            {"op": "test", "path": "/status/operation/id", "value": "o"},
            {"op": "test", "path": "/status/operation/attempt", "value": 2},
            {"op": "add", "path": "/status/clusterId", "value": "22222222-2222-4222-8222-222222222222"},
        ]), &read).await?;
        t.get(&t.path(), &read).await?
    }
    "a merge patch with the present version" => |t| {
        let read = t.plain().await?;
        let version = &read["metadata"]["resourceVersion"];
        let mark = json!({"metadata": {"resourceVersion": version, "annotations": {"a": "1"}}});
        t.merge(&t.path(), mark, &read).await?
    }
    "a merge patch with an older version is a conflict" => |t| {
        let read = t.plain().await?;
        let version = &read["metadata"]["resourceVersion"];
        t.merge(&t.path(), json!({"metadata": {"labels": {"a": "1"}}}), &read).await?;
        let mark = json!({"metadata": {"resourceVersion": version, "annotations": {"a": "1"}}});
        t.merge(&t.path(), mark, &read).await?
    }
    "another id fails the test" => |t| {
        let read = t.with_status(json!({"operation": journal("o", 1)})).await?;
        t.patch(&t.status(), json!([
            {"op": "test", "path": "/status/operation/id", "value": "p"},
            {"op": "add", "path": "/status/status", "value": "AVAILABLE"},
        ]), &read).await?;
        t.get(&t.path(), &read).await?
    }
    "another attempt fails the test" => |t| {
        let read = t.with_status(json!({"operation": journal("o", 1)})).await?;
        t.patch(&t.status(), json!([
            {"op": "test", "path": "/status/operation/attempt", "value": 2},
            {"op": "add", "path": "/status/status", "value": "AVAILABLE"},
        ]), &read).await?
    }
    "another uid fails the test" => |t| {
        let read = t.plain().await?;
        t.patch(&t.path(), json!([
            {"op": "test", "path": "/metadata/uid", "value": "somebody"},
            {"op": "add", "path": "/metadata/labels", "value": {"a": "1"}},
        ]), &read).await?
    }
    "an older version fails the test" => |t| {
        let read = t.plain().await?;
        t.merge(&t.path(), json!({"metadata": {"labels": {"a": "1"}}}), &read).await?;
        t.patch(&t.path(), json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": read["metadata"]["resourceVersion"]},
            {"op": "add", "path": "/metadata/finalizers", "value": ["example.com/held"]},
        ]), &read).await?
    }
    "a test of what is not there fails" => |t| {
        let read = t.plain().await?;
        t.patch(&t.status(), json!([
            {"op": "test", "path": "/status/operation/id", "value": "o"},
            {"op": "add", "path": "/status", "value": {"status": "AVAILABLE"}},
        ]), &read).await?
    }
    "a field of a status that is not there" => |t| {
        let read = t.plain().await?;
        t.patch(&t.status(), json!([{"op": "add", "path": "/status/status", "value": "AVAILABLE"}]), &read).await?
    }
    "a whole status where none was" => |t| {
        let read = t.plain().await?;
        t.patch(&t.status(), json!([{"op": "add", "path": "/status", "value": {"status": "AVAILABLE"}}]), &read).await?
    }
    "a removal of what is not there" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        t.patch(&t.status(), json!([{"op": "remove", "path": "/status/subStatus"}]), &read).await?
    }
    "a removal" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE", "subStatus": "NORMAL"})).await?;
        t.patch(&t.status(), json!([{"op": "remove", "path": "/status/subStatus"}]), &read).await?
    }
    "all or nothing" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        t.patch(&t.status(), json!([
            {"op": "add", "path": "/status/subStatus", "value": "NORMAL"},
            {"op": "test", "path": "/status/status", "value": "FROZEN"},
        ]), &read).await?;
        t.get(&t.path(), &read).await?
    }
    "nothing new is no write" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        t.patch(&t.status(), json!([{"op": "add", "path": "/status/status", "value": "AVAILABLE"}]), &read).await?
    }
    "the status endpoint leaves the spec alone" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        t.patch(&t.status(), json!([
            {"op": "replace", "path": "/spec/nodeCount", "value": 9},
            {"op": "add", "path": "/status/subStatus", "value": "NORMAL"},
        ]), &read).await?
    }
    "the status endpoint leaves metadata alone" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        t.patch(&t.status(), json!([
            {"op": "add", "path": "/metadata/labels", "value": {"a": "1"}},
            {"op": "add", "path": "/status/subStatus", "value": "NORMAL"},
        ]), &read).await?
    }
    "the object's endpoint leaves the status alone" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        t.patch(&t.path(), json!([
            {"op": "replace", "path": "/status/status", "value": "FROZEN"},
            {"op": "add", "path": "/metadata/labels", "value": {"a": "1"}},
        ]), &read).await?
    }
    "another spec raises the generation" => |t| {
        let read = t.plain().await?;
        t.patch(&t.path(), json!([{"op": "replace", "path": "/spec/nodeCount", "value": 4}]), &read).await?
    }
    "a first finalizer" => |t| {
        let read = t.plain().await?;
        t.patch(&t.path(), json!([
            {"op": "test", "path": "/metadata/uid", "value": read["metadata"]["uid"]},
            {"op": "test", "path": "/metadata/resourceVersion", "value": read["metadata"]["resourceVersion"]},
            {"op": "add", "path": "/metadata/finalizers", "value": ["example.com/held"]},
        ]), &read).await?
    }
    "a finalizer after another" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a"]}), Value::Null).await?;
        t.patch(&t.path(), json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/b"}]), &read).await?
    }
    "a finalizer at the end of no list" => |t| {
        let read = t.plain().await?;
        t.patch(&t.path(), json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/b"}]), &read).await?
    }
    "a finalizer at another place fails the test" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a", "example.com/b"]}), Value::Null).await?;
        t.patch(&t.path(), json!([
            {"op": "test", "path": "/metadata/finalizers/0", "value": "example.com/b"},
            {"op": "remove", "path": "/metadata/finalizers/0"},
        ]), &read).await?
    }
    "a patch of nothing" => |t| {
        t.patch(&t.status(), json!([{"op": "add", "path": "/status", "value": {}}]), &Value::Null).await?
    }
    "a patch of what went meanwhile" => |t| {
        let read = t.plain().await?;
        t.delete().await?;
        t.patch(&t.path(), json!([{"op": "test", "path": "/metadata/uid", "value": read["metadata"]["uid"]}]), &read).await?
    }
}
