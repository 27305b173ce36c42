//! The images, as the example `image` makes them: read back from the archive with nothing of the maker's
//! own, beside the `Dockerfile` that is to give the same. The programs in them stand in for the real ones,
//! except in `life`, which takes what `make image` has built.

#![allow(clippy::unwrap_used, clippy::panic)] // A helper that fails is a test that fails.

#[path = "../../examples/image/archive.rs"]
mod archive;
mod contents;
mod dockerfile;
#[path = "../../examples/image/elf.rs"]
mod elf;
mod layout;
mod life;
mod materials;
#[path = "../../examples/image/program.rs"]
mod program;
#[path = "../../examples/image/root.rs"]
mod root;
#[path = "../../examples/image/sbom.rs"]
mod sbom;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::Read as _;

use archive::{About, Image};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use program::Program;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// The head of a program that needs nothing beside itself, and some text that can be compressed.
fn program_file() -> Vec<u8> {
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    file.resize(64, 0);
    file[18] = 62; // x86-64
    file[54] = 56; // size of an entry in the table of segments, of which there is none
    file.extend(b"the quick brown fox ".repeat(1000));
    file
}

fn about<'a>(program: &'a Program, reference: &'a str) -> About<'a> {
    let created = Timestamp::from_second(1_700_000_000).unwrap();
    program.about(reference, REVISION, created, "amd64")
}

fn build(program: &Program, reference: &str) -> Image {
    let entries = root::entries(program.name, program_file());
    archive::build(&about(program, reference), &entries).unwrap()
}

/// One entry of a tar.
struct Found {
    kind: tar::EntryType,
    mode: u32,
    owner: (u64, u64),
    mtime: u64,
    content: Vec<u8>,
}

/// The entries of a tar by name, and the names in their order.
fn untar(bytes: &[u8]) -> (BTreeMap<String, Found>, Vec<String>) {
    let mut found = BTreeMap::new();
    let mut order = Vec::new();
    for entry in tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        let one = Found {
            kind: header.entry_type(),
            mode: header.mode().unwrap(),
            owner: (header.uid().unwrap(), header.gid().unwrap()),
            mtime: header.mtime().unwrap(),
            content,
        };
        order.push(name.clone());
        assert!(found.insert(name.clone(), one).is_none(), "{name} twice");
    }
    (found, order)
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut content).unwrap();
    content
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The configuration that an archive's index leads to.
fn config(image: &Image) -> Value {
    let (files, _) = untar(&image.archive);
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap();
        let content = &files[&format!("blobs/{}", digest.replace(':', "/"))].content;
        assert_eq!(sha256(content), digest);
        assert_eq!(descriptor["size"], content.len());
        content.clone()
    };
    let index = json(&files["index.json"].content);
    let manifest = json(&blob(&index["manifests"][0]));
    json(&blob(&manifest["config"]))
}
