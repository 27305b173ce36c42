//! The bill of materials: the crates that are linked and no others, what is linked beside them, and nothing
//! that names the building machine.

use serde_json::{Value, json};

use super::about;
use super::program::PROGRAMS;
use super::sbom::{Toolchain, complete};

const DIGEST: &str = "sha256:aaaa";
const CRATES: &str =
    "dws-operator v0.1.0 (/home/somebody/dws-operator)\nserde v1.0.0\nring v0.17.0\n";

fn toolchain() -> Toolchain {
    Toolchain {
        rust: "1.95.0".to_owned(),
        libc: "glibc 2.36".to_owned(),
        authorities: "1.0.11".to_owned(),
    }
}

/// As the tool writes it, for a package in somebody's home.
fn described() -> Value {
    const OWN: &str = "path+file:///home/somebody/dws-operator#0.1.0";
    let library = |name: &str, version: &str| {
        json!({
            "type": "library",
            "bom-ref": format!("registry#{name}@{version}"),
            "name": name,
            "version": version,
            "licenses": [{ "expression": "MIT" }],
            "purl": format!("pkg:cargo/{name}@{version}"),
        })
    };
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "metadata": { "component": {
            "type": "application",
            "bom-ref": OWN,
            "name": "dws-operator",
            "version": "0.1.0",
            "purl": "pkg:cargo/dws-operator@0.1.0?download_url=file://.",
            "components": [{ "bom-ref": format!("{OWN} bin-target-0") }],
        }},
        "components": [
            library("serde", "1.0.0"),
            library("serde_derive", "1.0.0"),
            library("ring", "0.17.0"),
        ],
        "dependencies": [
            { "ref": OWN, "dependsOn": ["registry#ring@0.17.0", "registry#serde@1.0.0"] },
            { "ref": "registry#serde@1.0.0", "dependsOn": ["registry#serde_derive@1.0.0"] },
            { "ref": "registry#serde_derive@1.0.0" },
            { "ref": "registry#ring@0.17.0" },
        ],
    })
}

fn completed(bom: Value, crates: &str) -> Result<Value, String> {
    let about = about(&PROGRAMS[0], "registry.example.com/team/dws-operator:0.1.0");
    complete(bom, crates, &about, DIGEST, &toolchain())
}

#[test]
fn it_lists_what_is_linked_and_nothing_else() {
    let bom = completed(described(), CRATES).unwrap();
    let components = bom["components"].as_array().unwrap();
    let names: Vec<_> = components
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["version"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("dws-operator", "0.1.0"),
            ("serde", "1.0.0"),
            ("ring", "0.17.0"),
            ("rust-std", "1.95.0"),
            ("glibc", "2.36"),
            ("webpki-root-certs", "1.0.11"),
        ]
    );
    assert!(
        components[1..]
            .iter()
            .all(|one| one["licenses"][0]["expression"].is_string()),
        "each has its licence"
    );
    let image = &bom["metadata"]["component"];
    assert_eq!(image["type"], "container");
    assert_eq!(
        image["purl"],
        "pkg:oci/dws-operator@sha256%3Aaaaa?arch=amd64&repository_url=registry.example.com/team/dws-operator&tag=0.1.0"
    );
}

#[test]
fn an_image_without_a_registry_is_named_by_its_program_alone() {
    let about = about(&PROGRAMS[0], "dws-operator:0.1.0");
    let bom = complete(described(), CRATES, &about, DIGEST, &toolchain()).unwrap();
    assert_eq!(
        bom["metadata"]["component"]["purl"],
        "pkg:oci/dws-operator@sha256%3Aaaaa?arch=amd64&tag=0.1.0"
    );
}

#[test]
fn what_depends_on_what_is_closed() {
    let bom = completed(described(), CRATES).unwrap();
    let image = bom["metadata"]["component"]["bom-ref"].clone();
    let mut known: Vec<_> = bom["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["bom-ref"].clone())
        .collect();
    known.push(image.clone());
    // The schema knows no null, for what depends on nothing neither.
    assert!(!bom.to_string().contains("null"), "{bom}");
    let dependencies = bom["dependencies"].as_array().unwrap();
    for one in dependencies {
        assert!(known.contains(&one["ref"]), "{one}");
        for on in one["dependsOn"].as_array().into_iter().flatten() {
            assert!(known.contains(on), "{one}");
        }
    }
    assert_eq!(dependencies[0]["ref"], image);
    assert_eq!(
        dependencies[0]["dependsOn"],
        json!(["pkg:cargo/dws-operator@0.1.0"])
    );
    let own = dependencies[1]["dependsOn"].as_array().unwrap();
    assert!(own.contains(&json!("pkg:generic/glibc@2.36")), "{own:?}");
}

#[test]
fn it_names_nothing_of_the_building_machine() {
    let text = completed(described(), CRATES).unwrap().to_string();
    assert!(
        !text.contains("somebody") && !text.contains("file:"),
        "{text}"
    );
    let mut other = described();
    other["components"][0]["description"] = "see file:///home/somebody/serde".into();
    assert!(completed(other, CRATES).unwrap_err().contains("path"));
}

#[test]
fn a_bill_that_lacks_something_linked_is_refused() {
    let more = format!("{CRATES}tokio v1.0.0\n");
    let refused = completed(described(), &more).unwrap_err();
    assert_eq!(refused, "4 crates are linked, and the bill lists 3");
}
