//! The two `CustomResourceDefinition`s, as everybody uses them: `crds/`, `dws-operator crd`, tests.
//!
//! `kube` derives them from the types; what the derive cannot say is put in here. `nullable` goes,
//! so that no null is ever stored (it is dropped or refused); `default` goes, so that nothing is
//! filled in behind a manifest; columns, the rules of [`super::rules`] and the status before the first
//! one come in.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSON, JSONSchemaProps,
    JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::json;

use super::columns;
use super::names::UNOBSERVED;
use super::rules::{self, Rule};
use super::{DwsCluster, DwsSnapshot};

/// Both definitions, `DwsCluster` first.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![cluster_crd(), snapshot_crd()]
}

/// The definition of `DwsCluster`.
pub fn cluster_crd() -> CustomResourceDefinition {
    finished(
        DwsCluster::crd(),
        &columns::cluster(),
        &rules::cluster::rules(),
    )
}

/// The definition of `DwsSnapshot`.
pub fn snapshot_crd() -> CustomResourceDefinition {
    finished(
        DwsSnapshot::crd(),
        &columns::snapshot(),
        &rules::snapshot::rules(),
    )
}

/// The schema of the one version that a definition of ours has.
pub fn schema_of(crd: &CustomResourceDefinition) -> Option<&JSONSchemaProps> {
    let version = crd.spec.versions.first()?;
    version.schema.as_ref()?.open_api_v3_schema.as_ref()
}

/// The schema of the field at a dotted path from the root; the empty path is the root.
pub fn field_of<'a>(schema: &'a JSONSchemaProps, path: &str) -> Option<&'a JSONSchemaProps> {
    path.split('.')
        .filter(|name| !name.is_empty())
        .try_fold(schema, |at, name| at.properties.as_ref()?.get(name))
}

fn finished(
    mut crd: CustomResourceDefinition,
    columns: &[CustomResourceColumnDefinition],
    rules: &[Rule],
) -> CustomResourceDefinition {
    // There is one version; a second would have columns of its own.
    for version in &mut crd.spec.versions {
        version.additional_printer_columns = Some(columns.to_vec());
        let schema = version
            .schema
            .as_mut()
            .and_then(|s| s.open_api_v3_schema.as_mut());
        let Some(schema) = schema else { continue };
        tidy(schema);
        if let Some(status) = field_mut(schema, "status") {
            // kstatus (Flux, `helm --wait`) takes a resource without any status for one that is as it should
            // be; a generation that is not observed yet it waits for.
            status.default = Some(JSON(json!({"observedGeneration": UNOBSERVED})));
        }
        for rule in rules {
            if let Some(place) = field_mut(schema, rule.at) {
                place
                    .x_kubernetes_validations
                    .get_or_insert_default()
                    .push(rule.to_validation());
            }
        }
    }
    crd
}

fn field_mut<'a>(schema: &'a mut JSONSchemaProps, path: &str) -> Option<&'a mut JSONSchemaProps> {
    path.split('.')
        .filter(|name| !name.is_empty())
        .try_fold(schema, |at, name| at.properties.as_mut()?.get_mut(name))
}

/// Applies what holds for every level of the schema.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.default = None;
    schema.title = None;
    if let Some(description) = &mut schema.description {
        *description = one_line_per_paragraph(description);
    }
    for field in schema.properties.iter_mut().flat_map(|p| p.values_mut()) {
        tidy(field);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy(values);
    }
}

/// Doc comments are wrapped for editors; descriptions are wrapped by whoever shows them.
fn one_line_per_paragraph(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::rules::Change;
    use super::*;

    /// Every schema below (and with) the one given, with its path; items are `[]`, values `{}`.
    fn walk(schema: &JSONSchemaProps, path: &str, visit: &mut dyn FnMut(&str, &JSONSchemaProps)) {
        visit(path, schema);
        for (name, field) in schema.properties.iter().flatten() {
            walk(field, &format!("{path}.{name}"), visit);
        }
        if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
            walk(items, &format!("{path}[]"), visit);
        }
        if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
            walk(values, &format!("{path}{{}}"), visit);
        }
    }

    /// What is wrong with any part of the schemas, by the given judgement.
    fn faults(judge: impl Fn(&JSONSchemaProps) -> bool) -> Vec<String> {
        let mut faults = Vec::new();
        let mut seen = 0;
        for crd in crds() {
            let schema = schema_of(&crd).unwrap();
            walk(schema, &crd.spec.names.kind, &mut |path, part| {
                seen += 1;
                if !judge(part) {
                    faults.push(path.to_owned());
                }
            });
        }
        assert!(seen > 150, "only {seen} parts were walked");
        faults
    }

    fn type_is(schema: &JSONSchemaProps, name: &str) -> bool {
        schema.type_.as_deref() == Some(name)
    }

    /// A definition with its rules and its table of changes.
    type Kind = (
        CustomResourceDefinition,
        Vec<Rule>,
        &'static [(&'static str, Change)],
    );

    fn kinds() -> [Kind; 2] {
        [
            (
                cluster_crd(),
                rules::cluster::rules(),
                rules::cluster::CHANGES,
            ),
            (
                snapshot_crd(),
                rules::snapshot::rules(),
                rules::snapshot::CHANGES,
            ),
        ]
    }

    #[test]
    fn every_part_is_described_but_the_items_of_plain_lists() {
        let mut faults = faults(|part| {
            part.description
                .as_deref()
                .is_some_and(|text| text.len() > 10)
        });
        faults.retain(|path| path != "DwsCluster.status.privateIps[]");
        assert_eq!(faults, [""; 0]);
    }

    #[test]
    fn descriptions_of_the_spec_say_the_parameter_and_what_holds_when_not_written() {
        for (crd, _, changes) in kinds() {
            for (path, _) in changes {
                let field = field_of(schema_of(&crd).unwrap(), path).unwrap();
                let text = field.description.as_deref().unwrap();
                assert!(text.contains("DWS parameter"), "{path}: {text}");
                let absence = text.contains("Not written") || text.contains("equired");
                assert!(absence, "{path}: {text}");
            }
        }
    }

    #[test]
    fn every_text_list_and_map_is_bounded() {
        let unbounded = faults(|part| match part.type_.as_deref() {
            Some("string") => {
                part.max_length.is_some() || part.enum_.is_some() || part.format.is_some()
            }
            Some("array") => part.max_items.is_some() && part.x_kubernetes_list_type.is_some(),
            Some("object") => part.additional_properties.is_none() || part.max_properties.is_some(),
            _ => true,
        });
        assert_eq!(unbounded, [""; 0]);
    }

    #[test]
    fn nothing_is_filled_in_but_the_first_status_and_null_means_not_written() {
        let filled = faults(|part| part.default.is_none() && part.nullable.is_none());
        assert_eq!(filled, ["DwsCluster.status", "DwsSnapshot.status"]);
        let open = faults(|part| part.x_kubernetes_preserve_unknown_fields.is_none());
        assert_eq!(open, [""; 0], "unknown fields are refused or pruned");
        let unsigned = faults(|part| !part.format.as_deref().unwrap_or("").starts_with('u'));
        assert_eq!(unsigned, [""; 0]);
    }

    #[test]
    fn conditions_are_keyed_by_type() {
        for crd in crds() {
            let conditions = field_of(schema_of(&crd).unwrap(), "status.conditions").unwrap();
            assert_eq!(conditions.x_kubernetes_list_type.as_deref(), Some("map"));
            assert_eq!(
                conditions.x_kubernetes_list_map_keys,
                Some(vec!["type".to_owned()])
            );
        }
    }

    #[test]
    fn every_field_of_the_spec_says_when_it_may_change() {
        for (crd, _, changes) in kinds() {
            let spec = field_of(schema_of(&crd).unwrap(), "spec").unwrap();
            let mut leaves = BTreeSet::new();
            walk(spec, "spec", &mut |path, part| {
                if !type_is(part, "object") {
                    leaves.insert(path.to_owned());
                }
            });
            let listed: BTreeSet<String> =
                changes.iter().map(|(path, _)| (*path).to_owned()).collect();
            assert_eq!(listed, leaves);
            assert_eq!(changes.len(), leaves.len(), "a field is listed twice");
        }
    }

    #[test]
    fn every_rule_is_in_place_and_says_what_to_write() {
        for (crd, rules, changes) in kinds() {
            let schema = schema_of(&crd).unwrap();
            let mut placed = 0;
            walk(schema, "", &mut |_, part| {
                placed += part.x_kubernetes_validations.as_ref().map_or(0, Vec::len);
            });
            assert_eq!(placed, rules.len());
            for rule in &rules {
                assert!(field_of(schema, rule.at).is_some(), "{}", rule.at);
                assert!(field_of(schema, &rule.field).is_some(), "{}", rule.field);
                assert!(
                    rule.field.starts_with(rule.at),
                    "{} is not below {}",
                    rule.field,
                    rule.at
                );
                for text in [Some(&rule.message), rule.message_expression.as_ref()]
                    .into_iter()
                    .flatten()
                {
                    assert!(text.contains("write ") || text.contains("leave "), "{text}");
                    assert!(text.len() < 2_048 && !text.contains('\n'), "{text}");
                    assert!(!text.contains("  "), "{text}");
                }
            }
            for (path, change) in changes {
                let transitions = rules
                    .iter()
                    .filter(|rule| rule.field == *path && rule.expression.contains("oldSelf"))
                    .count();
                let expected = match change {
                    Change::Free => 0,
                    Change::Fixed | Change::Grows => 1,
                    Change::SetOnce => 2,
                };
                assert_eq!(transitions, expected, "{path}");
            }
        }
    }

    #[test]
    fn the_columns_are_those_of_the_contract() {
        let columns = |crd: &CustomResourceDefinition, priority: i32| -> Vec<String> {
            let columns = crd.spec.versions[0]
                .additional_printer_columns
                .iter()
                .flatten();
            columns
                .filter(|column| column.priority.unwrap_or(0) == priority)
                .map(|column| column.name.clone())
                .collect()
        };
        let cluster = cluster_crd();
        assert_eq!(
            columns(&cluster, 0),
            [
                "Status",
                "Sub-Status",
                "Task",
                "Progress",
                "Nodes",
                "Ready",
                "Age"
            ]
        );
        assert_eq!(
            columns(&cluster, 1),
            ["Version", "Endpoint", "ID", "Synced", "Reason"]
        );
        let snapshot = snapshot_crd();
        assert_eq!(
            columns(&snapshot, 0),
            ["Cluster", "Status", "Type", "Size", "Ready", "Age"]
        );
        assert_eq!(columns(&snapshot, 1), ["ID", "Finished"]);
    }

    #[test]
    fn names_scope_and_sub_resource() {
        for (crd, (kind, plural, short)) in crds().into_iter().zip([
            ("DwsCluster", "dwsclusters", "dwsc"),
            ("DwsSnapshot", "dwssnapshots", "dwss"),
        ]) {
            assert_eq!(
                crd.metadata.name,
                Some(format!("{plural}.dws.huaweicloud.com"))
            );
            assert_eq!(crd.spec.group, "dws.huaweicloud.com");
            assert_eq!(crd.spec.scope, "Namespaced");
            assert_eq!(crd.spec.names.kind, kind);
            assert_eq!(crd.spec.names.short_names, Some(vec![short.to_owned()]));
            assert_eq!(crd.spec.names.categories, Some(vec!["dws".to_owned()]));
            let version = &crd.spec.versions[0];
            assert_eq!(
                (version.name.as_str(), version.served, version.storage),
                ("v1alpha1", true, true)
            );
            assert!(version.subresources.as_ref().unwrap().status.is_some());
        }
    }
}
