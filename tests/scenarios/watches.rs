//! Lives whose watches break, end, expire, repeat themselves and go back: nothing is missed for long, and
//! nothing is done twice.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use futures::StreamExt;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::mpsc;

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::support::figures::figure;
use crate::support::proxy::{Bytestream, Judge, Seen, Verdict, lines};
use crate::support::stack::Options;
use crate::world::{World, condition};

scenarios!(watches:
    a_life_over_watches_that_break_end_and_expire,
    a_life_over_watches_that_repeat_themselves_and_go_back,
    what_happens_while_no_watch_stands_is_seen,
);

/// What befalls a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// The connection breaks.
    Broken,
    /// The answer ends as if its time were over.
    Ended,
    /// An event says that the version is too old.
    ExpiredByEvent,
    /// The request is answered so, for as long as it names that version.
    ExpiredByStatus,
    /// Each event comes twice.
    Twice,
    /// After each event come all the former ones, the oldest first.
    GoingBack,
}

/// How long a watch stands before its trouble, at most, and how many events it gives.
const STANDS: Duration = Duration::from_millis(700);
const EVENTS: usize = 3;

/// Visits trouble upon each watch in turn.
#[derive(Default)]
struct Troubles {
    kinds: Vec<Trouble>,
    watches: usize,
    /// Versions that are too old, by path, until somebody lists.
    expired: BTreeMap<String, String>,
    /// How often each kind happened.
    happened: BTreeMap<Trouble, usize>,
}

fn gone() -> serde_json::Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version", "reason": "Expired", "code": 410,
    })
}

fn judge(troubles: &Arc<Mutex<Troubles>>) -> Judge {
    let troubles = troubles.clone();
    Arc::new(move |seen: &Seen| {
        let mut state = troubles.lock();
        if !seen.is_watch() {
            state.expired.remove(&seen.path);
            return Verdict::Pass;
        }
        let version = seen
            .query
            .split('&')
            .find_map(|one| one.strip_prefix("resourceVersion="))
            .unwrap_or_default()
            .to_owned();
        if state.expired.get(&seen.path) == Some(&version) {
            return Verdict::Answer(410, gone());
        }
        let Some(kind) = state.kinds.get(state.watches % state.kinds.len().max(1)) else {
            return Verdict::Pass;
        };
        let kind = *kind;
        state.watches += 1;
        if kind == Trouble::ExpiredByStatus {
            *state.happened.entry(kind).or_default() += 1;
            state.expired.insert(seen.path.clone(), version);
            return Verdict::Answer(410, gone());
        }
        let troubles = troubles.clone();
        Verdict::Change(Box::new(move |bytes| {
            let (events, heard) = mpsc::channel(64);
            tokio::spawn(trouble(kind, bytes, events, troubles));
            futures::stream::unfold(heard, |mut heard| async move {
                heard.recv().await.map(|line| (line, heard))
            })
            .boxed()
        }))
    })
}

/// Passes events on until it happens.
async fn trouble(
    kind: Trouble,
    bytes: Bytestream,
    events: mpsc::Sender<io::Result<Bytes>>,
    troubles: Arc<Mutex<Troubles>>,
) -> Option<()> {
    let mut upstream = lines(bytes);
    let mut past: Vec<Bytes> = Vec::new();
    let until = tokio::time::Instant::now() + STANDS;
    while past.len() < EVENTS {
        let Ok(line) = tokio::time::timeout_at(until, upstream.next()).await else {
            break;
        };
        let line = line?.ok()?;
        events.send(Ok(line.clone())).await.ok()?;
        past.push(line.clone());
        match kind {
            Trouble::Twice => events.send(Ok(line)).await.ok()?,
            Trouble::GoingBack => {
                for former in &past {
                    events.send(Ok(former.clone())).await.ok()?;
                }
            }
            _ => continue,
        }
        *troubles.lock().happened.entry(kind).or_default() += 1;
    }
    match kind {
        Trouble::Broken => {
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            events.send(Err(broken)).await.ok()?;
        }
        Trouble::ExpiredByEvent => {
            let line = format!("{}\n", json!({"type": "ERROR", "object": gone()}));
            events.send(Ok(Bytes::from(line))).await.ok()?;
            // It stands open: the client must not wait for its end.
            tokio::time::sleep(STANDS).await;
        }
        _ => {}
    }
    if !matches!(kind, Trouble::Twice | Trouble::GoingBack) {
        *troubles.lock().happened.entry(kind).or_default() += 1;
    }
    Some(())
}

/// A whole life; gives how often each trouble came.
async fn life(kinds: &[Trouble]) -> Result<BTreeMap<Trouble, usize>> {
    let troubles = Arc::new(Mutex::new(Troubles {
        kinds: kinds.to_vec(),
        ..Troubles::default()
    }));
    let (w, _stack, _proxies) = World::behind(
        Options::default(),
        judge(&troubles),
        Arc::new(|_| Verdict::Pass),
    )
    .await?;
    let (name, snap) = (fresh("watch"), fresh("snap"));
    w.secret("chosen", json!({"password": "First-Passw0rd"}))
        .await?;
    let spec = json!({"adminPasswordSecretRef": {"name": "chosen"}});
    w.ready_cluster(&name, spec).await?;
    for nodes in [4, 6] {
        w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": nodes}}))
            .await?;
        w.until("DwsCluster", &name, "grown", |one| {
            one["status"]["settledNodeCount"] == nodes && condition(one, "Synced").0 == "True"
        })
        .await?;
    }
    w.request(&name, "restart-requested-at").await?;
    w.event(&name, "Restarted").await?;
    w.patch(
        "Secret",
        "chosen",
        json!({"stringData": {"password": "Second-Passw0rd"}}),
    )
    .await?;
    w.event(&name, "PasswordChanged").await?;
    w.until("DwsCluster", &name, "at rest", |one| {
        one["status"]["operation"].is_null() && condition(one, "Ready").0 == "True"
    })
    .await?;
    ensure!(w.connects(&name).await? == "Second-Passw0rd");
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.delete("DwsSnapshot", &snap).await?;
    w.gone("DwsSnapshot", &snap).await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    for (what, kind, times) in [
        (&name, "create", 1),
        (&name, "resize", 2),
        (&name, "restart", 1),
        (&name, "reset_password", 1),
        (&snap, "snapshot", 1),
        (&snap, "delete_snapshot", 1),
        (&name, "delete_cluster", 1),
    ] {
        w.executed(what, kind, times).await?;
    }
    let happened = troubles.lock().happened.clone();
    figure(
        "scenarios",
        &format!(
            "{} interrupted watches in one life ({happened:?}), each effect once",
            happened.values().sum::<usize>()
        ),
    );
    Ok(happened)
}

async fn a_life_over_watches_that_break_end_and_expire() -> Result<()> {
    let kinds = [
        Trouble::Broken,
        Trouble::ExpiredByStatus,
        Trouble::Ended,
        Trouble::ExpiredByEvent,
    ];
    let happened = life(&kinds).await?;
    for kind in kinds {
        let times = happened.get(&kind).copied().unwrap_or_default();
        ensure!(times >= 5, "{kind:?} came {times} times");
    }
    ensure!(happened.values().sum::<usize>() >= 30, "{happened:?}");
    Ok(())
}

async fn a_life_over_watches_that_repeat_themselves_and_go_back() -> Result<()> {
    let kinds = [Trouble::Twice, Trouble::GoingBack];
    let happened = life(&kinds).await?;
    ensure!(happened.values().sum::<usize>() >= 30, "{happened:?}");
    Ok(())
}

/// While the API server refuses every watch, resources come, change and go; the lists afterwards tell.
async fn what_happens_while_no_watch_stands_is_seen() -> Result<()> {
    let away = Arc::new(Mutex::new(false));
    let refuses = away.clone();
    let kubernetes: Judge = Arc::new(move |seen: &Seen| {
        if !*refuses.lock() {
            return Verdict::Pass;
        }
        match seen.path.rsplit('/').next() {
            Some("dwsclusters" | "dwssnapshots" | "secrets")
                if seen.method == http::Method::GET =>
            {
                Verdict::Answer(
                    503,
                    json!({"kind": "Status", "status": "Failure", "code": 503, "reason": "ServiceUnavailable", "message": "away"}),
                )
            }
            _ => Verdict::Pass,
        }
    });
    let (w, stack, [proxy, _service]) =
        World::behind(Options::default(), kubernetes, Arc::new(|_| Verdict::Pass)).await?;
    let (kept, going, new) = (fresh("watch"), fresh("watch"), fresh("watch"));
    for one in [&kept, &going] {
        w.ready_cluster(one, json!({})).await?;
    }
    *away.lock() = true;
    proxy.cut_all();
    w.patch("DwsCluster", &kept, json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.delete("DwsCluster", &going).await?;
    w.cluster(&new, json!({})).await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    ensure!(stack.operator_log().contains("a watch fails"));
    *away.lock() = false;
    w.until("DwsCluster", &kept, "grown", |one| {
        one["status"]["settledNodeCount"] == 5
    })
    .await?;
    w.gone("DwsCluster", &going).await?;
    w.until_condition("DwsCluster", &new, "Ready", "True", "Available")
        .await?;
    w.executed(&kept, "resize", 1).await?;
    w.executed(&going, "delete_cluster", 1).await?;
    w.executed(&new, "create", 1).await
}
