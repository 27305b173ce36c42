//! The recorded objects under `objects/`: what the operator writes in each situation, as it is in the tree for
//! whoever wants to judge it with tools of their own. `RECORD=1` writes them anew.
//!
//! Times, ids and versions are replaced, so that a file changes only when the resource would tell something else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::{Value, json};

use crate::everywhere::everywhere;
use crate::situation::Situation;
use crate::support::figures::figure;
use crate::{
    cluster_situations, deletion_situations, operation_situations, snapshot_situations,
    waiting_situations,
};

/// All situations.
pub fn situations() -> Vec<Situation> {
    let mut all = cluster_situations::all();
    all.extend(waiting_situations::all());
    all.extend(operation_situations::all());
    all.extend(deletion_situations::all());
    all.extend(snapshot_situations::all());
    all
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gitops/objects")
}

fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}.json"))
}

/// The committed object of a situation.
pub fn object(situation: &Situation) -> Value {
    let text = std::fs::read_to_string(file(situation.name)).unwrap_or_default();
    let found = serde_json::from_str(&text);
    found.unwrap_or_else(|_| panic!("{}.json is not there: make generate", situation.name))
}

/// The object without what differs from run to run or from one way of working to another.
fn plain(mut object: Value) -> String {
    if let Some(meta) = object["metadata"].as_object_mut() {
        meta.remove("resourceVersion");
    }
    let mut text = serde_json::to_string_pretty(&object).unwrap();
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\b)").unwrap();
    text = time.replace_all(&text, "2027-01-15T08:00:00Z").into_owned();
    let uuid = Regex::new(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    let mut known: Vec<String> = Vec::new();
    text = uuid
        .replace_all(&text, |found: &regex::Captures<'_>| {
            let place = known
                .iter()
                .position(|one| *one == found[0])
                .unwrap_or(known.len());
            if place == known.len() {
                known.push(found[0].to_owned());
            }
            format!("00000000-0000-4000-8000-{:012}", place + 1)
        })
        .into_owned();
    let share = Regex::new(r"\b\d+%").unwrap();
    text = share.replace_all(&text, "50%").into_owned();
    text.push('\n');
    text
}

/// What each is to be taken for, as a table.
fn table(all: &[Situation]) -> String {
    let mut page = "# Situations and verdicts\n\nWhat a resource shows in each situation, and what it is taken for. \
                    Written by `make generate`.\n\n| object | conditions | Flux (kstatus) | Argo CD |\n|---|---|---|---|\n"
        .to_owned();
    for one in all {
        let shows = if one.shows.is_empty() {
            "none yet"
        } else {
            one.shows
        };
        let _ = writeln!(
            page,
            "| [{0}]({0}.json) | {shows} | {1:?} | {2:?} |",
            one.name, one.flux, one.argo
        );
    }
    page
}

#[test]
fn the_recorded_objects_are_what_the_operator_writes() {
    let all = situations();
    let names: BTreeSet<&str> = all.iter().map(|one| one.name).collect();
    assert_eq!(names.len(), all.len(), "a name is used twice");
    let record = std::env::var_os("RECORD").is_some();
    let wrong = everywhere(&all, |one| {
        let now = match one.object() {
            Ok(object) => plain(object),
            Err(said) => return vec![said],
        };
        let path = file(one.name);
        if record {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, now).unwrap();
            return Vec::new();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        if kept == now {
            return Vec::new();
        }
        vec![format!(
            "{} is not what is written now: make generate\n{now}",
            path.display()
        )]
    });
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
    let page = folder().join("README.md");
    if record {
        std::fs::write(&page, table(&all)).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(page).unwrap_or_default(),
        table(&all),
        "make generate"
    );
    let kept = std::fs::read_dir(folder()).unwrap();
    let files: BTreeSet<String> = kept
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut known: BTreeSet<String> = names.iter().map(|name| format!("{name}.json")).collect();
    known.insert("README.md".to_owned());
    assert_eq!(files, known, "files of situations that are no more");
    figure(
        "gitops",
        &format!(
            "{} recorded objects are what the operator writes",
            all.len()
        ),
    );
}

/// Reasons of conditions that no object bears, each with why.
const NOT_RECORDED: [(&str, &str); 0] = [];

#[test]
fn every_reason_of_a_condition_is_recorded() {
    let page = include_str!("../../docs/troubleshooting.md");
    let section = page
        .split("\n## ")
        .find(|one| one.starts_with("Reasons of conditions"))
        .unwrap();
    let word = Regex::new(r"`(\w+)`").unwrap();
    let explained: BTreeSet<String> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split(" |").next())
        .flat_map(|cell| {
            word.captures_iter(cell)
                .map(|one| one[1].to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let mut borne = BTreeSet::new();
    for one in situations() {
        for condition in object(&one)["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
        {
            borne.insert(condition["reason"].as_str().unwrap().to_owned());
        }
    }
    let excused: BTreeSet<String> = NOT_RECORDED
        .iter()
        .map(|(reason, _)| (*reason).to_owned())
        .collect();
    let missing: Vec<_> = explained
        .difference(&borne)
        .filter(|one| !excused.contains(*one))
        .collect();
    assert!(missing.is_empty(), "no recorded object bears {missing:?}");
    let unknown: Vec<_> = borne.difference(&explained).collect();
    assert!(
        unknown.is_empty(),
        "not explained in docs/troubleshooting.md: {unknown:?}"
    );
    let needless: Vec<_> = excused.intersection(&borne).collect();
    assert!(needless.is_empty(), "recorded after all: {needless:?}");
    figure(
        "gitops",
        &format!(
            "{} reasons of conditions, each borne by a recorded object",
            borne.len()
        ),
    );
}

/// Two runs give the same: whatever a file differs by is in the code.
#[test]
fn recording_twice_gives_the_same() {
    for one in situations().iter().step_by(9) {
        let (first, second) = (one.object().map(plain), one.object().map(plain));
        assert_eq!(first, second, "{}", one.name);
    }
    assert_ne!(plain(json!({"a": "x"})), plain(json!({"a": "y"})));
}
