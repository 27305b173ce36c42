//! The generated files that are committed are those that `make generate` would write now.

#[path = "../examples/generate/files.rs"]
mod files;
#[path = "../examples/generate/reference.rs"]
mod reference;
#[path = "../examples/generate/values.rs"]
mod values;

use std::path::Path;

#[test]
fn committed_files_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, content) in files::all().unwrap() {
        let committed = std::fs::read_to_string(root.join(name)).unwrap_or_default();
        assert!(
            committed == content,
            "{name} differs from the code: run make generate"
        );
    }
}

#[test]
fn generating_twice_gives_the_same() {
    assert_eq!(files::all().unwrap(), files::all().unwrap());
}

#[test]
fn the_yaml_reads_back_as_the_same_definitions() {
    let crds = dws_operator::api::crds();
    for ((_, content), crd) in files::all().unwrap().iter().zip(&crds) {
        let read: serde_json::Value = serde_yaml_ng::from_str(content).unwrap();
        assert_eq!(read, serde_json::to_value(crd).unwrap());
    }
}
