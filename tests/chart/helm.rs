//! helm as a user runs it, with directories of its own: what it renders, and why it refuses.
//!
//! It knows the chart by its folder, and no value of it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize as _;
use serde_json::Value;

use crate::support::Result;
use crate::support::guard::GuardedDirectory;
use crate::support::tools::tool;

/// The release in the tests, where a case names no other.
pub const RELEASE: &str = "dws-operator";
/// Its namespace.
pub const NAMESPACE: &str = "dws-system";

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program, and a home that it may write to.
pub struct Helm {
    binary: PathBuf,
    home: GuardedDirectory,
}

impl Helm {
    /// `None` where it cannot be had here, which it has said then. `CHART_HELM` names another one of `hack/tools`.
    pub fn find() -> Result<Option<Self>> {
        let name = std::env::var("CHART_HELM").unwrap_or_else(|_| "helm".to_owned());
        let Some(binary) = tool(&name, "chart")? else {
            return Ok(None);
        };
        let home = GuardedDirectory::new("dws-helm-")?;
        Ok(Some(Self { binary, home }))
    }

    /// helm, to which arguments are added. It sees no cluster unless it is given one.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(root())
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.home.path().join("none"));
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(variable, self.home.path().join(variable));
        }
        command
    }

    /// The objects that these values give, or what helm says against them. Its hooks (`helm test`) are among
    /// them.
    pub fn render(
        &self,
        release: &str,
        values: &Value,
    ) -> Result<std::result::Result<Vec<Value>, String>> {
        let mut command = self.command();
        command.args(["template", release, "charts/dws-operator", "-n", NAMESPACE]);
        command.args(["-f", "-"]);
        let output = with_input(command, &values.to_string())?;
        if output.status.success() {
            objects(&String::from_utf8(output.stdout)?).map(Ok)
        } else {
            Ok(Err(String::from_utf8(output.stderr)?))
        }
    }
}

/// Runs a command with this on its input.
pub fn with_input(mut command: Command, input: &str) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // Dropped at the end of the statement, so that the input ends; a program may end before it reads.
    let _ = child
        .stdin
        .take()
        .context("no input")?
        .write_all(input.as_bytes());
    Ok(child.wait_with_output()?)
}

/// The documents of a YAML text that hold something.
pub fn objects(yaml: &str) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(yaml) {
        let value = Value::deserialize(document)?;
        if !value.is_null() {
            ensure!(value["kind"].is_string(), "no object: {value}");
            found.push(value);
        }
    }
    Ok(found)
}

/// `Kind/namespace/name`, or `Kind/name` of what belongs to the cluster.
pub fn name_of(object: &Value) -> String {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let parts = [
        text("/kind"),
        text("/metadata/namespace"),
        text("/metadata/name"),
    ];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

/// Objects by [`name_of`].
///
/// # Errors
/// Two bear one name.
pub fn by_name(objects: Vec<Value>) -> Result<BTreeMap<String, Value>> {
    let mut named = BTreeMap::new();
    for object in objects {
        let name = name_of(&object);
        ensure!(
            named.insert(name.clone(), object).is_none(),
            "{name} is there twice"
        );
    }
    Ok(named)
}

/// A file of cases beside this one.
pub fn cases<T: serde::de::DeserializeOwned>(file: &str) -> Result<Vec<T>> {
    let path = root().join("tests/chart").join(file);
    let text = std::fs::read_to_string(&path)?;
    serde_yaml_ng::from_str(&text).with_context(|| path.display().to_string())
}
