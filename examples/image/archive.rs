//! One image as one archive: an OCI layout that is also what `docker load` takes, so that every tool that
//! reads images from a file reads this one.
//!
//! The same input gives the same bytes: entries are sorted, times are fixed, and nothing is asked of the
//! machine. The documents are written with `serde_json`, whose maps keep their order; the types of the
//! `oci-spec` crate hold labels and annotations in hash maps, which change theirs from run to run.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::root::{Entry, USER};

/// Unpacked and compressed alike, an image is to stay below this.
pub const LIMIT: usize = 15_000_000;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What an image says of itself.
pub struct About<'a> {
    /// `dws-operator`: the program, and the file at the root.
    pub program: &'a str,
    pub description: &'a str,
    /// The port on which it listens.
    pub port: u16,
    /// `repository:tag`.
    pub reference: &'a str,
    pub version: &'a str,
    /// The commit.
    pub revision: &'a str,
    /// Where its source is.
    pub source: &'a str,
    pub licenses: &'a str,
    pub created: Timestamp,
    pub architecture: &'a str,
}

/// An image, ready to be written.
pub struct Image {
    pub archive: Vec<u8>,
    /// Of the manifest: what `repository@sha256:...` names.
    pub digest: String,
    pub unpacked: usize,
    pub compressed: usize,
}

impl Image {
    /// An image that has grown too large says so before anybody pulls it.
    pub fn fits(&self) -> Result<(), String> {
        if self.unpacked.max(self.compressed) <= LIMIT {
            return Ok(());
        }
        Err(format!(
            "{} bytes, {} compressed: more than {LIMIT} is too large for it",
            self.unpacked, self.compressed
        ))
    }
}

/// The labels that every registry and scanner knows, by name.
pub fn labels(about: &About) -> Vec<(&'static str, String)> {
    vec![
        (
            "org.opencontainers.image.created",
            about.created.to_string(),
        ),
        (
            "org.opencontainers.image.description",
            about.description.to_owned(),
        ),
        (
            "org.opencontainers.image.licenses",
            about.licenses.to_owned(),
        ),
        (
            "org.opencontainers.image.revision",
            about.revision.to_owned(),
        ),
        ("org.opencontainers.image.source", about.source.to_owned()),
        ("org.opencontainers.image.title", about.program.to_owned()),
        ("org.opencontainers.image.version", about.version.to_owned()),
    ]
}

/// How the program is started in a container.
pub fn start(about: &About) -> Value {
    let labels: serde_json::Map<_, _> = labels(about)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    let port = format!("{}/tcp", about.port);
    json!({
        "User": format!("{USER}:{USER}"),
        "ExposedPorts": { port: {} },
        // `kubectl exec` of a program by its name alone.
        "Env": ["PATH=/"],
        "Entrypoint": [format!("/{}", about.program)],
        "WorkingDir": "/",
        "Labels": labels,
    })
}

/// Puts it together.
pub fn build(about: &About, entries: &[Entry]) -> io::Result<Image> {
    let layer = tar(entries.iter().map(|entry| {
        let content = entry.content.as_deref();
        (entry.path.as_str(), entry.mode, content)
    }))?;
    let packed = gzip(&layer)?;
    let created = about.created.to_string();
    let config = json!({
        "created": created,
        "architecture": about.architecture,
        "os": "linux",
        "config": start(about),
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
        "history": [{ "created": created, "created_by": "make image" }],
    })
    .to_string();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, config.as_bytes()),
        "layers": [descriptor(LAYER, &packed)],
    })
    .to_string();

    let mut described = descriptor(MANIFEST, manifest.as_bytes());
    let (_, tag) = about.reference.rsplit_once(':').unwrap_or_default();
    described["platform"] = json!({ "architecture": about.architecture, "os": "linux" });
    described["annotations"] = json!({
        // The whole name, for containerd and `kind load`; the tag, as OCI itself has it.
        "io.containerd.image.name": whole(about.reference),
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.ref.name": tag,
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [described] });
    let docker = json!([{
        "Config": blob(config.as_bytes()),
        "RepoTags": [about.reference],
        "Layers": [blob(&packed)],
    }]);

    let mut files = [
        ("blobs".to_owned(), None),
        ("blobs/sha256".to_owned(), None),
        (blob(config.as_bytes()), Some(config.as_bytes().to_vec())),
        (
            blob(manifest.as_bytes()),
            Some(manifest.as_bytes().to_vec()),
        ),
        (blob(&packed), Some(packed.clone())),
        ("index.json".to_owned(), Some(index.to_string().into())),
        ("manifest.json".to_owned(), Some(docker.to_string().into())),
        (
            "oci-layout".to_owned(),
            Some(
                json!({ "imageLayoutVersion": "1.0.0" })
                    .to_string()
                    .into_bytes(),
            ),
        ),
    ];
    files.sort();
    let archive = tar(files.iter().map(|(path, content)| {
        let mode = if content.is_some() { 0o644 } else { 0o755 };
        (path.as_str(), mode, content.as_deref())
    }))?;
    Ok(Image {
        archive,
        digest: digest(manifest.as_bytes()),
        unpacked: entries
            .iter()
            .filter_map(|entry| entry.content.as_ref())
            .map(Vec::len)
            .sum(),
        compressed: packed.len(),
    })
}

/// A tar of these, a directory where there is no content; all of it root's and of no time.
fn tar<'a>(entries: impl Iterator<Item = (&'a str, u32, Option<&'a [u8]>)>) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, mode, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(u64::try_from(content.map_or(0, <[u8]>::len)).map_err(io::Error::other)?);
        let path = match content {
            Some(_) => path.to_owned(),
            None => format!("{path}/"),
        };
        header.set_entry_type(match content {
            Some(_) => tar::EntryType::Regular,
            None => tar::EntryType::Directory,
        });
        tar.append_data(&mut header, path, content.unwrap_or_default())?;
    }
    tar.into_inner()
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    // Its header would name the building machine's system.
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    gzip.finish()
}

/// The name in full, as the kubelet asks containerd for it: what names no registry belongs to Docker's.
fn whole(reference: &str) -> String {
    let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
    match reference.split_once('/') {
        Some((first, _)) if is_host(first) => reference.to_owned(),
        Some(_) => format!("docker.io/{reference}"),
        None => format!("docker.io/library/{reference}"),
    }
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hash(bytes))
}

fn blob(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", hash(bytes))
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(bytes), "size": bytes.len() })
}
