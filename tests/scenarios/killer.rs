//! Kills the operator with SIGKILL at every changing request it makes, one place after the other: when the
//! request has left it and was not carried out, and when it was carried out and nobody knows.
//!
//! It sits in two proxies, before the API server and before the service, and knows requests by their method,
//! path and body.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Notify;

use crate::support::Result;
use crate::support::proxy::{Judge, Proxy, Seen, Verdict};
use crate::support::stack::{Options, Stack};
use crate::world::World;

/// Nothing changing comes for so long after a goal: the step is over.
const QUIET: Duration = Duration::from_millis(600);
/// Kills take their time: the steps of a life that is killed at twenty places are not those of one that is not.
const PATIENCE: Duration = Duration::from_mins(4);

/// Where the operator died, over one life.
#[derive(Default)]
struct Places {
    /// `None`: no kills.
    step: Option<&'static str>,
    /// Calls of the service are let through, so that their answers come to be written.
    spare_calls: bool,
    died: BTreeSet<String>,
    /// Where it stands held, waiting for its end.
    held: Option<String>,
}

/// One operator that is killed again and again.
pub struct Killer {
    /// The world that it lives in.
    pub world: World,
    /// Simulator and operator.
    pub stack: Stack,
    places: Arc<Mutex<Places>>,
    reached: Arc<Notify>,
    _proxies: [Proxy; 2],
}

impl Killer {
    /// In a stack of its own, nothing armed.
    pub async fn start() -> Result<Self> {
        let places: Arc<Mutex<Places>> = Arc::default();
        let reached: Arc<Notify> = Arc::default();
        let judge = |name: fn(&Seen) -> Option<String>, call: bool| -> Judge {
            let (places, reached) = (places.clone(), reached.clone());
            Arc::new(move |seen| {
                if call && places.lock().spare_calls {
                    return Verdict::Pass;
                }
                judge(&places, &reached, name(seen))
            })
        };
        let (mut world, stack, proxies) = World::behind(
            Options::default(),
            judge(of_kubernetes, false),
            judge(of_service, true),
        )
        .await?;
        world.patience = PATIENCE;
        Ok(Self {
            world,
            stack,
            places,
            reached,
            _proxies: proxies,
        })
    }

    /// As [`Killer::through`], but no call of the service is cut off: the operator dies over their answers.
    pub async fn through_answers<T>(
        &mut self,
        step: &'static str,
        goal: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.places.lock().spare_calls = true;
        let done = self.through(step, goal).await;
        self.places.lock().spare_calls = false;
        done
    }

    /// Goes to a goal, killed at every place of this step on the way, each once.
    pub async fn through<T>(
        &mut self,
        step: &'static str,
        goal: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.places.lock().step = Some(step);
        let mut goal = pin!(goal);
        let reached = loop {
            tokio::select! {
                biased;
                () = self.reached.notified() => self.kill().await?,
                done = &mut goal => break done?,
            }
        };
        while tokio::time::timeout(QUIET, self.reached.notified())
            .await
            .is_ok()
        {
            self.kill().await?;
        }
        self.places.lock().step = None;
        Ok(reached)
    }

    async fn kill(&mut self) -> Result<()> {
        self.stack.kill_operator()?;
        let place = self.places.lock().held.clone().unwrap_or_default();
        self.one_password_logs_in()
            .await
            .with_context(|| format!("killed at: {place}"))?;
        self.places.lock().held = None;
        self.stack.start_operator().await
    }

    /// Of every cluster that can be connected to, one of the three passwords of its Secret opens it.
    async fn one_password_logs_in(&self) -> Result<()> {
        let clusters = self.world.sim("clusters").await?;
        let ledger = self.world.sim("ledger").await?;
        for cluster in crate::world::items(&clusters, "clusters") {
            let (id, name) = (
                cluster["id"].as_str().unwrap_or_default(),
                cluster["name"].as_str().unwrap_or_default(),
            );
            if !matches!(
                cluster["status"].as_str(),
                Some("AVAILABLE" | "UNAVAILABLE")
            ) {
                continue;
            }
            // One that is restored has the password of another until the first reset.
            let reset =
                |one: &Value| one["effect"] == "create" || one["effect"] == "reset_password";
            if !crate::world::items(&ledger, "effects").any(|one| one["id"] == id && reset(one)) {
                continue;
            }
            let secret = self
                .world
                .get("Secret", &format!("{name}-connection"))
                .await?;
            if secret.is_null() {
                // Collected with its owner, or the deletion is over.
                continue;
            }
            let texts = self.world.texts(&format!("{name}-connection")).await?;
            let mut opened = false;
            for key in ["password", "pending-password", "previous-password"] {
                if let Some(password) = texts.get(key) {
                    opened |= self.world.logs_in(id, password).await?;
                }
            }
            let keys: Vec<_> = texts.keys().collect();
            ensure!(opened, "no password of {name} logs in; it has {keys:?}");
        }
        Ok(())
    }

    /// The places at which it died.
    pub fn places(&self) -> BTreeSet<String> {
        self.places.lock().died.clone()
    }
}

fn judge(places: &Mutex<Places>, reached: &Arc<Notify>, name: Option<String>) -> Verdict {
    let mut places = places.lock();
    let (Some(name), Some(step), None) = (name, places.step, &places.held) else {
        return Verdict::Pass;
    };
    for (executed, word) in [(false, "before"), (true, "after")] {
        let place = format!("{step}: {word} {name}");
        if places.died.insert(place.clone()) {
            places.held = Some(place);
            return Verdict::Hold {
                executed,
                reached: reached.clone(),
            };
        }
    }
    Verdict::Pass
}

/// Changing requests to the API server, told apart by what they write.
fn of_kubernetes(seen: &Seen) -> Option<String> {
    if seen.method == http::Method::GET {
        return None;
    }
    let body = seen.json();
    let mut segments: Vec<&str> = seen
        .path
        .split('/')
        .skip_while(|one| *one != "namespaces")
        .skip(2)
        .collect();
    let status = segments.last() == Some(&"status");
    let kind = segments.drain(..).next()?;
    let what = match kind {
        "events" => body["reason"].as_str()?.to_owned(),
        "secrets" if has(&body, "pending-password") => "a pending password".to_owned(),
        "secrets" => "content".to_owned(),
        _ if status => journal(&body).unwrap_or_else(|| "facts".to_owned()),
        _ => "the finalizer".to_owned(),
    };
    let status = if status { "/status" } else { "" };
    Some(format!("{} {kind}{status} ({what})", seen.method))
}

/// A Secret's content has it, as a whole object or in a patch.
fn has(body: &Value, key: &str) -> bool {
    ["data", "stringData"]
        .iter()
        .any(|part| body[*part].get(key).is_some_and(|value| !value.is_null()))
}

/// The journal that a status write leaves: of a whole object, or of a JSON Patch.
fn journal(body: &Value) -> Option<String> {
    let operation = match body.as_array() {
        Some(patch) => &patch
            .iter()
            .find(|one| one["path"] == "/status/operation" && one["op"] != "test")?["value"],
        None => &body["status"]["operation"],
    };
    let (kind, phase) = (operation["kind"].as_str()?, operation["phase"].as_str()?);
    Some(format!("{kind} {phase}"))
}

/// Changing requests to the service.
fn of_service(seen: &Seen) -> Option<String> {
    if seen.method == http::Method::GET {
        return None;
    }
    let path: Vec<&str> = seen
        .path
        .split('/')
        .skip(3)
        .map(|one| if one.len() == 36 { "{id}" } else { one })
        .collect();
    Some(format!("{} {}", seen.method, path.join("/")))
}
