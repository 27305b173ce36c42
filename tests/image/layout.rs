//! The archive as a whole: an OCI layout and a Docker archive in one, every digest that of its content, and
//! the same bytes each time.

use serde_json::{Value, json};

use super::program::PROGRAMS;
use super::support::figures::figure;
use super::{build, gunzip, json as parse, sha256, untar};

const REFERENCE: &str = "localhost:5000/team/dws-operator:v1";

#[test]
fn an_oci_layout_leads_from_the_index_to_the_layer() {
    let image = build(&PROGRAMS[0], REFERENCE);
    let (files, _) = untar(&image.archive);
    let mut checked = 0;
    let mut blob = |descriptor: &Value, media_type: &str| {
        assert_eq!(descriptor["mediaType"], media_type);
        let digest = descriptor["digest"].as_str().unwrap();
        let content = &files[&format!("blobs/{}", digest.replace(':', "/"))].content;
        assert_eq!(sha256(content), digest);
        assert_eq!(descriptor["size"], content.len());
        checked += 1;
        content.clone()
    };
    assert_eq!(
        parse(&files["oci-layout"].content),
        json!({ "imageLayoutVersion": "1.0.0" })
    );
    let index = parse(&files["index.json"].content);
    assert_eq!(index["schemaVersion"], 2);
    assert_eq!(
        index["mediaType"],
        "application/vnd.oci.image.index.v1+json"
    );
    let [described] = index["manifests"].as_array().unwrap().as_slice() else {
        panic!("{index}")
    };
    assert_eq!(described["digest"], image.digest);
    assert_eq!(
        described["platform"],
        json!({ "architecture": "amd64", "os": "linux" })
    );
    let names = &described["annotations"];
    assert_eq!(names["io.containerd.image.name"], REFERENCE);
    assert_eq!(names["org.opencontainers.image.ref.name"], "v1");

    let manifest = parse(&blob(
        described,
        "application/vnd.oci.image.manifest.v1+json",
    ));
    assert_eq!(manifest["schemaVersion"], 2);
    assert_eq!(manifest["mediaType"], described["mediaType"]);
    let config = parse(&blob(
        &manifest["config"],
        "application/vnd.oci.image.config.v1+json",
    ));
    let layers = manifest["layers"].as_array().unwrap();
    let ids = config["rootfs"]["diff_ids"].as_array().unwrap();
    assert_eq!((layers.len(), ids.len()), (1, 1));
    let layer = blob(&layers[0], "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(ids[0], sha256(&gunzip(&layer)));
    assert_eq!(image.compressed, layer.len());
    figure(
        "image",
        &format!("{checked} descriptors lead to their content"),
    );
}

#[test]
fn docker_finds_the_same_blobs_under_the_same_name() {
    let image = build(&PROGRAMS[0], REFERENCE);
    let (files, _) = untar(&image.archive);
    let docker = parse(&files["manifest.json"].content);
    let [docker] = docker.as_array().unwrap().as_slice() else {
        panic!("{docker}")
    };
    assert_eq!(docker["RepoTags"], json!([REFERENCE]));
    let index = parse(&files["index.json"].content);
    let path = |digest: &Value| {
        Value::from(format!(
            "blobs/{}",
            digest.as_str().unwrap().replace(':', "/")
        ))
    };
    let manifest = path(&index["manifests"][0]["digest"]);
    let manifest = parse(&files[manifest.as_str().unwrap()].content);
    assert_eq!(docker["Config"], path(&manifest["config"]["digest"]));
    assert_eq!(
        docker["Layers"],
        json!([path(&manifest["layers"][0]["digest"])])
    );
    // Nothing else is in it.
    let blobs = files
        .keys()
        .filter(|name| name.starts_with("blobs/sha256/"));
    assert_eq!(
        (files.len(), blobs.count()),
        (8, 4),
        "the directory and three blobs"
    );
}

#[test]
fn the_same_program_gives_the_same_bytes() {
    for program in &PROGRAMS {
        let (one, two) = (build(program, REFERENCE), build(program, REFERENCE));
        assert!(one.archive == two.archive);
        // A name is not part of what it names.
        let renamed = build(program, "registry.example.com/elsewhere/dws-operator:2");
        assert_eq!(renamed.digest, one.digest);
        assert!(renamed.archive != one.archive);
    }
    assert_ne!(
        build(&PROGRAMS[0], REFERENCE).digest,
        build(&PROGRAMS[1], REFERENCE).digest
    );
}

/// A kubelet asks for the name in full, whatever a manifest writes.
#[test]
fn its_name_is_the_one_that_a_node_looks_for() {
    for (reference, whole) in [
        ("dws-operator:1", "docker.io/library/dws-operator:1"),
        ("team/dws-operator:1", "docker.io/team/dws-operator:1"),
        ("localhost/dws-operator:1", "localhost/dws-operator:1"),
        (
            "registry.example.com/team/dws-operator:1",
            "registry.example.com/team/dws-operator:1",
        ),
    ] {
        let (files, _) = untar(&build(&PROGRAMS[0], reference).archive);
        let index = parse(&files["index.json"].content);
        let names = &index["manifests"][0]["annotations"];
        assert_eq!(names["io.containerd.image.name"], whole);
        let docker = parse(&files["manifest.json"].content);
        assert_eq!(docker[0]["RepoTags"], json!([reference]));
    }
}

#[test]
fn nothing_of_the_machine_is_in_it() {
    let (files, order) = untar(&build(&PROGRAMS[0], REFERENCE).archive);
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(order, sorted);
    let mut entries = 0;
    for (name, found) in &files {
        assert_eq!((found.owner, found.mtime), ((0, 0), 0), "{name}");
        entries += 1;
        if !name.starts_with("blobs/sha256/") || !found.content.starts_with(&[0x1f, 0x8b]) {
            continue;
        }
        // The header of gzip: no name, no time, no system.
        assert_eq!(found.content[3..8], [0, 0, 0, 0, 0], "{name}");
        assert_eq!(found.content[9], 255, "{name}");
        for (name, found) in untar(&gunzip(&found.content)).0 {
            assert_eq!((found.owner, found.mtime), ((0, 0), 0), "{name}");
            entries += 1;
        }
    }
    figure(
        "image",
        &format!("{entries} entries of no time and of root"),
    );
}
