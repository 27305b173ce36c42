//! Every reason that a condition or an event can bear is explained in `docs/troubleshooting.md`.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

/// Quoted CamelCase words of the core and the controller that are not reasons: types, phases and kinds.
const NOT_REASONS: [&str; 24] = [
    "AlreadyExists",
    "Ambiguous",
    "Application",
    "Conflict",
    "Create",
    "Created",
    "DwsCluster",
    "DwsSnapshot",
    "Failed",
    "Failure",
    "False",
    "Intended",
    "Invalid",
    "NamespaceTerminating",
    "Normal",
    "NotFound",
    "Ready",
    "Reconciling",
    "Secret",
    "Stalled",
    "Status",
    "Synced",
    "True",
    "Warning",
];

fn words(folder: &Path, found: &mut BTreeSet<String>) -> support::Result<()> {
    let word = Regex::new(r#""((?:[A-Z][a-z]+)+)""#)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "tests" {
            words(&path, found)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") && !name.starts_with("test") {
            let text = fs::read_to_string(&path)?;
            let code = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or_default();
            found.extend(word.captures_iter(code).map(|one| one[1].to_owned()));
        }
    }
    Ok(())
}

#[test]
fn every_reason_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut reasons = BTreeSet::new();
    words(&root.join("src/core"), &mut reasons).unwrap();
    words(&root.join("src/controller"), &mut reasons).unwrap();
    for word in NOT_REASONS {
        reasons.remove(word);
    }
    let page = fs::read_to_string(root.join("docs/troubleshooting.md")).unwrap();
    let missing: Vec<_> = reasons
        .iter()
        .filter(|reason| !page.contains(&format!("`{reason}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/troubleshooting.md does not explain {missing:?}"
    );
    support::figures::figure(
        "documentation",
        &format!("{} reasons explained", reasons.len()),
    );
}
