//! The far side: the simulator in its Pod, reached through the API server. Its ledger of executed effects
//! is the judge of every step.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::shell::{Program, until};
use super::support::Result;

/// Namespace of the simulator.
pub const NAMESPACE: &str = "dws-cloud";
/// Its region, and a key that it accepts.
pub const REGION: &str = "cn-north-4";
/// See [`REGION`].
pub const ACCESS_KEY: &str = "SIMULATORACCESSKEY01";
/// The secret half: it may show up nowhere.
pub const SECRET_KEY: &str = "SimulatorSecretKeyForTryingThings0000001";

/// The simulator.
pub struct Cloud {
    kubectl: Program,
}

/// One executed effect, as far as it is of interest here.
#[derive(Clone, Debug, Deserialize)]
pub struct Effect {
    number: u64,
    #[serde(rename = "effect")]
    what: String,
    name: String,
    added: Option<i64>,
    #[serde(default)]
    along: bool,
    #[serde(default)]
    automated: bool,
    by: Value,
}

/// A place in the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

impl Effect {
    /// `create orders-dw`, `resize orders-dw +2`. The end of a final snapshot's name, which is a part of a uid, is
    /// cut off.
    fn said(&self) -> String {
        let name = match self.name.split_once("-final-") {
            Some((cluster, _)) => format!("{cluster}-final"),
            None => self.name.clone(),
        };
        let added = self
            .added
            .map_or(String::new(), |added| format!(" {added:+}"));
        format!("{} {name}{added}", self.what)
    }

    /// Whether a request asked for it, and not a person at the console, the service, or another effect.
    fn is_asked_for(&self) -> bool {
        self.by.get("request").is_some() && !self.along && !self.automated
    }
}

impl Cloud {
    /// Through this kubectl.
    pub fn new(kubectl: Program) -> Self {
        Self { kubectl }
    }

    fn path(what: &str) -> String {
        format!("/api/v1/namespaces/{NAMESPACE}/services/dws-simulator:18080/proxy/__sim/{what}")
    }

    fn get(&self, what: &str) -> Result<Value> {
        let answer = self.kubectl.run(&["get", "--raw", &Self::path(what)])?;
        Ok(serde_json::from_str(&answer)?)
    }

    fn post(&self, what: &str, body: &Value) -> Result<Value> {
        let args = ["create", "--raw", &Self::path(what), "-f", "-"];
        let answer = self.kubectl.run_with(&args, &body.to_string())?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// All effects so far.
    pub fn effects(&self) -> Result<Vec<Effect>> {
        Ok(serde_json::from_value(
            self.get("ledger")?["effects"].take(),
        )?)
    }

    /// The place where the ledger ends now.
    pub fn mark(&self) -> Result<Mark> {
        Ok(Mark(self.effects()?.last().map_or(0, |last| last.number)))
    }

    /// What was executed since then on somebody's request, in order.
    pub fn since(&self, mark: Mark) -> Result<Vec<String>> {
        let effects = self.effects()?.into_iter();
        Ok(effects
            .filter(|effect| effect.number > mark.0 && effect.is_asked_for())
            .map(|effect| effect.said())
            .collect())
    }

    /// Fails unless exactly these were executed since then, in whatever order: none is missing and none happened
    /// twice.
    pub fn exactly(&self, mark: Mark, expected: &[&str]) -> Result<()> {
        let mut done = self.since(mark)?;
        done.sort();
        let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        expected.sort();
        anyhow::ensure!(
            done == expected,
            "the ledger holds {done:?}, and {expected:?} was to be done"
        );
        Ok(())
    }

    /// Waits until this was executed.
    pub fn executes(&self, mark: Mark, effect: &str) -> Result<()> {
        until(effect, Duration::from_mins(1), || {
            let done = self.since(mark)?;
            Ok(if done.iter().any(|one| one == effect) {
                Ok(())
            } else {
                Err(format!("{done:?}"))
            })
        })
    }

    /// The next request of this kind for this name is executed at once and answered only after so many seconds.
    pub fn answers_late(&self, operation: &str, target: &str, seconds: u32) -> Result<()> {
        self.post(
            "faults",
            &json!({"kind": "slow", "operation": operation, "target": target, "after": seconds}),
        )
        .map(drop)
    }

    /// The next request of this kind for this name is executed and never answered.
    pub fn answers_never(&self, operation: &str, target: &str) -> Result<()> {
        self.post(
            "faults",
            &json!({"kind": "lost_after", "operation": operation, "target": target, "hang": true}),
        )
        .map(drop)
    }

    /// A cluster that somebody makes at the console, and its id.
    pub fn makes(&self, name: &str) -> Result<String> {
        let change = json!({
            "change": "create", "name": name, "node_type": "dws.d1.xlarge", "nodes": 3, "password": "Made-at-the-c0nsole",
        });
        let made = self.post("outside", &change)?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Whether the cluster of this name is there, and its id.
    pub fn cluster(&self, name: &str) -> Result<Option<String>> {
        let there = self.get("clusters")?;
        let found = there["clusters"].as_array().into_iter().flatten();
        Ok(found
            .filter(|one| one["name"] == name)
            .find_map(|one| one["id"].as_str().map(str::to_owned)))
    }

    /// Waits until the service has nothing to do for this cluster: a resize goes on behind the scenes when the nodes are
    /// there already, and a call that meets it is refused as busy.
    pub fn rests(&self, name: &str) -> Result<()> {
        until(&format!("{name} rests"), Duration::from_mins(1), || {
            let there = self.get("clusters")?;
            let found = there["clusters"].as_array().into_iter().flatten();
            let working = found.filter(|one| one["name"] == name && one["working"] != false);
            let working: Vec<_> = working.map(ToString::to_string).collect();
            Ok(if working.is_empty() {
                Ok(())
            } else {
                Err(working.join(", "))
            })
        })
    }

    /// Whether these lead into the database.
    pub fn logs_in(&self, id: &str, user: &str, password: &str) -> Result<bool> {
        let who = json!({"cluster_id": id, "user": user, "password": password});
        Ok(self.post("login-check", &who)?["logs_in"] == true)
    }
}
