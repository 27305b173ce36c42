//! Runs cases on a real API server: manifests are put there in both manners that tools have, and
//! statuses written through the sub-resource as the operator writes them.
//!
//! A file has a kind, named base specs and statuses, and cases; a case has steps. `spec` is merged
//! into the base (null takes a field out), `exactly` stands as it is, `status` is merged into the
//! stored status (a text names one of the file's). A step is accepted, or refused at the field that
//! `refused` names with `saying` in the answer. A case that is `update_only` meets faults that
//! server-side apply words in its own way, before the schema is asked. `fixed` entries are expanded into the cases that
//! every fixed field must pass.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use kube::core::response::Status;
use serde::Deserialize;
use serde_json::Value;

use crate::objects::{Manner, Objects, merged};
use crate::support::Result;

/// One file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    kind: String,
    bases: BTreeMap<String, Value>,
    #[serde(default)]
    statuses: BTreeMap<String, Value>,
    #[serde(default)]
    cases: Vec<Case>,
    #[serde(default)]
    fixed: Vec<Fixed>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    base: String,
    /// Name of the object, where it matters.
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    update_only: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    spec: Option<Value>,
    exactly: Option<Value>,
    status: Option<Value>,
    refused: Option<String>,
    saying: Option<String>,
    /// How many faults the answer names; 1 unless said otherwise.
    faults: Option<usize>,
}

/// A fixed field with two values and its absence, each as a patch of the base.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixed {
    field: String,
    base: String,
    one: Value,
    other: Value,
    none: Value,
    /// Fixed fields that come and go with it, and are named beside it.
    #[serde(default)]
    along: Vec<String>,
}

/// What was run.
#[derive(Clone, Default)]
pub struct Count {
    pub cases: usize,
    pub accepted: usize,
    pub refused: usize,
    pub status_writes: usize,
    /// Field and text of every refusal.
    pub said: BTreeSet<(String, String)>,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.cases += other.cases;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.status_writes += other.status_writes;
        self.said.extend(other.said);
    }
}

impl File {
    /// Reads a file; `<<` in it merges what an anchor holds.
    pub fn parse(text: &str) -> Result<Self> {
        let mut value: serde_yaml_ng::Value = serde_yaml_ng::from_str(text)?;
        value.apply_merge()?;
        Ok(serde_yaml_ng::from_value(value)?)
    }

    /// `DwsCluster` or `DwsSnapshot`.
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

/// Runs every case of a file; the error lists all that failed.
pub async fn run(objects: Objects, name: &str, file: &File) -> Result<Count> {
    let mut cases = file.cases.clone();
    cases.extend(file.fixed.iter().flat_map(expand));
    if objects.manner() == Manner::ServerSide {
        cases.retain(|case| !case.update_only);
    }
    let mut count = Count::default();
    let mut failures = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        count.cases += 1;
        if let Err(error) = run_case(&objects, file, case, number, &mut count).await {
            failures.push(format!(
                "{name} ({:?}): {}: {error:#}",
                objects.manner(),
                case.name
            ));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(count)
}

async fn run_case(
    objects: &Objects,
    file: &File,
    case: &Case,
    number: usize,
    count: &mut Count,
) -> Result<()> {
    let name = case
        .object
        .clone()
        .unwrap_or_else(|| format!("case-{number}"));
    let base = file
        .bases
        .get(&case.base)
        .with_context(|| format!("no base {}", case.base))?;
    ensure!(!case.steps.is_empty(), "no steps");
    for (at, step) in case.steps.iter().enumerate() {
        let outcome = run_step(objects, file, base, &name, step, count).await;
        outcome.with_context(|| format!("step {}", at + 1))?;
    }
    objects.delete(&name).await
}

async fn run_step(
    objects: &Objects,
    file: &File,
    base: &Value,
    name: &str,
    step: &Step,
    count: &mut Count,
) -> Result<()> {
    if let Some(status) = &step.status {
        let status = match status {
            Value::String(named) => file
                .statuses
                .get(named)
                .with_context(|| format!("no status {named}"))?,
            inline => inline,
        };
        count.status_writes += 1;
        return objects
            .write_status(name, status)
            .await
            .map_err(|refusal| anyhow::anyhow!("{}", refusal.message));
    }
    let spec = match (&step.spec, &step.exactly) {
        (Some(patch), None) => merged(base, patch),
        (None, Some(spec)) => spec.clone(),
        _ => bail!("a step has one of spec, exactly and status"),
    };
    let answer = objects.apply(name, &spec).await;
    match (&step.refused, answer) {
        (None, Ok(stored)) => {
            count.accepted += 1;
            let expected = without_nulls(&spec);
            ensure!(
                stored["spec"] == expected,
                "stored is {}, not {expected}",
                stored["spec"]
            );
            Ok(())
        }
        (None, Err(refusal)) => bail!("refused: {}", refusal.message),
        (Some(field), Ok(_)) => bail!("accepted, but {field} should have been refused"),
        (Some(field), Err(refusal)) => {
            count.refused += 1;
            for cause in refusal.details.iter().flat_map(|details| &details.causes) {
                count
                    .said
                    .insert((cause.field.clone(), cause.message.clone()));
            }
            expect_refusal(&refusal, field, step)
        }
    }
}

/// The answer names the field, and the text that goes with that very field says what to write.
fn expect_refusal(refusal: &Status, field: &str, step: &Step) -> Result<()> {
    ensure!(
        refusal.code == 422 || refusal.code == 400 || refusal.code == 500,
        "{refusal:?}"
    );
    // `<nil>` is the remark that rules were skipped because of the faults that are listed.
    let causes: Vec<_> = refusal
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .filter(|cause| cause.field != "<nil>")
        .collect();
    let saying = step.saying.as_deref().context("a refusal without saying")?;
    if causes.is_empty() {
        // An unknown field is refused before the object is judged.
        ensure!(
            refusal.message.contains(field) && refusal.message.contains(saying),
            "{}",
            refusal.message
        );
        return Ok(());
    }
    let faults = step.faults.unwrap_or(1);
    let found = causes.len();
    ensure!(
        found == faults,
        "{found} faults, not {faults}: {}",
        refusal.message
    );
    let of_field: Vec<_> = causes
        .into_iter()
        .filter(|cause| cause.field == field)
        .collect();
    ensure!(!of_field.is_empty(), "not at {field}: {}", refusal.message);
    ensure!(
        of_field.iter().any(|cause| cause.message.contains(saying)),
        "{saying:?} is not said: {}",
        refusal.message
    );
    for cause in of_field {
        ensure!(
            tells_what_to_write(&cause.message),
            "no mend in: {}",
            cause.message
        );
    }
    Ok(())
}

/// Our rules say `write` or `leave`; the API server's own checks name the limit or the choices.
fn tells_what_to_write(message: &str) -> bool {
    [
        "write ",
        "leave ",
        "supported values: ",
        "should be greater than or equal to ",
        "should be less than or equal to ",
        "should be at least ",
        "may not be more than ",
        "must be of type ",
        "Required value",
    ]
    .iter()
    .any(|phrase| message.contains(phrase))
}

/// The cases that a fixed field must pass: before the first intent and after a refused one anything
/// goes; while it is under way and once the id is known nothing does.
fn expand(fixed: &Fixed) -> Vec<Case> {
    let short = fixed.field.trim_start_matches("spec.").to_owned();
    let apply = |patch: &Value| Step {
        spec: Some(patch.clone()),
        ..Step::default()
    };
    let status = |name: &str| Step {
        status: Some(name.into()),
        ..Step::default()
    };
    let refused = |patch: &Value, saying: &str| Step {
        spec: Some(patch.clone()),
        refused: Some(fixed.field.clone()),
        saying: Some(saying.to_owned()),
        faults: Some(if *patch == fixed.other {
            1
        } else {
            1 + fixed.along.len()
        }),
        ..Step::default()
    };
    let back = format!("{short} is fixed once ");
    let mut cases = Vec::new();
    let mut case = |name: &str, steps: Vec<Step>| {
        cases.push(Case {
            name: format!("{}: {name}", fixed.field),
            base: fixed.base.clone(),
            object: None,
            update_only: false,
            steps,
        });
    };
    let (one, other, none) = (&fixed.one, &fixed.other, &fixed.none);
    case(
        "before: set, changed, unset, set",
        vec![apply(one), apply(other), apply(none), apply(one)],
    );
    for begun in ["asked", "known"] {
        case(
            &format!("{begun}: change"),
            vec![
                apply(one),
                status(begun),
                refused(other, &back),
                refused(other, "write back "),
                apply(one),
            ],
        );
        case(
            &format!("{begun}: unset"),
            vec![
                apply(one),
                status(begun),
                refused(none, "write back "),
                apply(one),
            ],
        );
        case(
            &format!("{begun}: set"),
            vec![
                apply(none),
                status(begun),
                refused(one, "leave it out again"),
                apply(none),
            ],
        );
    }
    case(
        "after a refused request: change, unset, set",
        vec![
            apply(one),
            status("asked"),
            refused(other, &back),
            status("released"),
            apply(other),
            apply(none),
            apply(one),
        ],
    );
    cases
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        other => other.clone(),
    }
}
