//! The fields of a spec, read from a definition as it is committed: what a value of each must be like.

use std::path::Path;

use regex::Regex;
use serde_json::Value;

/// One field that holds a value.
#[derive(Clone, Debug)]
pub struct Field {
    /// From the spec on: `network.vpcId`.
    pub path: String,
    pub shape: Shape,
}

/// What its values are like.
#[derive(Clone, Debug)]
pub enum Shape {
    Truth,
    Number {
        least: i64,
        most: Option<i64>,
    },
    Choice(Vec<String>),
    Text {
        shortest: usize,
        longest: usize,
        /// A rule's expression, and whether a text must match it or must not.
        pattern: Option<(Regex, bool)>,
    },
}

/// The definition of a kind.
pub fn definition(kind: &str) -> (String, Value) {
    let file = format!("crds/dws.huaweicloud.com_{}s.yaml", kind.to_lowercase());
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let value = serde_yaml_ng::from_str(&text).unwrap();
    (text, value)
}

/// The fields of a kind's spec, in the definition's order.
pub fn fields(kind: &str) -> Vec<Field> {
    let (_, definition) = definition(kind);
    let root =
        &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut fields = Vec::new();
    walk(root, "", &mut fields);
    fields
}

fn walk(schema: &Value, path: &str, fields: &mut Vec<Field>) {
    if let Some(below) = schema["properties"].as_object() {
        for (name, schema) in below {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            walk(schema, &path, fields);
        }
        return;
    }
    let whole = |key: &str| {
        #[allow(clippy::cast_possible_truncation)]
        schema[key].as_f64().map(|number| number as i64)
    };
    let length = |key: &str| {
        schema[key]
            .as_u64()
            .map(|number| usize::try_from(number).unwrap())
    };
    let shape = match (schema["type"].as_str().unwrap(), schema["enum"].as_array()) {
        (_, Some(choices)) => Shape::Choice(
            choices
                .iter()
                .map(|one| one.as_str().unwrap().to_owned())
                .collect(),
        ),
        ("boolean", _) => Shape::Truth,
        ("integer", _) => Shape::Number {
            least: whole("minimum").unwrap(),
            most: whole("maximum"),
        },
        ("string", _) => Shape::Text {
            shortest: length("minLength").unwrap_or(0),
            longest: length("maxLength").unwrap(),
            pattern: pattern(schema),
        },
        (other, _) => panic!("{path}: no values are made for type {other}"),
    };
    fields.push(Field {
        path: path.to_owned(),
        shape,
    });
}

/// The rule `self.matches('...')` of a field.
fn pattern(schema: &Value) -> Option<(Regex, bool)> {
    let rules = schema["x-kubernetes-validations"].as_array()?;
    rules.iter().find_map(|rule| {
        let text = rule["rule"].as_str()?;
        let must = !text.starts_with('!');
        let quoted = text
            .trim_start_matches('!')
            .strip_prefix("self.matches('")?
            .strip_suffix("')")?;
        let expression = quoted.replace("\\'", "'").replace("\\\\", "\\");
        Some((Regex::new(&expression).unwrap(), must))
    })
}

impl Shape {
    /// Whether the schema allows the value.
    pub fn allows(&self, value: &Value) -> bool {
        match self {
            Self::Truth => value.is_boolean(),
            Self::Number { least, most } => value.as_i64().is_some_and(|number| {
                number >= *least && number <= most.unwrap_or(i64::from(i32::MAX))
            }),
            Self::Choice(choices) => value
                .as_str()
                .is_some_and(|text| choices.iter().any(|one| one == text)),
            Self::Text {
                shortest,
                longest,
                pattern,
            } => value.as_str().is_some_and(|text| {
                let fits = pattern
                    .as_ref()
                    .is_none_or(|(pattern, must)| pattern.is_match(text) == *must);
                (*shortest..=*longest).contains(&text.chars().count()) && fits
            }),
        }
    }
}
