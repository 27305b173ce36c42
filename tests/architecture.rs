//! Imports run one way, and a file is a room: which layer may name which, what the pure core may
//! not even mention, and how long a file may grow.
//!
//! Checked on the text of `src/`, since the compiler sees one crate and allows everything.

#[path = "architecture/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use source::{paths, words};

/// A layer (a folder or file of `src/`) and what of ours it may name beside itself: a layer, or
/// one module of it.
const LAYERS: [(&str, &[&str]); 8] = [
    ("api", &[]),
    ("dws", &[]),
    (
        "core",
        &[
            "api",
            "dws::model",
            "dws::call",
            "dws::answer",
            "dws::codes",
        ],
    ),
    // The replaceable source of randomness, for those above the core.
    ("entropy", &[]),
    ("observer", &["api", "dws", "core", "entropy"]),
    ("controller", &["api", "dws", "core", "entropy", "observer"]),
    (
        "operator",
        &["api", "dws", "core", "entropy", "observer", "controller"],
    ),
    // Shares no type with the client: each is written from the reference by itself, so that a
    // mistake of one shows against the other.
    ("simulator", &[]),
];

/// What each program may name: it is thin.
const PROGRAMS: [(&str, &[&str]); 2] = [
    ("dws-operator", &["operator", "api"]),
    ("dws-simulator", &["simulator"]),
];

/// The core is pure: no clock, no client, no randomness, no I/O. They are arguments.
const IMPURE: [&str; 12] = [
    "tokio",
    "reqwest",
    "rand",
    "hyper",
    "SystemTime",
    "Instant",
    "kube::Client",
    "kube::client",
    "Timestamp::now",
    "Zoned::now",
    "std::fs",
    "std::net",
];

/// What is read at one sitting.
const MAX_LINES: usize = 450;

/// What is wrong with one file; `file` is its path below `src/`.
fn violations(file: &Path, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = file.display();
    if !text.starts_with("//!") {
        wrong.push(format!(
            "{name}:1: begins with `//!`: what the file knows, and what it must not know"
        ));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        wrong.push(format!(
            "{name}: {lines} lines, at most {MAX_LINES}: it holds more than one purpose"
        ));
    }

    let module = module_of(file);
    let Some(layer) = module.first() else {
        return wrong; // lib.rs, which names every layer
    };
    let is_test = module
        .iter()
        .any(|part| part == "tests" || part.ends_with("_tests"));
    let allowed = if layer == "bin" {
        module
            .get(1)
            .and_then(|program| PROGRAMS.iter().find(|(name, _)| name == program))
    } else {
        LAYERS.iter().find(|(name, _)| name == layer)
    };
    let Some((_, allowed)) = allowed else {
        wrong.push(format!(
            "{name}: no rule says what `{layer}` may name: add it to tests/architecture.rs"
        ));
        return wrong;
    };
    if is_test {
        return wrong;
    }

    let words = words(text);
    for path in paths(&words, &module) {
        let [root, named @ ..] = path.segments.as_slice() else {
            continue;
        };
        if root == "crate" && !named.is_empty() && named[0] != *layer && !is_allowed(named, allowed)
        {
            wrong.push(format!(
                "{name}:{}: `{layer}` names `{}`",
                path.line,
                path.segments.join("::")
            ));
        }
        if layer == "core" && IMPURE.iter().any(|impure| contains(&path.segments, impure)) {
            wrong.push(format!(
                "{name}:{}: the core names `{}`",
                path.line,
                path.segments.join("::")
            ));
        }
    }
    if layer == "core" {
        for word in &words {
            if IMPURE.contains(&word.text) {
                wrong.push(format!(
                    "{name}:{}: the core mentions `{}`",
                    word.line, word.text
                ));
            }
        }
    }
    wrong
}

/// `src/core/plan/mod.rs` and `src/core/plan.rs` are both `["core", "plan"]`.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if module
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        module.pop();
    }
    module
}

fn is_allowed(named: &[String], allowed: &[&str]) -> bool {
    allowed.iter().any(|rule| {
        let rule: Vec<&str> = rule.split("::").collect();
        rule.len() <= named.len() && rule.iter().zip(named).all(|(rule, named)| rule == named)
    })
}

/// Whether `wanted` (`a::b`) stands anywhere in the path.
fn contains(segments: &[String], wanted: &str) -> bool {
    let wanted: Vec<&str> = wanted.split("::").collect();
    wanted.len() > 1
        && segments
            .windows(wanted.len())
            .any(|window| window.iter().zip(&wanted).all(|(a, b)| a == b))
}

fn source_files(directory: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            source_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn imports_run_one_way_and_files_stay_small() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files)?;
    files.sort();
    assert!(files.len() > 10, "src/ was not read: {files:?}");
    let mut wrong = BTreeSet::new();
    for file in &files {
        let text = std::fs::read_to_string(file)?;
        wrong.extend(violations(file.strip_prefix(&root).unwrap_or(file), &text));
    }
    assert!(
        wrong.is_empty(),
        "\n{}\n",
        wrong.into_iter().collect::<Vec<_>>().join("\n")
    );
    Ok(())
}

/// The checks, against code that breaks them.
mod checks {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::core_names_the_transport("core/plan.rs", "use crate::dws::transport::Transport;")]
    #[case::core_takes_all_of_dws("core/plan.rs", "use crate::dws;")]
    #[case::core_takes_all_of_dws_by_glob("core/plan.rs", "use crate::dws::*;")]
    #[case::core_names_it_in_a_group(
        "core/plan.rs",
        "use crate::{api::DwsCluster, dws::{model::Cluster, transport}};"
    )]
    #[case::core_names_it_by_super(
        "core/plan/mod.rs",
        "use super::super::dws::transport::Transport;"
    )]
    #[case::core_names_it_in_code("core/plan.rs", "fn f() { crate::controller::run(); }")]
    #[case::core_reads_a_clock("core/plan.rs", "fn f() { let now = jiff::Timestamp::now(); }")]
    #[case::core_reads_a_clock_it_imported("core/plan.rs", "use std::time::{Duration, Instant};")]
    #[case::core_names_a_client("core/plan.rs", "use kube::{Client, Resource as _};")]
    #[case::core_rolls_dice("core/plan.rs", "fn f() -> u8 { rand::random() }")]
    #[case::core_waits("core/plan.rs", "async fn f() { tokio::time::sleep(D).await }")]
    #[case::api_knows_the_client("api/cluster.rs", "use crate::dws::model::Cluster;")]
    #[case::dws_knows_the_resource("dws/model.rs", "use crate::api::DwsCluster;")]
    #[case::simulator_shares_types("simulator/wire.rs", "use crate::dws::model;")]
    #[case::simulator_by_the_crate_name("simulator/wire.rs", "use dws_operator::dws::model;")]
    #[case::observer_knows_the_controller("observer/mod.rs", "use crate::controller::Context;")]
    #[case::operator_knows_the_simulator("operator/run.rs", "use crate::simulator::World;")]
    #[case::a_program_is_not_thin("bin/dws-operator.rs", "use dws_operator::controller::run;")]
    #[case::a_layer_without_a_rule("helpers/mod.rs", "")]
    #[case::after_a_raw_string_with_a_quote(
        "core/plan.rs",
        "const A: &str = r#\"\"\"#; use crate::controller;"
    )]
    #[case::after_a_character_literal(
        "core/plan.rs",
        "const A: char = '\"'; use crate::controller;"
    )]
    #[case::after_a_lifetime("core/plan.rs", "fn f<'a>(x: &'a str) { crate::controller::run() }")]
    #[case::after_a_test_module(
        "core/plan.rs",
        "#[cfg(test)] mod t { fn f() { [1]; } } use crate::controller;"
    )]
    fn refused(#[case] file: &str, #[case] code: &str) {
        let wrong = violations(Path::new(file), &format!("//! Doc.\n{code}\n"));
        assert!(!wrong.is_empty(), "{file} with {code} passed");
    }

    #[rstest]
    #[case::core_uses_what_it_may(
        "core/plan.rs",
        "use crate::{api::DwsCluster, core::journal, dws::{answer, call::Call}};"
    )]
    #[case::its_own_neighbours(
        "core/cluster/mod.rs",
        "use super::journal::Intent; use self::a::B; use super::super::api::X;"
    )]
    #[case::other_crates(
        "core/plan.rs",
        "use kube::ResourceExt as _; use jiff::{SignedDuration, Timestamp};"
    )]
    #[case::a_comment(
        "core/plan.rs",
        "// unlike crate::controller, no tokio /* here */\n/* crate::controller /* tokio */ */"
    )]
    #[case::a_string(
        "core/plan.rs",
        "const A: &str = \"crate::controller and tokio \\\" Instant\";"
    )]
    #[case::tests_may_read_clocks(
        "core/plan.rs",
        "#[cfg(test)]\nmod tests { use std::time::Instant; }"
    )]
    #[case::controller_uses_all_below(
        "controller/run.rs",
        "use crate::{api, core, dws, observer};"
    )]
    #[case::a_thin_program("bin/dws-operator.rs", "fn main() { dws_operator::operator::main() }")]
    fn passed(#[case] file: &str, #[case] code: &str) {
        let wrong = violations(Path::new(file), &format!("//! Doc.\n{code}\n"));
        assert!(wrong.is_empty(), "{file} with {code}: {wrong:?}");
    }

    #[test]
    fn a_long_file_and_one_without_a_purpose_are_refused() {
        let long = format!("//! Doc.\n{}", "\n".repeat(MAX_LINES));
        assert_eq!(violations(Path::new("api/a.rs"), &long).len(), 1);
        assert_eq!(
            violations(Path::new("api/a.rs"), "use serde::Serialize;\n").len(),
            1
        );
    }

    #[test]
    fn a_violation_says_where() {
        let wrong = violations(
            Path::new("api/a.rs"),
            "//! Doc.\n\nuse serde::{\n    Serialize,\n};\nuse crate::{\n    dws::X,\n};\n",
        );
        assert_eq!(wrong, ["api/a.rs:7: `api` names `crate::dws::X`"]);
    }
}
