//! Values that are refused, in words that name the value.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::helm::{Helm, RELEASE, cases, root};
use crate::support::Result;
use crate::support::figures::figure;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    name: String,
    values: Value,
    says: Vec<String>,
}

#[test]
fn wrong_values_are_refused_in_words_that_name_them() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let cases = cases::<Refused>("refused.yaml")?;
    let mut wrong = Vec::new();
    let mut by_schema = 0;
    for case in &cases {
        let name = &case.name;
        match helm.render(RELEASE, &case.values)? {
            Ok(_) => wrong.push(format!("{name}: was taken")),
            Err(said) => {
                by_schema += usize::from(said.contains("don't meet the specifications"));
                for part in case.says.iter().filter(|part| !said.contains(*part)) {
                    wrong.push(format!("{name}: does not say {part:?}: {said}"));
                }
                // A template's error would show where it failed, and the values around it.
                if said.contains("nil pointer") || said.contains("sk-canary") {
                    wrong.push(format!("{name}: {said}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    figure(
        "chart",
        &format!(
            "{} value sets refused, {by_schema} of them by the schema",
            cases.len()
        ),
    );
    Ok(())
}

/// Every value that values.yaml holds, as the values that take it away.
fn without_each(values: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (key, value) in values.as_object().into_iter().flatten() {
        found.push((key.clone(), json!({key: null})));
        for (below, one) in without_each(value) {
            found.push((format!("{key}.{below}"), json!({key: one})));
        }
    }
    found
}

/// `null` takes a default away. It renders without it, or the refusal names it: no template fails over it.
#[test]
fn a_value_that_is_taken_away_is_named_or_not_needed() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let file = root().join("charts/dws-operator/values.yaml");
    let values: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(file)?)?;
    let mut wrong = Vec::new();
    let mut named = 0;
    let all = without_each(&values);
    for (path, values) in &all {
        let Err(said) = helm.render(RELEASE, values)? else {
            continue;
        };
        named += 1;
        let key = path.rsplit('.').next().unwrap_or_default();
        let missing = said.contains("missing property") && said.contains(&format!("'{key}'"));
        let in_words = said.contains("execution error at") && said.contains(path);
        if !(missing || in_words) {
            wrong.push(format!("{path}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(named > 20, "only {named} are needed");
    let count = all.len();
    figure(
        "chart",
        &format!("{count} values taken away one by one: {named} refused by their names"),
    );
    Ok(())
}
