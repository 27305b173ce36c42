//! Target: names.
//!
//! The rules in the definitions as they are committed (read at run time, as the API server will read them) and
//! functions that were written from the reference alone agree on every text, for every field that has such a rule.
//! The names that the operator makes itself (of a final snapshot, of the connection Secret) are always such that
//! the service and the API server take them.

use std::path::Path;

use dws_operator::core::cluster::final_snapshot_name;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::string::string_regex;
use regex::Regex;
use serde_json::Value;

use super::engine::{Judgement, caught, fails, holds};
use super::judges;

type Judge = fn(&str) -> bool;

/// A rule of one field, as the definition has it.
#[derive(Clone, Debug)]
struct Rule {
    field: String,
    /// The text fits where it matches, or where it does not.
    matches: bool,
    expression: String,
    compiled: Regex,
    longest: usize,
}

impl Rule {
    fn accepts(&self, text: &str) -> bool {
        let matches = self.compiled.is_match(text);
        matches == self.matches && text.chars().count() <= self.longest
    }

    /// The function that says the same.
    fn judge(&self) -> Judge {
        let last = self.field.rsplit('.').next().unwrap_or_default();
        match last {
            "clusterName" | "snapshotName" => judges::is_service_name,
            "adminUser" => judges::is_admin_user,
            "name" | "connectionSecretName" => judges::is_object_name,
            "key" => judges::is_secret_key,
            "description" => judges::is_snapshot_description,
            id if id.ends_with("Id") => judges::is_uuid,
            other => panic!("{other}: no function judges what its rule does"),
        }
    }
}

/// The rules `self.matches('...')` of a definition, with the `maxLength` beside them.
fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for plural in ["dwsclusters", "dwssnapshots"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("crds/dws.huaweicloud.com_{plural}.yaml"));
        let definition: Value =
            serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let spec =
            &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        walk(spec, "spec", &mut rules);
    }
    assert!(rules.len() >= 15, "only {} rules", rules.len());
    rules
}

fn walk(schema: &Value, field: &str, rules: &mut Vec<Rule>) {
    for rule in schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let text = rule["rule"].as_str().unwrap();
        let (matches, text) = match text.strip_prefix('!') {
            Some(rest) => (false, rest),
            None => (true, text),
        };
        if let Some(quoted) = text
            .strip_prefix("self.matches('")
            .and_then(|rest| rest.strip_suffix("')"))
        {
            let expression = quoted.replace("\\'", "'").replace("\\\\", "\\");
            rules.push(Rule {
                field: field.to_owned(),
                matches,
                compiled: Regex::new(&expression).unwrap(),
                expression,
                longest: usize::try_from(schema["maxLength"].as_u64().unwrap()).unwrap(),
            });
        }
    }
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        walk(below, &format!("{field}.{name}"), rules);
    }
}

/// A text near a rule's border: one that fits, mostly, with an edit.
fn near(rule: &Rule) -> BoxedStrategy<String> {
    let inner = rule
        .expression
        .trim_start_matches('^')
        .trim_end_matches('$');
    let fitting = if rule.matches {
        // Repetition without an end would hardly ever reach the limits.
        string_regex(&inner.replace("]*", "]{0,90}"))
            .unwrap()
            .boxed()
    } else {
        "[ -~\u{e4}]{0,300}".boxed()
    };
    let edit = prop_oneof![
        3 => Just(String::new()),
        2 => "[-._ A-Za-z0-9!'<\n\u{e4}\u{212a}\u{3b1}]",
        1 => "[a-z]{1,70}",
        1 => "\\PC{1,3}",
    ];
    (fitting, any::<Index>(), edit, any::<bool>(), any::<bool>())
        .prop_map(|(text, at, edit, take, other_case)| {
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len() + 1);
            if take && at < chars.len() {
                chars.remove(at);
            }
            chars.splice(at..at, edit.chars());
            let text: String = chars.into_iter().collect();
            if other_case {
                text.to_uppercase()
            } else {
                text
            }
        })
        .boxed()
}

fn texts(rules: &[Rule]) -> impl Strategy<Value = (Rule, String)> + use<> {
    let rules = rules.to_vec();
    let near: Vec<_> = rules
        .into_iter()
        .map(|rule| (near(&rule).prop_map(move |text| (rule.clone(), text))).boxed())
        .collect();
    proptest::strategy::Union::new(near)
}

fn agree(judge: impl Fn(&Rule) -> Judge, (rule, text): &(Rule, String)) -> Judgement {
    prop_assert_eq!(
        judge(rule)(text),
        rule.accepts(text),
        "{} of {:?}",
        rule.field,
        text
    );
    Ok(())
}

#[test]
fn functions_and_rules_agree() {
    let rules = rules();
    let what = format!("texts near the {} rules of both kinds", rules.len());
    holds("names", &what, 4_000, &texts(&rules), |case| {
        agree(Rule::judge, &case)
    });
}

// --- names that the operator makes --------------------------------------------------------------------

/// Names of a cluster, and uids of its resource.
fn owners() -> impl Strategy<Value = (String, String)> {
    let uid = prop_oneof![
        3 => "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        1 => "\\PC{0,40}",
    ];
    ("[a-zA-Z][a-zA-Z0-9_-]{3,63}", uid)
}

fn is_fit(
    make: fn(&str, &str) -> String,
    rule: &Rule,
    (cluster, uid): &(String, String),
) -> Judgement {
    let name = make(cluster, uid);
    prop_assert!(rule.accepts(&name), "{name} of {cluster} and {uid:?}");
    let head: String = cluster.chars().take(49).collect();
    prop_assert!(name.starts_with(&format!("{head}-final-")), "{name}");
    let mut other = uid.clone();
    if let Some(first) = other.chars().next().filter(char::is_ascii_hexdigit) {
        other.replace_range(..1, if first == '0' { "1" } else { "0" });
        prop_assert_ne!(
            &name,
            &make(cluster, &other),
            "the same for another resource"
        );
    }
    Ok(())
}

#[test]
fn names_that_the_operator_makes_are_taken() {
    let rules = rules();
    let of = |field: &str| {
        rules
            .iter()
            .find(|rule| rule.field == field)
            .unwrap()
            .clone()
    };
    let snapshot = of("spec.snapshotName");
    holds("names", "final snapshots", 3_000, &owners(), |owner| {
        is_fit(final_snapshot_name, &snapshot, &owner)
    });

    let secret = of("spec.connectionSecretName");
    let label = "[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?";
    let resources = string_regex(&format!("{label}([.]{label}){{0,4}}")).unwrap();
    holds("names", "connection Secrets", 1_000, &resources, |name| {
        if name.len() <= 242 {
            let connection = format!("{name}{}", dws_operator::api::CONNECTION_SECRET_SUFFIX);
            prop_assert!(secret.accepts(&connection), "{connection}");
        }
        Ok(())
    });
}

#[test]
fn broken_names_are_caught() {
    let rules = rules();
    let with = |field: &'static str, broken: Judge| {
        let of_field: Vec<Rule> = rules
            .iter()
            .filter(|rule| rule.field.ends_with(field))
            .cloned()
            .collect();
        fails(&texts(&of_field), |case| agree(|_| broken, &case))
    };
    let snapshot = rules
        .iter()
        .find(|rule| rule.field == "spec.snapshotName")
        .unwrap();
    let made =
        |make: fn(&str, &str) -> String| fails(&owners(), |owner| is_fit(make, snapshot, &owner));
    caught(
        "names",
        &[
            (
                "65 characters",
                with("clusterName", |text| {
                    judges::is_service_name(text)
                        || (text.len() == 65 && judges::is_service_name(&text[..64]))
                }),
            ),
            (
                "letters of other scripts",
                with("clusterName", |text| {
                    text.chars().count() > 3
                        && text.len() <= 64
                        && text.starts_with(char::is_alphabetic)
                        && text
                            .chars()
                            .all(|c| c.is_alphanumeric() || "-_".contains(c))
                }),
            ),
            (
                "capitals in a UUID",
                with("Id", |text| judges::is_uuid(&text.to_ascii_lowercase())),
            ),
            (
                "a line feed at the end",
                with("adminUser", |text| {
                    judges::is_admin_user(text.trim_end_matches('\n'))
                }),
            ),
            (
                "an empty part",
                with("connectionSecretName", |text| {
                    judges::is_object_name(&text.replace("..", "."))
                }),
            ),
            (
                "a final name that is too long",
                made(|cluster, uid| {
                    format!(
                        "{cluster}-final-{}",
                        uid.chars()
                            .filter(char::is_ascii_alphanumeric)
                            .take(8)
                            .collect::<String>()
                    )
                }),
            ),
            (
                "a final name without the uid",
                made(|cluster, _| {
                    format!("{}-final", cluster.chars().take(49).collect::<String>())
                }),
            ),
            (
                "a final name with the uid as it stands",
                made(|cluster, uid| {
                    format!(
                        "{}-final-{}",
                        cluster.chars().take(49).collect::<String>(),
                        uid.chars().take(8).collect::<String>()
                    )
                }),
            ),
        ],
    );
}
