//! What is being deleted: held by finalizers, written to meanwhile, gone with the last one.

use serde_json::{Value, json};

use crate::side::checks;

checks! {
    "nothing holds it" => |t| {
        t.plain().await?;
        t.delete().await?;
        t.get(&t.path(), &Value::Null).await?
    }
    "a finalizer holds it" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a"]}), Value::Null).await?;
        t.delete().await?;
        t.get(&t.path(), &read).await?
    }
    "twice deleted is deleted once" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a"]}), Value::Null).await?;
        t.delete().await?;
        let (_, once) = t.read(&t.path()).await?;
        t.delete().await?;
        let (_, twice) = t.read(&t.path()).await?;
        assert_eq!(once["metadata"]["deletionTimestamp"], twice["metadata"]["deletionTimestamp"]);
        t.get(&t.path(), &read).await?;
        t.get(&t.path(), &once).await?
    }
    "the last finalizer lets it go" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a"]}), Value::Null).await?;
        t.delete().await?;
        t.patch(&t.path(), json!([{"op": "remove", "path": "/metadata/finalizers/0"}]), &read).await?;
        t.get(&t.path(), &Value::Null).await?
    }
    "one of two finalizers still holds it" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a", "example.com/b"]}), Value::Null).await?;
        t.delete().await?;
        t.patch(&t.path(), json!([{"op": "remove", "path": "/metadata/finalizers/0"}]), &read).await?;
        t.get(&t.path(), &read).await?
    }
    "a status is written to what is being deleted" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a"]}), Value::Null).await?;
        t.delete().await?;
        let (_, mut wanted) = t.read(&t.path()).await?;
        wanted["status"] = json!({"status": "DELETING"});
        t.put(&t.status(), &wanted, &read).await?
    }
    "a status from before the deletion is too old" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a"]}), Value::Null).await?;
        t.delete().await?;
        let mut wanted = read.clone();
        wanted["status"] = json!({"status": "AVAILABLE"});
        t.put(&t.status(), &wanted, &read).await?
    }
    "the spec may change meanwhile" => |t| {
        let read = t.cluster(json!({"finalizers": ["example.com/a"]}), Value::Null).await?;
        t.delete().await?;
        t.merge(&t.path(), json!({"spec": {"deletionPolicy": "Retain"}}), &read).await?
    }
    "a deletion is not taken back" => |t| {
        t.cluster(json!({"finalizers": ["example.com/a"]}), Value::Null).await?;
        t.delete().await?;
        let (_, going) = t.read(&t.path()).await?;
        let mut wanted = going.clone();
        wanted["metadata"].as_object_mut().unwrap().remove("deletionTimestamp");
        wanted["metadata"]["labels"] = json!({"a": "1"});
        t.put(&t.path(), &wanted, &going).await?
    }
    "one of the same name is another" => |t| {
        let first = t.plain().await?;
        t.delete().await?;
        t.get(&t.path(), &Value::Null).await?;
        let second = t.plain().await?;
        assert_ne!(first["metadata"]["resourceVersion"], second["metadata"]["resourceVersion"]);
        t.get(&t.path(), &second).await?
    }
}
