//! What a control plane is started with: the binaries, their flags, and the keys, tokens, policy
//! and kubeconfigs that are made for one run.
//!
//! It knows what kube-apiserver and etcd are told; it runs neither.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use base64::Engine as _;
use serde_json::json;

use super::Result;

/// What a control plane starts with.
#[derive(Default)]
pub struct Builder {
    audit: bool,
    pub(super) users: Vec<(String, Vec<String>)>,
    api_arguments: Vec<String>,
}

impl Builder {
    /// Writes every request (metadata only: no Secret's content) to [`ControlPlane::audit_log`].
    #[must_use]
    pub fn audit(mut self) -> Self {
        self.audit = true;
        self
    }

    /// A user with a token, in these groups. What it may do, RBAC says. A service account is user
    /// `system:serviceaccount:<namespace>:<name>`.
    #[must_use]
    pub fn user(mut self, name: &str, groups: &[&str]) -> Self {
        self.users.push((
            name.to_owned(),
            groups.iter().map(|&group| group.to_owned()).collect(),
        ));
        self
    }

    /// One more argument of kube-apiserver.
    #[must_use]
    pub fn api_argument(mut self, argument: &str) -> Self {
        self.api_arguments.push(argument.to_owned());
        self
    }
}

/// Where kube-apiserver and etcd are: what the script finds, so that there is one rule for it.
pub fn assets() -> Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hack/control-plane.sh");
    let found = Command::new("bash")
        .arg(&script)
        .arg("--find")
        .output()
        .context("cannot run bash")?;
    if !found.status.success() {
        bail!("{}", String::from_utf8_lossy(&found.stderr).trim());
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&found.stdout).trim()))
}

/// etcd with its data under `at`, which need not survive a crash of the machine.
pub fn etcd_command(assets: &Path, at: &Path, url: &str) -> Command {
    let mut command = Command::new(assets.join("etcd"));
    command
        .arg("--unsafe-no-fsync")
        // It elects itself: waiting a second for rivals would only delay the start.
        .args(["--heartbeat-interval", "10", "--election-timeout", "100"])
        .args(["--listen-peer-urls", "http://127.0.0.1:0"])
        .args(["--listen-client-urls", url])
        .args(["--advertise-client-urls", url])
        .arg("--data-dir")
        .arg(at.join("etcd"));
    command
}

/// kube-apiserver with RBAC, on the loopback interface alone.
pub fn api_command(
    builder: &Builder,
    assets: &Path,
    at: &Path,
    etcd_url: &str,
    port: u16,
) -> Command {
    let mut command = Command::new(assets.join("kube-apiserver"));
    command
        .args(["--etcd-servers", etcd_url])
        .args(["--bind-address", "127.0.0.1"])
        .args(["--secure-port", &port.to_string()])
        .args(["--authorization-mode", "RBAC"])
        .args(["--service-cluster-ip-range", "10.0.0.0/24"])
        // Without a controller manager no namespace gets its default service account.
        .args(["--disable-admission-plugins", "ServiceAccount"])
        .args(["--service-account-issuer", "https://localhost"]);
    for (flag, file) in [
        ("--cert-dir", "certs"),
        ("--token-auth-file", "tokens.csv"),
        ("--service-account-key-file", "service-account.pub"),
        ("--service-account-signing-key-file", "service-account.key"),
    ] {
        command.arg(flag).arg(at.join(file));
    }
    if builder.audit {
        command
            .arg("--audit-policy-file")
            .arg(at.join("audit-policy.yaml"));
        command.arg("--audit-log-path").arg(at.join("audit.log"));
    }
    command.args(&builder.api_arguments);
    command
}

/// Keys, tokens, policy and kubeconfigs, in a directory that only this user can read.
pub fn write_inputs(builder: &Builder, at: &Path, api_port: u16) -> Result<()> {
    let (private, public) = signing_keys()?;
    std::fs::write(at.join("service-account.key"), private)?;
    std::fs::write(at.join("service-account.pub"), public)?;
    let policy = json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}]});
    std::fs::write(at.join("audit-policy.yaml"), policy.to_string())?;
    let mut tokens = String::new();
    for (index, (user, groups)) in builder.users.iter().enumerate() {
        let token = format!("{:032x}", rand::random::<u128>());
        writeln!(
            tokens,
            "{token},\"{user}\",uid-{index},\"{}\"",
            groups.join(",")
        )?;
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": format!("https://127.0.0.1:{api_port}"),
                "certificate-authority": at.join("certs/apiserver.crt"),
            }}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user, "namespace": "default"}}],
        });
        std::fs::write(kubeconfig_path(at, user), kubeconfig.to_string())?;
    }
    std::fs::write(at.join("tokens.csv"), tokens)?;
    Ok(())
}

/// Where a user's kubeconfig stands.
pub fn kubeconfig_path(at: &Path, user: &str) -> PathBuf {
    at.join(format!("{}.kubeconfig", user.replace([':', '/'], "-")))
}

/// A fresh P-256 key pair for the tokens of service accounts, as PEM: private, public.
fn signing_keys() -> Result<(String, String)> {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    /// What stands before the point in a `SubjectPublicKeyInfo` of this curve (RFC 5480).
    const PUBLIC_PREFIX: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .map_err(anyhow::Error::msg)
        .context("no random numbers for a signing key")?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random)
        .map_err(anyhow::Error::msg)?;
    let public = [
        hex::decode(PUBLIC_PREFIX)?,
        pair.public_key().as_ref().to_vec(),
    ]
    .concat();
    Ok((
        pem("PRIVATE KEY", made.as_ref()),
        pem("PUBLIC KEY", &public),
    ))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}
