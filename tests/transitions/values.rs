//! Values of a field: some that its schema allows, at its borders and inside, and some that it does not, each for
//! a reason of its own.

use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::schema::{Field, Shape};

/// Two or more that are allowed, all different.
pub fn valid(field: &Field) -> Vec<Value> {
    let mut values: Vec<Value> = match &field.shape {
        Shape::Truth => vec![json!(true), json!(false)],
        Shape::Number { least, most } => {
            let most = most.unwrap_or(i64::from(i32::MAX));
            vec![json!(least), json!(least + 1), json!(most)]
        }
        Shape::Choice(choices) => choices.iter().map(|choice| json!(choice)).collect(),
        Shape::Text {
            pattern: None,
            shortest,
            longest,
        } => {
            vec![
                json!("a".repeat(*shortest.max(&1))),
                json!("dws.d1.xlarge"),
                json!("b".repeat(*longest)),
            ]
        }
        Shape::Text {
            pattern: Some((_, false)),
            longest,
            ..
        } => {
            vec![
                json!("before the release"),
                json!(""),
                json!("b".repeat(*longest)),
            ]
        }
        Shape::Text {
            pattern: Some((pattern, true)),
            longest,
            ..
        } => {
            let mut texts = sampled(pattern.as_str(), *longest, field);
            texts.extend(longest_of(pattern.as_str(), *longest));
            texts.into_iter().map(Value::from).collect()
        }
    };
    values.retain(|value| field.shape.allows(value));
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    assert!(distinct.len() >= 2, "{}: only {distinct:?}", field.path);
    distinct
}

/// Some that are not allowed, with the reason.
pub fn invalid(field: &Field) -> Vec<(&'static str, Value)> {
    let mut values: Vec<(&'static str, Value)> = match &field.shape {
        Shape::Truth => vec![
            ("type", json!("true")),
            ("type", json!(1)),
            ("type", json!({})),
        ],
        Shape::Number { least, most } => {
            let mut values = vec![
                ("least", json!(least - 1)),
                ("least", json!(-1_000_000)),
                ("type", json!("3")),
                ("type", json!(2.5)),
                ("type", json!([3])),
            ];
            if let Some(most) = most {
                values.extend([("most", json!(most + 1)), ("most", json!(i32::MAX))]);
            }
            values
        }
        Shape::Choice(choices) => vec![
            ("choice", json!(choices[0].to_lowercase())),
            ("choice", json!(format!("{} ", choices[0]))),
            ("choice", json!("")),
            ("choice", json!("Perhaps")),
        ],
        Shape::Text {
            shortest,
            longest,
            pattern,
        } => {
            let mut values = vec![
                ("type", json!(7)),
                ("type", json!(true)),
                ("type", json!(["x"])),
            ];
            if *shortest > 0 {
                values.push(("shortest", json!("a".repeat(shortest - 1))));
            }
            let fitting = valid(field);
            let fitting = fitting[0].as_str().unwrap();
            match pattern {
                Some((_, true)) => {
                    let chars: String = fitting.chars().take(longest - 1).collect();
                    values.extend([
                        ("pattern", json!("")),
                        ("pattern", json!(format!("{chars}!"))),
                        ("pattern", json!(format!(" {chars}"))),
                        ("pattern", json!(format!("{chars}\n"))),
                        ("pattern", json!("-")),
                        ("pattern", json!("\u{e4}bcd")),
                    ]);
                }
                Some((_, false)) => values.extend(
                    ["a<b", "it's", "a & b", "x = \"y\"", "now!"]
                        .map(|text| ("pattern", json!(text))),
                ),
                None => {}
            }
            // Beyond the length it is one character of a kind that fits.
            values.push(("longest", json!("a".repeat(longest + 1))));
            values
        }
    };
    values.retain(|(_, value)| !field.shape.allows(value));
    assert!(values.len() >= 3, "{}: only {values:?}", field.path);
    values
}

/// Texts that match, always the same ones.
fn sampled(pattern: &str, longest: usize, field: &Field) -> Vec<String> {
    let inner = pattern
        .trim_start_matches('^')
        .trim_end_matches('$')
        .replace("]*", "]{0,6}")
        .replace(")*", "){0,2}");
    let mut seed = [7; 32];
    for (at, byte) in field.path.bytes().enumerate() {
        seed[at % 32] ^= byte;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = string_regex(&inner).unwrap();
    let mut texts = Vec::new();
    while texts.len() < 2 {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        if text.chars().count() <= longest && text.len() >= 4 && !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// The longest that matches, where letters alone do.
fn longest_of(pattern: &str, longest: usize) -> Option<String> {
    let text = "a".repeat(longest);
    regex::Regex::new(pattern)
        .unwrap()
        .is_match(&text)
        .then_some(text)
}
