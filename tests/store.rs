//! The store against a real API server: what the in-process stand-in claims is what the server does.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use dws_operator::api::names::FINALIZER;
use dws_operator::api::{DwsCluster, DwsClusterSpec, DwsClusterStatus};
use dws_operator::controller::secrets::{self, Owner, Seen};
use dws_operator::controller::store::{self, AnswerStored};
use dws_operator::controller::{Context, Settings, StoreError, crd, events};
use dws_operator::core::facts::{ConnectionSecret, Tie};
use dws_operator::core::step::EventNote;
use dws_operator::dws::answer::Answer;
use dws_operator::dws::clock::SystemClock;
use dws_operator::dws::transport::{Request, Response, Transport, TransportError};
use dws_operator::entropy::Entropy;
use dws_operator::observer::{Accounts, ObserverSettings};
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Event, Namespace, Secret};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use support::Result;
use support::control_plane::{ControlPlane, shared};
use support::figures::figure;

const CRDS: [&str; 2] = [
    include_str!("../crds/dws.huaweicloud.com_dwsclusters.yaml"),
    include_str!("../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
];

/// The service is not called here.
struct Silent;

impl Transport for Silent {
    fn send(&self, _: Request) -> BoxFuture<'_, std::result::Result<Response, TransportError>> {
        Box::pin(futures::future::pending())
    }
}

fn context(client: Client) -> Context {
    let (clock, entropy) = (Arc::new(SystemClock), Entropy::seeded(1));
    let settings = ObserverSettings::default();
    let accounts = Accounts::new(
        settings,
        None,
        Arc::new(Silent),
        clock.clone(),
        entropy.clone(),
    );
    Context {
        client,
        accounts,
        clock,
        entropy,
        settings: Arc::new(Settings::default()),
        index: Arc::default(),
        memory: Arc::default(),
        observe: Arc::new(()),
        wake: Arc::new(|_| {}),
        flights: None,
    }
}

async fn cluster(client: &Client, namespace: &str, name: &str) -> Result<DwsCluster> {
    let id = "11111111-1111-4111-8111-111111111111";
    let spec: DwsClusterSpec = serde_json::from_value(json!({
        "nodeType": "dws.d2.xlarge", "nodeCount": 3,
        "network": {"vpcId": id, "subnetId": id, "securityGroupId": id},
    }))?;
    let object = DwsCluster::new(name, spec);
    let api = Api::namespaced(client.clone(), namespace);
    Ok(api.create(&PostParams::default(), &object).await?)
}

fn intent(id: &str, attempt: i32) -> Result<DwsClusterStatus> {
    Ok(serde_json::from_value(json!({"operation": {
        "id": id, "kind": "Create", "attempt": attempt, "phase": "Intended",
        "target": {"name": "warehouse"}, "baseline": {}, "intendedAt": "2026-01-01T00:00:00Z",
    }}))?)
}

async fn label(client: &Client, object: &DwsCluster, value: &str) -> Result<()> {
    let namespace = object.namespace().unwrap_or_default();
    let api = Api::<DwsCluster>::namespaced(client.clone(), &namespace);
    let patch = Patch::Merge(json!({"metadata": {"labels": {"edited": value}}}));
    api.patch(&object.name_any(), &PatchParams::default(), &patch)
        .await?;
    Ok(())
}

async fn plane() -> Result<(&'static ControlPlane, Client)> {
    let plane = shared().await?;
    for yaml in CRDS {
        plane.apply_crds(yaml).await?;
    }
    Ok((plane, plane.client().await?))
}

#[tokio::test]
async fn writes_hold_against_concurrent_edits() -> Result<()> {
    let (plane, client) = plane().await?;
    let namespace = plane.namespace("store").await?;

    let read = cluster(&client, &namespace, "warehouse").await?;
    label(&client, &read, "1").await?;
    let stale = store::add_finalizer(&client, &read).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    let stale = store::replace_status(&client, &read, intent("o", 1)?).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");

    let read: Option<DwsCluster> = store::get(&client, &namespace, "warehouse").await?;
    let held = store::add_finalizer(&client, &read.unwrap()).await?;
    assert_eq!(held.finalizers(), [FINALIZER]);
    let stored = store::replace_status(&client, &held, intent("o", 1)?).await?;
    // Another leader with the same view.
    let second = store::replace_status(&client, &held, intent("p", 1)?).await;
    assert!(matches!(second, Err(StoreError::Conflict)), "{second:?}");

    label(&client, &stored, "2").await?;
    let operation = stored.status.clone().unwrap().operation.unwrap();
    let id = "22222222-2222-4222-8222-222222222222";
    let answer = Answer::Accepted {
        id: Some(id.to_owned()),
    };
    let landed = Box::pin(store::store_answer(
        &client,
        &SystemClock,
        stored.clone(),
        &operation,
        &answer,
    ))
    .await?;
    let AnswerStored::Stored(landed, _) = landed else {
        panic!("superseded: {landed:?}");
    };
    assert_eq!(
        landed.status.as_ref().unwrap().cluster_id.as_deref(),
        Some(id)
    );
    assert_eq!(landed.labels()["edited"], "2");

    // An answer to an attempt that is over finds no place.
    let mut former = operation.clone();
    former.attempt = 9;
    let late = Box::pin(store::store_answer(
        &client,
        &SystemClock,
        stored,
        &former,
        &answer,
    ))
    .await?;
    assert!(matches!(late, AnswerStored::Superseded(_)));

    let api = Api::<DwsCluster>::namespaced(client.clone(), &namespace);
    let other = json!({"metadata": {"finalizers": ["example.com/other", FINALIZER]}});
    api.patch("warehouse", &PatchParams::default(), &Patch::Merge(other))
        .await?;
    // `landed` knows one finalizer at another place.
    store::remove_finalizer(&client, landed.as_ref()).await?;
    assert_eq!(
        api.get("warehouse").await?.finalizers(),
        ["example.com/other"]
    );
    figure(
        "store",
        "compare-and-swap, tested patches and finalizers hold on a real API server",
    );
    Ok(())
}

#[tokio::test]
async fn the_connection_secret_is_written_released_and_never_taken() -> Result<()> {
    let (plane, client) = plane().await?;
    let namespace = plane.namespace("secrets").await?;
    let owner = Owner::of(&cluster(&client, &namespace, "warehouse").await?);
    let data = |value: &str| BTreeMap::from([("password".to_owned(), SecretString::from(value))]);

    let first = secrets::put(
        &client,
        &owner,
        "c",
        &data("one"),
        Tie::Owned,
        &Seen::Unread,
        async || Ok(true),
    )
    .await?;
    // The same content is no write.
    assert_eq!(
        secrets::put(
            &client,
            &owner,
            "c",
            &data("one"),
            Tie::Owned,
            &Seen::Unread,
            async || Ok(true)
        )
        .await?,
        first
    );
    assert_ne!(
        secrets::put(
            &client,
            &owner,
            "c",
            &data("two"),
            Tie::Owned,
            &Seen::Unread,
            async || Ok(true)
        )
        .await?,
        first
    );
    let found = secrets::get(&client, &namespace, "c").await?;
    assert_eq!(
        found.as_ref().and_then(|s| s.type_.clone()).as_deref(),
        Some("servicebinding.io/postgresql")
    );
    let ConnectionSecret::Ours { data: read, tie } = secrets::connection(found, &owner) else {
        panic!("not ours");
    };
    assert_eq!(
        (read["password"].expose_secret(), tie),
        ("two", Some(Tie::Owned))
    );

    // To outlive its resource it has no owner, so that a foreground deletion passes it by.
    secrets::put(
        &client,
        &owner,
        "c",
        &data("two"),
        Tie::Kept,
        &Seen::Unread,
        async || Ok(true),
    )
    .await?;
    let kept = secrets::get(&client, &namespace, "c").await?.unwrap();
    assert!(kept.owner_references().is_empty());
    let ConnectionSecret::Ours { tie, .. } = secrets::connection(Some(kept), &owner) else {
        panic!("not ours any more");
    };
    assert_eq!(tie, Some(Tie::Kept));

    secrets::release(&client, &owner, "c").await?;
    let kept = secrets::get(&client, &namespace, "c").await?;
    assert!(matches!(
        secrets::connection(kept, &owner),
        ConnectionSecret::Foreign(_)
    ));
    let taken = secrets::put(
        &client,
        &owner,
        "c",
        &data("three"),
        Tie::Kept,
        &Seen::Unread,
        async || Ok(true),
    )
    .await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");

    // A namespace that is being deleted takes no new Secret and no new event; neither is an error.
    Api::<Namespace>::all(client.clone())
        .delete(&namespace, &DeleteParams::default())
        .await?;
    assert!(crd::namespace_terminating(&client, &namespace).await?);
    assert_eq!(
        secrets::put(
            &client,
            &owner,
            "new",
            &data("x"),
            Tie::Owned,
            &Seen::Unread,
            async || Ok(true)
        )
        .await?,
        None
    );
    let secrets = Api::<Secret>::namespaced(client.clone(), &namespace);
    assert!(secrets.get_opt("new").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_repeated_event_is_one_with_a_count() -> Result<()> {
    let (plane, client) = plane().await?;
    let namespace = plane.namespace("events").await?;
    let object = cluster(&client, &namespace, "warehouse").await?;
    let ctx = context(client.clone());
    let note = [EventNote::warning(
        "CreateRefused",
        "DWS.5050",
        "n".repeat(2000),
    )];
    for _ in 0..3 {
        events::publish(&ctx, &object, &note).await;
    }
    let listed = Api::<Event>::namespaced(client, &namespace)
        .list(&ListParams::default())
        .await?;
    assert_eq!(listed.items.len(), 1);
    assert_eq!(listed.items[0].count, Some(3));
    let described = plane
        .kubectl()
        .args(["describe", "dwsc", "warehouse", "-n", &namespace])
        .output()?;
    let described = String::from_utf8_lossy(&described.stdout).into_owned();
    assert!(
        described.contains("CreateRefused") && described.contains("x3"),
        "{described}"
    );
    Ok(())
}

#[tokio::test]
async fn a_crd_that_is_being_deleted_shows_with_and_without_the_right_to_read_it() -> Result<()> {
    // Its own: the others need the CRDs.
    let plane = ControlPlane::builder()
        .user("bystander", &[])
        .start()
        .await?;
    for yaml in CRDS {
        plane.apply_crds(yaml).await?;
    }
    let client = plane.client().await?;
    let bystander = plane.client_as("bystander").await?;
    let namespace = plane.namespace("crd").await?;
    let object = cluster(&client, &namespace, "warehouse").await?;
    store::add_finalizer(&client, &object).await?;
    // By the definition; refused it and by discovery; by discovery at once.
    let ways = [
        ("admin", &client, true),
        ("bystander", &bystander, true),
        ("bystander in a namespace", &bystander, false),
    ];
    for (_, client, read) in ways {
        assert!(!crd::is_deleting::<DwsCluster>(client, read).await?);
        assert!(!crd::namespace_terminating(client, &namespace).await?);
    }
    let deletion = plane
        .kubectl()
        .args([
            "delete",
            "crd",
            "dwsclusters.dws.huaweicloud.com",
            "--wait=false",
        ])
        .output()?;
    assert!(deletion.status.success());
    for (who, client, read) in ways {
        support::eventually(who, std::time::Duration::from_secs(20), || async move {
            let deleting = crd::is_deleting::<DwsCluster>(client, read).await?;
            Ok(deleting.then_some(()))
        })
        .await?;
    }
    // The finalizer can still be removed, or the CRD would never go.
    let read: Option<DwsCluster> = store::get(&client, &namespace, "warehouse").await?;
    store::remove_finalizer(&client, &read.unwrap()).await?;
    Ok(())
}
