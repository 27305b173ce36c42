//! The bill of materials of an image: what `cargo cyclonedx` says of the crates, cut to those that are linked
//! into the program, and completed by what no `Cargo.lock` knows: the standard library, the libc that is
//! linked statically, and the certificate authorities.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::archive::About;

/// What is in the program beside its crates.
pub struct Toolchain {
    /// `1.95.0`
    pub rust: String,
    /// Name and version of the libc: `glibc 2.36`.
    pub libc: String,
    /// The version of the crate that the authorities come from.
    pub authorities: String,
}

/// `CycloneDX` of one image. `crates` are the lines `name vVERSION` of `cargo tree`: everything that is linked,
/// neither build scripts nor macros.
pub fn complete(
    mut bom: Value,
    crates: &str,
    about: &About,
    digest: &str,
    toolchain: &Toolchain,
) -> Result<Value, String> {
    let linked: BTreeSet<(String, String)> = crates.lines().filter_map(name_and_version).collect();
    let own = format!("pkg:cargo/{}@{}", env!("CARGO_PKG_NAME"), about.version);
    rename(&mut bom, &own);

    let mut application = bom["metadata"]["component"].take();
    if application["bom-ref"] != own.as_str() {
        return Err(format!("the bill describes {}", application["bom-ref"]));
    }
    application["purl"] = own.clone().into();
    if let Some(fields) = application.as_object_mut() {
        fields.remove("components");
    }
    let found = bom["components"].as_array().cloned().unwrap_or_default();
    let mut components: Vec<Value> = vec![application];
    components.extend(found.into_iter().filter(|one| {
        let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
        linked.contains(&(text("name"), text("version")))
    }));
    // The package itself is among the lines of `cargo tree`.
    if components.len() != linked.len() {
        return Err(format!(
            "{} crates are linked, and the bill lists {}",
            linked.len(),
            components.len()
        ));
    }
    let others = others(toolchain)?;
    let beside: Vec<Value> = others.iter().map(|one| one["bom-ref"].clone()).collect();
    components.extend(others);

    let listed: BTreeSet<String> = components.iter().filter_map(reference).collect();
    let mut dependencies = vec![json!({ "ref": image(about, digest), "dependsOn": [own] })];
    for mut one in bom["dependencies"].as_array().cloned().unwrap_or_default() {
        if !one["ref"].as_str().is_some_and(|of| listed.contains(of)) {
            continue;
        }
        // Not by index, which would write a null where there is nothing.
        if let Some(on) = one.get_mut("dependsOn").and_then(Value::as_array_mut) {
            on.retain(|of| of.as_str().is_some_and(|of| listed.contains(of)));
        }
        if one["ref"] == own.as_str()
            && let Some(on) = one.get_mut("dependsOn").and_then(Value::as_array_mut)
        {
            on.extend(beside.iter().cloned());
        }
        dependencies.push(one);
    }

    bom["metadata"]["component"] = json!({
        "type": "container",
        "bom-ref": image(about, digest),
        "name": about.program,
        "version": about.version,
        "description": about.description,
        "licenses": [{ "expression": about.licenses }],
        "purl": image(about, digest),
        "externalReferences": [{ "type": "vcs", "url": about.source }],
        "properties": [{ "name": "org.opencontainers.image.revision", "value": about.revision }],
    });
    bom["components"] = components.into();
    bom["dependencies"] = dependencies.into();
    if bom.to_string().contains("file://") {
        return Err("the bill names a path of the building machine".to_owned());
    }
    Ok(bom)
}

/// The name of the image in package URLs.
fn image(about: &About, digest: &str) -> String {
    let (repository, tag) = about.reference.rsplit_once(':').unwrap_or_default();
    let (program, architecture) = (about.program, about.architecture);
    // Only where it says more than the name does.
    let from = if repository == program {
        String::new()
    } else {
        format!("&repository_url={repository}")
    };
    format!(
        "pkg:oci/{program}@{}?arch={architecture}{from}&tag={tag}",
        digest.replace(':', "%3A")
    )
}

/// What is linked in, or stands in the image, without being a crate of the program.
fn others(toolchain: &Toolchain) -> Result<Vec<Value>, String> {
    let (libc, version) = toolchain
        .libc
        .split_once(' ')
        .ok_or_else(|| format!("{:?} is no name and version of a libc", toolchain.libc))?;
    let one = |kind: &str, purl: String, name: &str, version: &str, license: &str| {
        json!({
            "type": kind,
            "bom-ref": purl,
            "name": name,
            "version": version,
            "scope": "required",
            "licenses": [{ "expression": license }],
            "purl": purl,
        })
    };
    let (rust, authorities) = (&toolchain.rust, &toolchain.authorities);
    let licence = if libc == "glibc" {
        "LGPL-2.1-or-later"
    } else {
        "MIT"
    };
    Ok(vec![
        one(
            "library",
            format!("pkg:generic/rust-std@{rust}"),
            "rust-std",
            rust,
            "MIT OR Apache-2.0",
        ),
        one(
            "library",
            format!("pkg:generic/{libc}@{version}"),
            libc,
            version,
            licence,
        ),
        one(
            "data",
            format!("pkg:cargo/webpki-root-certs@{authorities}"),
            "webpki-root-certs",
            authorities,
            "CDLA-Permissive-2.0",
        ),
    ])
}

/// `path+file:///where/it/is#0.1.0`, which names the building machine, becomes `own`.
fn rename(value: &mut Value, own: &str) {
    match value {
        Value::String(text) if text.starts_with("path+file://") => own.clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, own)),
        Value::Object(fields) => fields.values_mut().for_each(|value| rename(value, own)),
        _ => {}
    }
}

fn reference(component: &Value) -> Option<String> {
    component["bom-ref"].as_str().map(str::to_owned)
}

/// `serde v1.0.228` and more, or nothing.
fn name_and_version(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let version = words.next()?.strip_prefix('v')?;
    Some((name.to_owned(), version.to_owned()))
}
