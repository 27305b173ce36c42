//! What is in an image, and how it is started: one program as nobody in particular, authorities that our TLS
//! accepts, and nothing else.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use super::archive::LIMIT;
use super::program::PROGRAMS;
use super::support::figures::figure;
use super::{REVISION, build, config, elf, gunzip, program_file, root, untar};

#[test]
fn an_image_holds_the_program_and_five_files() {
    for program in &PROGRAMS {
        let image = build(program, "localhost/it:v1");
        let (files, _) = untar(&image.archive);
        let layers = files
            .values()
            .filter(|file| file.content.starts_with(&[0x1f, 0x8b]));
        let layer = layers.map(|file| gunzip(&file.content)).next().unwrap();
        let (layer, order) = untar(&layer);
        let found: Vec<_> = order
            .iter()
            .map(|name| (name.as_str(), layer[name].mode, layer[name].kind.is_dir()))
            .collect();
        let expected = [
            (program.name, 0o755, false),
            ("etc/", 0o755, true),
            ("etc/group", 0o644, false),
            ("etc/nsswitch.conf", 0o644, false),
            ("etc/passwd", 0o644, false),
            ("etc/ssl/", 0o755, true),
            ("etc/ssl/certs/", 0o755, true),
            ("etc/ssl/certs/ca-certificates.crt", 0o644, false),
        ];
        assert_eq!(found, expected);
        assert_eq!(layer[program.name].content, program_file());
        let passwd = String::from_utf8(layer["etc/passwd"].content.clone()).unwrap();
        assert!(passwd.contains("nonroot:x:65532:65532:"), "{passwd}");
        let sum: usize = layer.values().map(|file| file.content.len()).sum();
        assert_eq!(image.unpacked, sum);
    }
}

#[test]
fn it_starts_the_program_as_nobody_in_particular() {
    for (program, port) in PROGRAMS.iter().zip(["8080/tcp", "18080/tcp"]) {
        let config = config(&build(program, "localhost/it:v1"));
        let started = &config["config"];
        assert_eq!(started["User"], "65532:65532");
        assert_eq!(started["Entrypoint"], json!([format!("/{}", program.name)]));
        assert!(started.get("Cmd").is_none());
        assert_eq!(started["ExposedPorts"], json!({ port: {} }));
        assert_eq!(config["os"], "linux");
        assert_eq!(config["architecture"], "amd64");
        assert_eq!(config["created"], "2023-11-14T22:13:20Z");

        let label = |name: &str| &started["Labels"][format!("org.opencontainers.image.{name}")];
        assert_eq!(label("title"), program.name);
        assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
        assert_eq!(label("revision"), REVISION);
        assert_eq!(label("licenses"), "Apache-2.0");
        assert_eq!(label("created"), "2023-11-14T22:13:20Z");
        assert!(label("source").as_str().unwrap().starts_with("https://"));
        assert!(label("description").as_str().unwrap().contains("DWS"));
    }
}

#[test]
fn tls_accepts_every_authority_of_the_image() {
    let directory = tempfile::tempdir().unwrap();
    let entries = root::entries("dws-operator", program_file());
    root::write(&entries, directory.path()).unwrap();
    let file = directory.path().join(root::AUTHORITIES);
    let loaded = rustls_native_certs::load_certs_from_paths(Some(&file), None);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    let (added, ignored) = RootCertStore::empty().add_parsable_certificates(loaded.certs);
    let text = std::fs::read(&file).unwrap();
    let all = CertificateDer::pem_slice_iter(&text).count();
    assert_eq!((added, ignored), (all, 0));
    assert!(all > 100, "{all}");
    let longest = text.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert_eq!(
        longest,
        Some(64),
        "the width that every reader of PEM takes"
    );
    figure("image", &format!("{all} authorities that TLS accepts"));
}

#[test]
fn a_program_that_needs_more_than_itself_is_refused() {
    // This one is linked as every other.
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let refused = elf::architecture(&own).unwrap_err();
    assert!(refused.contains("crt-static"), "{refused}");
    assert_eq!(elf::architecture(&program_file()), Ok("amd64"));
    let mut other = program_file();
    other[18] = 183;
    assert_eq!(elf::architecture(&other), Ok("arm64"));
    other[18] = 8;
    assert!(elf::architecture(&other).is_err(), "no image for MIPS");
    assert!(elf::architecture(b"#!/bin/sh\n").is_err());
    for length in 0..58 {
        // Whatever is cut off, an answer and no panic.
        let cut = elf::architecture(&own[..length]);
        assert!(cut.is_err(), "{length}");
    }
}

#[test]
fn an_image_that_has_grown_too_large_says_so() {
    let mut image = build(&PROGRAMS[0], "localhost/it:v1");
    assert_eq!(image.fits(), Ok(()));
    image.unpacked = LIMIT + 1;
    assert!(image.fits().unwrap_err().contains("15000001"));
}
