//! Values that are refused, in words that name the value.

use serde::Deserialize;
use serde_json::Value;

use crate::helm::{Helm, RELEASE, cases};
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
