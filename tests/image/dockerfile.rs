//! The `Dockerfile` gives the same image as `make image`: its last stages are read here and compared with the
//! configuration that the archive has. Its files come from the same example, by `hack/image.sh --root`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::program::{PROGRAMS, Program};
use super::{REVISION, about, archive, build, config};

/// The instructions of a stage: word and argument, lines joined, comments gone.
fn stage(name: &str) -> Vec<(String, String)> {
    let file = read("Dockerfile").replace("\\\n", " ");
    let mut within = false;
    let mut found = Vec::new();
    for line in file.lines().map(str::trim) {
        let Some((word, argument)) = line.split_once(' ') else {
            continue;
        };
        if word == "FROM" {
            within = argument.ends_with(&format!(" AS {name}"));
        }
        if within && word != "#" {
            found.push((word.to_owned(), argument.trim().to_owned()));
        }
    }
    found
}

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What a builder makes of the stage, in the form of an image's configuration.
fn configured(program: &Program, arguments: &[(&str, &str)]) -> Value {
    let mut arguments: BTreeMap<String, String> = arguments
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let label = regex::Regex::new(r#"([\w.]+)="([^"]*)""#).unwrap();
    let mut config = json!({ "Labels": {}, "Env": [], "ExposedPorts": {} });
    for (word, argument) in stage(program.name) {
        match word.as_str() {
            "FROM" => assert_eq!(argument, format!("scratch AS {}", program.name)),
            "ARG" => {
                let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
                arguments
                    .entry(name.to_owned())
                    .or_insert_with(|| value.to_owned());
            }
            "LABEL" => {
                for pair in label.captures_iter(&argument) {
                    let value = pair[2]
                        .strip_prefix('$')
                        .map_or(pair[2].to_owned(), |name| arguments[name].clone());
                    config["Labels"][&pair[1]] = value.into();
                }
            }
            "COPY" => assert_eq!(argument, format!("--from=build /image/{}/ /", program.name)),
            "ENV" => config["Env"] = json!([argument]),
            "WORKDIR" => config["WorkingDir"] = argument.into(),
            "USER" => config["User"] = argument.into(),
            "EXPOSE" => config["ExposedPorts"][argument] = json!({}),
            "ENTRYPOINT" => config["Entrypoint"] = serde_json::from_str(&argument).unwrap(),
            other => panic!("{other}: what does it make of the image?"),
        }
    }
    config
}

#[test]
fn it_gives_the_configuration_of_the_archive() {
    for program in &PROGRAMS {
        let created = about(program, "").created.to_string();
        let arguments = [("REVISION", REVISION), ("CREATED", created.as_str())];
        let made = config(&build(program, "localhost/it:v1"));
        assert_eq!(configured(program, &arguments), made["config"]);
        assert_eq!(
            archive::labels(&about(program, "")).len(),
            made["config"]["Labels"].as_object().unwrap().len()
        );
    }
}

#[test]
fn its_files_come_from_the_same_script_and_compiler() {
    let build = stage("build");
    let toolchain = read("rust-toolchain.toml");
    let from = build[0].1.split([':', '-']).nth(1).unwrap();
    assert!(toolchain.contains(&format!("\"{from}\"")), "{from}");
    let env = build.iter().find(|(word, _)| word == "ENV").unwrap();
    assert_eq!(env.1, format!("RUSTUP_TOOLCHAIN={from}"));
    let run: Vec<_> = build.iter().filter(|(word, _)| word == "RUN").collect();
    assert_eq!(run.len(), 1);
    assert!(run[0].1.ends_with("hack/image.sh --root /image"));
}
