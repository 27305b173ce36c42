//! Whole objects that replace others: compare-and-swap, and what each of the two endpoints leaves alone.

use serde_json::{Value, json};

use crate::side::{checks, journal};

checks! {
    "a status over the version that was read" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        wanted["status"] = json!({"operation": journal("o", 1)});
        t.put(&t.status(), &wanted, &read).await?;
        t.get(&t.path(), &read).await?
    }
    "a status over an older version" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        wanted["status"] = json!({"operation": journal("o", 1)});
        let stored = t.put(&t.status(), &wanted, &read).await?;
        wanted["status"] = json!({"operation": journal("p", 1)});
        t.put(&t.status(), &wanted, &read).await?;
        t.get(&t.path(), &stored).await?
    }
    "a status after an edit of a label" => |t| {
        let read = t.plain().await?;
        t.merge(&t.path(), json!({"metadata": {"labels": {"edited": "yes"}}}), &read).await?;
        let mut wanted = read.clone();
        wanted["status"] = json!({"status": "AVAILABLE"});
        t.put(&t.status(), &wanted, &read).await?
    }
    "the same status again is no write" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        t.put(&t.status(), &read, &read).await?
    }
    "a status leaves the spec alone" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        wanted["spec"]["nodeCount"] = json!(9);
        wanted["status"] = json!({"status": "AVAILABLE"});
        t.put(&t.status(), &wanted, &read).await?
    }
    "a status leaves labels and annotations alone" => |t| {
        let read = t.cluster(json!({"labels": {"a": "1"}}), Value::Null).await?;
        let mut wanted = read.clone();
        wanted["metadata"]["labels"] = json!({"a": "2"});
        wanted["metadata"]["annotations"] = json!({"b": "3"});
        wanted["status"] = json!({"status": "AVAILABLE"});
        t.put(&t.status(), &wanted, &read).await?
    }
    "a status leaves finalizers alone" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        wanted["metadata"]["finalizers"] = json!(["example.com/held"]);
        wanted["status"] = json!({"status": "AVAILABLE"});
        t.put(&t.status(), &wanted, &read).await?
    }
    "a status that only carries a spec is no write" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        let mut wanted = read.clone();
        wanted["spec"]["nodeCount"] = json!(9);
        t.put(&t.status(), &wanted, &read).await?
    }
    "a status is taken away" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        let mut wanted = read.clone();
        wanted.as_object_mut().unwrap().remove("status");
        t.put(&t.status(), &wanted, &read).await?;
        t.get(&t.path(), &read).await?
    }
    "a status does not raise the generation" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        for count in 1..4 {
            wanted["status"] = json!({"nodeCount": count});
            wanted = t.put(&t.status(), &wanted, &read).await?;
        }
    }
    "the status of nothing" => |t| {
        let mut wanted = t.plain().await?;
        t.delete().await?;
        wanted["status"] = json!({"status": "AVAILABLE"});
        t.put(&t.status(), &wanted, &Value::Null).await?
    }
    "an object leaves the status alone" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        let mut wanted = read.clone();
        wanted["status"] = json!({"status": "FROZEN"});
        wanted["metadata"]["labels"] = json!({"a": "1"});
        t.put(&t.path(), &wanted, &read).await?
    }
    "an object without a status keeps the one that is there" => |t| {
        let read = t.with_status(json!({"status": "AVAILABLE"})).await?;
        let mut wanted = read.clone();
        wanted.as_object_mut().unwrap().remove("status");
        wanted["spec"]["nodeCount"] = json!(4);
        t.put(&t.path(), &wanted, &read).await?
    }
    "another spec raises the generation" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        wanted["spec"]["nodeCount"] = json!(4);
        let stored = t.put(&t.path(), &wanted, &read).await?;
        wanted = stored.clone();
        wanted["spec"]["nodeCount"] = json!(5);
        t.put(&t.path(), &wanted, &stored).await?
    }
    "a label does not raise the generation" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        wanted["metadata"]["labels"] = json!({"a": "1"});
        t.put(&t.path(), &wanted, &read).await?
    }
    "an object over an older version" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        wanted["spec"]["nodeCount"] = json!(4);
        let stored = t.put(&t.path(), &wanted, &read).await?;
        wanted["spec"]["nodeCount"] = json!(5);
        t.put(&t.path(), &wanted, &read).await?;
        t.get(&t.path(), &stored).await?
    }
    "the same object again stores the status that was filled in, and is no write after that" => |t| {
        let read = t.plain().await?;
        let stored = t.put(&t.path(), &read, &read).await?;
        t.put(&t.path(), &stored, &stored).await?
    }
    "uid and deletion are not the writer's" => |t| {
        let read = t.plain().await?;
        let mut wanted = read.clone();
        wanted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        wanted["metadata"]["generation"] = json!(77);
        wanted["status"] = json!({"status": "AVAILABLE"});
        t.put(&t.status(), &wanted, &read).await?
    }
}
