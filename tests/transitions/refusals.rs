//! What a refusal must say: the field, and what to write instead.

use kube::core::response::Status;
use serde_json::Value;

use crate::changes::May;
use crate::schema::{Field, Shape};

/// Why a transition must be refused.
#[derive(Clone, Debug)]
pub enum Why {
    /// The value is not one of the field's; the word says which limit it breaks.
    Value(&'static str),
    /// The field may not change any more; what it was.
    Change(May, Option<Value>),
}

/// Whether the answer refuses this field for this reason, and tells what to write. What is wrong where not.
pub fn judge(refusal: &Status, field: &Field, why: &Why) -> Result<(), String> {
    if refusal.code != 422 {
        return Err(format!("code {}: {}", refusal.code, refusal.message));
    }
    let name = format!("spec.{}", field.path);
    let causes = refusal.details.iter().flat_map(|details| &details.causes);
    let said: Vec<&str> = causes
        .filter(|cause| cause.field == name)
        .map(|cause| cause.message.as_str())
        .collect();
    if said.is_empty() {
        return Err(format!("nothing is said of {name}: {}", refusal.message));
    }
    let wanted = wanted(field, why);
    // One message says all of it.
    if said
        .iter()
        .any(|text| wanted.iter().all(|word| text.contains(word.as_str())))
    {
        Ok(())
    } else {
        Err(format!("{name}: {wanted:?} is not said in {said:?}"))
    }
}

/// The words that tell what to write.
fn wanted(field: &Field, why: &Why) -> Vec<String> {
    match (why, &field.shape) {
        (Why::Value("type"), shape) => {
            let name = match shape {
                Shape::Truth => "boolean",
                // It says int32 of a fraction.
                Shape::Number { .. } => "int",
                Shape::Choice(_) | Shape::Text { .. } => "string",
            };
            vec![format!("must be of type {name}")]
        }
        (Why::Value("least"), Shape::Number { least, .. }) => {
            vec![format!("greater than or equal to {least}")]
        }
        (Why::Value("most"), Shape::Number { most, .. }) => {
            vec![format!("less than or equal to {}", most.unwrap())]
        }
        (Why::Value("choice"), Shape::Choice(choices)) => {
            choices.iter().map(|choice| format!("{choice:?}")).collect()
        }
        (Why::Value("shortest"), Shape::Text { shortest, .. }) => {
            vec![format!("at least {shortest} ")]
        }
        (Why::Value("longest"), Shape::Text { longest, .. }) => {
            vec![format!("may not be more than {longest} ")]
        }
        (Why::Value("pattern"), _) => vec!["write ".to_owned()],
        (Why::Value(reason), shape) => panic!("{reason} of {shape:?}"),
        (Why::Change(May::Up, Some(before)), _) => {
            vec![format!("write a nodeCount of {before} or more")]
        }
        (Why::Change(May::SetOnce, None), _) => {
            vec!["leave clusterId out or write that id".to_owned()]
        }
        (Why::Change(_, Some(before)), _) => {
            let before = before
                .as_str()
                .map_or_else(|| before.to_string(), str::to_owned);
            vec![format!("write back {before}"), "make another".to_owned()]
        }
        (Why::Change(_, None), _) => {
            vec!["leave it out again".to_owned(), "make another".to_owned()]
        }
    }
}
