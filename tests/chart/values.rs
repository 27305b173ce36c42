//! values.yaml, its schema and the operator's flags say the same.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use dws_operator::operator::cli::{Cli, run_flags};
use serde_json::Value;

use crate::helm::root;
use crate::support::Result;

#[path = "../../examples/generate/values.rs"]
#[allow(dead_code)] // the part that writes the table
mod generate;

fn chart(file: &str) -> Result<String> {
    Ok(std::fs::read_to_string(
        root().join("charts/dws-operator").join(file),
    )?)
}

fn values() -> Result<Value> {
    Ok(serde_yaml_ng::from_str(&chart("values.yaml")?)?)
}

/// The schema under a path, with references followed.
fn schema_at<'a>(schema: &'a Value, path: &[String]) -> Option<&'a Value> {
    let mut at = schema;
    for key in path {
        at = at.get("properties")?.get(key)?;
        if let Some(reference) = at.get("$ref").and_then(Value::as_str) {
            at = schema.pointer(reference.trim_start_matches('#'))?;
        }
    }
    Some(at)
}

#[test]
fn every_value_is_described_and_known_to_the_schema() -> Result<()> {
    let text = chart("values.yaml")?;
    let schema: Value = serde_json::from_str(&chart("values.schema.json")?)?;
    let described = generate::described(&text);
    let mut paths = BTreeSet::new();
    for one in &described {
        let at = schema_at(&schema, &one.path);
        assert!(at.is_some(), "the schema lacks {}", one.path.join("."));
        paths.insert(one.path.clone());
    }
    // What lies below a section is described by itself; below any other value, by its comment.
    let mut open = vec![(Vec::new(), values()?)];
    while let Some((path, value)) = open.pop() {
        if !path.is_empty() {
            assert!(
                paths.contains(&path),
                "{} has no comment in values.yaml",
                path.join(".")
            );
            if !generate::is_section(&path, &described) {
                continue;
            }
        }
        for (key, below) in value.as_object().into_iter().flatten() {
            let mut path = path.clone();
            path.push(key.clone());
            open.push((path, below.clone()));
        }
    }
    // And the schema knows nothing that values.yaml does not.
    let mut open = vec![Vec::new()];
    while let Some(path) = open.pop() {
        if !(path.is_empty() || generate::is_section(&path, &described)) {
            continue;
        }
        let properties = schema_at(&schema, &path).and_then(|at| at["properties"].as_object());
        for key in properties.into_iter().flat_map(serde_json::Map::keys) {
            let mut path = path.clone();
            path.push(key.clone());
            // What Helm itself hands down.
            if path != ["global"] && path != ["enabled"] {
                assert!(
                    paths.contains(&path),
                    "values.yaml lacks {}",
                    path.join(".")
                );
                open.push(path);
            }
        }
    }
    Ok(())
}

#[test]
fn no_object_of_the_schema_takes_what_it_does_not_name() -> Result<()> {
    fn walk(at: &str, schema: &Value, open: &mut Vec<String>) {
        if schema.get("type").is_some_and(|kind| kind == "object")
            && schema.get("additionalProperties").is_none()
        {
            open.push(at.to_owned());
        }
        for (key, below) in schema.as_object().into_iter().flatten() {
            walk(&format!("{at}/{key}"), below, open);
        }
    }
    let schema: Value = serde_json::from_str(&chart("values.schema.json")?)?;
    let mut open = Vec::new();
    walk("", &schema, &mut open);
    // The three forms of affinity are Kubernetes' own and judged by the API server.
    let allowed = [
        "/properties/global",
        "/properties/affinity/properties/nodeAffinity",
        "/properties/affinity/properties/podAffinity",
        "/properties/affinity/properties/podAntiAffinity",
    ];
    assert_eq!(open, allowed);
    Ok(())
}

/// Flags that values with another meaning than one setting lead to.
const BY_OTHER_VALUES: [&str; 5] = [
    "namespace",
    "adoption-namespaces",
    "ca-bundle",
    "leader-election",
    "lease-name",
];

#[test]
fn the_settings_are_the_flags_with_their_defaults() -> Result<()> {
    let values = values()?;
    let settings = values["settings"].as_object().unwrap();
    let named: BTreeSet<String> = settings
        .keys()
        .map(|key| {
            let mut flag = String::new();
            for letter in key.chars() {
                if letter.is_ascii_uppercase() {
                    flag.push('-');
                }
                flag.push(letter.to_ascii_lowercase());
            }
            flag
        })
        .collect();
    let flags: BTreeSet<String> = run_flags()
        .into_iter()
        .filter(|flag| !BY_OTHER_VALUES.contains(&flag.as_str()))
        .collect();
    assert_eq!(named, flags, "settings and the flags of `dws-operator run`");

    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    for (key, value) in settings {
        let flag = run
            .get_arguments()
            .find(|argument| {
                let long = argument.get_long().unwrap_or_default();
                long.replace('-', "") == key.to_lowercase()
            })
            .unwrap();
        let default = flag.get_default_values().first();
        let default = default.map_or("", |text| text.to_str().unwrap());
        let shown = value.as_str().map_or(value.to_string(), str::to_owned);
        assert_eq!(shown, default, "settings.{key}");
    }
    Ok(())
}

#[test]
fn the_chart_bears_the_version_of_the_program() -> Result<()> {
    let chart: Value = serde_yaml_ng::from_str(&chart("Chart.yaml")?)?;
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    Ok(())
}
