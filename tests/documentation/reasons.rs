//! Every reason that a condition or an event can bear is explained in `docs/troubleshooting.md`, in the
//! table where a reader looks for it, and no row explains a reason that is never given.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use crate::support;

/// Quoted CamelCase words of the core and the controller that are not reasons: types, phases and kinds.
const NOT_REASONS: [&str; 9] = [
    "AlreadyExists",
    "False",
    "Normal",
    "Ready",
    "Reconciling",
    "Secret",
    "Stalled",
    "Synced",
    "True",
];
/// `Warning`, beside `Normal`, is the type of an event.
const EVENT_TYPE: &str = "Warning";

/// The production code of the core and the controller, all in one.
fn code(folder: &Path, all: &mut String) -> support::Result<()> {
    let tests = Regex::new(r"#\[cfg\(test\)\]\n(pub\(\w+\) )?mod tests \{")?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "tests" {
            code(&path, all)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") && !name.starts_with("test") {
            let text = fs::read_to_string(&path)?;
            all.push_str(tests.splitn(&text, 2).next().unwrap_or_default());
        }
    }
    Ok(())
}

fn words(pattern: &str, text: &str) -> support::Result<BTreeSet<String>> {
    let pattern = Regex::new(pattern)?;
    let found = pattern.captures_iter(text);
    Ok(found.map(|one| one[1].to_owned()).collect())
}

/// The reasons in the first cells of the table under this heading.
fn table(page: &str, heading: &str) -> support::Result<BTreeSet<String>> {
    let section = page.split("\n## ").find(|one| one.starts_with(heading));
    let rows = section
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.strip_prefix("| `"));
    let cells: Vec<_> = rows.filter_map(|row| row.split(" |").next()).collect();
    words(r"(\w+)`", &cells.join("\n"))
}

#[test]
fn every_reason_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    code(&root.join("src/core"), &mut text).unwrap();
    code(&root.join("src/controller"), &mut text).unwrap();
    let quoted = words(r#""((?:[A-Z][a-z]+)+)""#, &text).unwrap();
    let unused: Vec<_> = NOT_REASONS
        .iter()
        .filter(|word| !quoted.contains(**word))
        .collect();
    assert!(
        unused.is_empty(),
        "{unused:?} occur nowhere: take them out of NOT_REASONS"
    );
    let reasons: BTreeSet<_> = quoted
        .into_iter()
        .filter(|word| !NOT_REASONS.contains(&word.as_str()) && word != EVENT_TYPE)
        .collect();
    let page = fs::read_to_string(root.join("docs/troubleshooting.md")).unwrap();
    let conditions = table(&page, "Reasons of conditions").unwrap();
    let events = table(&page, "Reasons of events").unwrap();

    let told = words(r#"Says::new\(\s*"(\w+)""#, &text).unwrap();
    let missing: Vec<_> = told.difference(&conditions).collect();
    assert!(
        missing.is_empty(),
        "not in the conditions' table: {missing:?}"
    );
    let happens = words(
        r#"(?:EventNote::(?:normal|warning)\(|\.event\(\s*(?:true|false),)\s*"(\w+)""#,
        &text,
    )
    .unwrap();
    let missing: Vec<_> = happens.difference(&events).collect();
    assert!(missing.is_empty(), "not in the events' table: {missing:?}");
    // Those that reach a condition or an event through a variable are in one of the two.
    let explained: BTreeSet<_> = conditions.union(&events).cloned().collect();
    let missing: Vec<_> = reasons.difference(&explained).collect();
    assert!(missing.is_empty(), "explained nowhere: {missing:?}");
    let stale: Vec<_> = explained.difference(&reasons).collect();
    assert!(stale.is_empty(), "explained and never given: {stale:?}");
    assert!(
        told.len() > 30 && happens.len() > 20,
        "the patterns still fit"
    );
    support::figures::figure(
        "documentation",
        &format!(
            "{} reasons of conditions, {} of events explained",
            conditions.len(),
            events.len()
        ),
    );
}
