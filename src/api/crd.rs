//! The two `CustomResourceDefinition`s, as everybody uses them: `crds/`, `dws-operator crd`, tests.
//!
//! `kube` derives them from the types; what the derive cannot say is put in here. `nullable` goes,
//! so that a null is pruned and means "not written"; `default` goes, so that nothing is filled in
//! behind a manifest; the rules of [`super::rules`] come in.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

use super::rules::{self, Rule};
use super::{DwsCluster, DwsSnapshot};

/// Both definitions, `DwsCluster` first.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![cluster_crd(), snapshot_crd()]
}

/// The definition of `DwsCluster`.
pub fn cluster_crd() -> CustomResourceDefinition {
    finished(DwsCluster::crd(), &rules::cluster::rules())
}

/// The definition of `DwsSnapshot`.
pub fn snapshot_crd() -> CustomResourceDefinition {
    finished(DwsSnapshot::crd(), &rules::snapshot::rules())
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

fn finished(mut crd: CustomResourceDefinition, rules: &[Rule]) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let schema = version
            .schema
            .as_mut()
            .and_then(|s| s.open_api_v3_schema.as_mut());
        let Some(schema) = schema else { continue };
        tidy(schema);
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
