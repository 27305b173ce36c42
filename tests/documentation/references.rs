//! What the pages point at is there: links and their anchors, the tests that the threat model names, and the DWS
//! operations with the actions that IAM has for them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use regex::Regex;
use serde_json::Value;

use crate::support::Result;
use crate::support::figures::figure;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page of ours.
pub fn pages() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "md") {
                found.push(path);
            }
        }
    }
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "charts/dws-operator/README.md",
        "deploy/README.md",
        "examples/gitops/README.md",
    ];
    found.extend(others.map(|name| root().join(name)));
    Ok(found)
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// The text between two marks.
fn between<'a>(page: &'a str, mark: &str) -> Result<&'a str> {
    let (_, rest) = page
        .split_once(&format!("<!-- {mark}: begin"))
        .context("no begin")?;
    let (text, _) = rest
        .split_once(&format!("<!-- {mark}: end"))
        .context("no end")?;
    Ok(text)
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let link = Regex::new(r"\]\(([^)\s]+)\)")?;
    let code = Regex::new("`[^`]*`")?;
    let mut count = 0;
    let mut wrong = Vec::new();
    for page in pages()? {
        let text = fs::read_to_string(&page)?;
        let text = code.replace_all(&text, "");
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.contains("://") {
                continue;
            }
            count += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match path {
                "" => page.clone(),
                path => page.parent().context("no folder")?.join(path),
            };
            let there = path.exists()
                && (anchor.is_empty() || anchors(&fs::read_to_string(&path)?).contains(anchor));
            if !there {
                wrong.push(format!("{}: {target}", page.display()));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(count > 60, "the pattern still fits: {count}");
    figure("documentation", &format!("{count} links lead somewhere"));
    Ok(())
}

#[test]
fn every_page_is_in_the_index() -> Result<()> {
    let index = fs::read_to_string(root().join("docs/README.md"))?;
    for entry in fs::read_dir(root().join("docs"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.extension().is_some_and(|kind| kind == "md") && name != "README.md" {
            ensure!(
                index.contains(&format!("({name})")),
                "{name} is not in docs/README.md"
            );
        }
    }
    Ok(())
}

/// All Rust below a path.
fn rust(at: &Path, text: &mut String) -> Result<()> {
    if at.is_dir() {
        for entry in fs::read_dir(at)? {
            rust(&entry?.path(), text)?;
        }
    } else if at.extension().is_some_and(|kind| kind == "rs") {
        text.push_str(&fs::read_to_string(at)?);
    }
    Ok(())
}

#[test]
fn what_the_threat_model_names_is_there() -> Result<()> {
    let page = include_str!("../../docs/threat-model.md");
    let shown = Regex::new(r"\| `([^`]+)`(?: `(\w+)`)? \|$")?;
    let mut count = 0;
    let rows = between(page, "shown")?
        .lines()
        .filter(|line| line.starts_with("| "));
    // Below the head of the table.
    for row in rows.skip(1) {
        let named = shown.captures(row).with_context(|| row.to_owned())?;
        let path = root().join(&named[1]);
        ensure!(path.exists(), "{row}");
        if let Some(test) = named.get(2) {
            let mut text = String::new();
            rust(&path, &mut text)?;
            ensure!(
                text.contains(&format!("fn {}(", test.as_str())),
                "no such test: {row}"
            );
        }
        count += 1;
    }
    ensure!(count > 20, "the pattern still fits: {count}");
    figure(
        "documentation",
        &format!("{count} defences of the threat model are shown by what is there"),
    );
    Ok(())
}

/// The arms of a `match` on operations: the variant, and a text.
fn arms(code: &str, pattern: &str) -> Result<Vec<(String, String)>> {
    let pattern = Regex::new(pattern)?;
    Ok(pattern
        .captures_iter(code)
        .map(|arm| (arm[1].to_owned(), arm[2].to_owned()))
        .collect())
}

#[test]
fn the_permissions_are_those_of_the_operations() -> Result<()> {
    let code = include_str!("../../src/dws/operation.rs");
    let words = arms(code, r#"Self::(\w+) => "([a-z_]+)""#)?;
    let mut paths = Vec::new();
    for (variants, path) in arms(
        code,
        r#"((?:Self::\w+(?: \| )?)+) => (?:\{\s*)?format!\("([^"]+)"\)"#,
    )? {
        for variant in variants.split(" | ") {
            paths.push((variant.replace("Self::", ""), path.clone()));
        }
    }
    let page = include_str!("../../docs/credentials.md");
    let row = Regex::new(r"^\| `(\w+)` \| `(\w+) ([^`]+)` \| `([\w:]+)` \| (.+) \|$")?;
    let mut listed = BTreeSet::new();
    let mut needed = BTreeSet::new();
    for line in between(page, "actions")?
        .lines()
        .filter(|line| line.starts_with("| `"))
    {
        let cells = row.captures(line).with_context(|| line.to_owned())?;
        let (variant, _) = words
            .iter()
            .find(|(_, word)| *word == cells[1])
            .with_context(|| line.to_owned())?;
        let of_it = paths.iter().find(|(of, _)| of == variant);
        ensure!(of_it.is_some_and(|(_, path)| *path == cells[3]), "{line}");
        let begin = cells[1].split('_').next().unwrap_or_default();
        let method = match begin {
            "list" | "get" => "GET",
            "delete" => "DELETE",
            _ => "POST",
        };
        ensure!(cells[2] == *method, "{line}");
        if !cells[5].starts_with("not called") {
            needed.insert(cells[4].to_owned());
        }
        listed.insert(cells[1].to_owned());
    }
    // The two others are IAM's.
    let iam = ["create_token", "list_projects"];
    let all: BTreeSet<String> = words
        .iter()
        .map(|(_, word)| word.clone())
        .filter(|word| !iam.contains(&word.as_str()))
        .collect();
    ensure!(listed == all && all.len() == 13, "{listed:?} {all:?}");

    let policy = page
        .split("```json\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let policy: Value = serde_json::from_str(policy.context("no policy")?)?;
    let actions = policy["Statement"][0]["Action"]
        .as_array()
        .context("no actions")?;
    let actions: BTreeSet<String> = actions
        .iter()
        .filter_map(|action| action.as_str().map(str::to_owned))
        .collect();
    ensure!(actions == needed, "{actions:?} {needed:?}");
    figure(
        "documentation",
        &format!(
            "{} operations with their actions, {} of them in the policy",
            listed.len(),
            actions.len()
        ),
    );
    Ok(())
}
