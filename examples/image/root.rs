//! What stands in an image: one program, the certificate authorities, and the few files under `/etc`
//! that libc and tools look for. No shell, no package manager, nothing of the machine that builds it.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// Who runs the program. Every file belongs to root, so that the program cannot change its image.
pub const USER: u32 = 65532;

/// Where Debian keeps them, which is the first place that OpenSSL's users, and ours, look at.
pub const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// One file or directory of the image.
pub struct Entry {
    /// From the root, without the slash in front.
    pub path: String,
    pub mode: u32,
    /// `None`: a directory.
    pub content: Option<Vec<u8>>,
}

/// All entries, parents first, in an order that never changes.
pub fn entries(program: &str, binary: Vec<u8>) -> Vec<Entry> {
    let passwd =
        format!("root:x:0:0:root:/:/nonexistent\nnonroot:x:{USER}:{USER}:nonroot:/:/nonexistent\n");
    let mut entries = vec![
        directory("etc"),
        directory("etc/ssl"),
        directory("etc/ssl/certs"),
        file("etc/group", format!("root:x:0:\nnonroot:x:{USER}:\n")),
        file("etc/passwd", passwd),
        // Without it, which of the two comes first depends on the version of libc.
        file("etc/nsswitch.conf", "hosts: files dns\n"),
        file(AUTHORITIES, authorities()),
        Entry {
            mode: 0o755,
            ..file(program, binary)
        },
    ];
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    entries
}

/// Writes them into a directory, for builders that copy from one.
pub fn write(entries: &[Entry], to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in entries {
        let path = to.join(&entry.path);
        match &entry.content {
            None => std::fs::create_dir_all(&path)?,
            Some(content) => std::fs::write(&path, content)?,
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(entry.mode))?;
    }
    Ok(())
}

/// The authorities that Mozilla trusts for servers, as PEM, from the crate that `Cargo.lock` pins: a file
/// of the building machine's would make the image differ from machine to machine.
pub fn authorities() -> String {
    let mut pem = String::new();
    for certificate in TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let mut text = STANDARD.encode(certificate.as_ref());
        while text.len() > 64 {
            let rest = text.split_off(64);
            pem.push_str(&text);
            pem.push('\n');
            text = rest;
        }
        pem.push_str(&text);
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    pem
}

fn directory(path: &str) -> Entry {
    Entry {
        path: path.to_owned(),
        mode: 0o755,
        content: None,
    }
}

fn file(path: &str, content: impl Into<Vec<u8>>) -> Entry {
    Entry {
        path: path.to_owned(),
        mode: 0o644,
        content: Some(content.into()),
    }
}
