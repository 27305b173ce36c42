//! What a rendered Deployment tells the operator, given to the real program: it must take every setting, and
//! mean by it what the values said.

use std::collections::BTreeMap;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

use crate::accepted::{Accepted, Rendered, rendered};
use crate::helm::Helm;
use crate::support::Result;
use crate::support::figures::figure;
use crate::support::guard::GuardedDirectory;
use crate::support::process::Process;

const SOON: Duration = Duration::from_mins(1);

/// What a user's own Secret holds, where the values name one.
const EXISTING: [(&str, &str); 3] = [
    ("HW_REGION_NAME", "eu-west-101"),
    ("HW_ACCESS_KEY", "AKEXAMPLE"),
    ("HW_SECRET_KEY", "sk-example"),
];

/// The operator's Deployment of a rendering.
fn deployment((case, objects): &Rendered) -> &Value {
    objects
        .values()
        .find(|object| {
            object["kind"] == "Deployment"
                && object["metadata"]["labels"]["app.kubernetes.io/component"] == "operator"
        })
        .unwrap_or_else(|| panic!("{}: no Deployment", case.name))
}

/// The environment of its container, as Kubernetes would make it.
fn environment(rendered: &Rendered) -> BTreeMap<String, String> {
    let container = &deployment(rendered)["spec"]["template"]["spec"]["containers"][0];
    let mut environment = BTreeMap::new();
    for source in container["envFrom"].as_array().into_iter().flatten() {
        let name = source["secretRef"]["name"].as_str().unwrap();
        let made = rendered.1.values().find(|object| {
            object["kind"] == "Secret" && object["metadata"]["name"].as_str() == Some(name)
        });
        match made {
            Some(secret) => {
                for (key, value) in secret["stringData"].as_object().unwrap() {
                    environment.insert(key.clone(), value.as_str().unwrap().to_owned());
                }
            }
            None => environment.extend(EXISTING.map(|(key, value)| (key.into(), value.into()))),
        }
    }
    for variable in container["env"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap().to_owned();
        let value = variable["value"].as_str().unwrap().to_owned();
        let doubled = environment.insert(name.clone(), value);
        assert!(doubled.is_none() || name.starts_with("HW_"), "{name} twice");
    }
    environment
}

/// Starts the operator with what a case tells it, up to where it looks for its definitions; gives its words.
async fn told(rendered: &Rendered, directory: &GuardedDirectory, number: usize) -> Result<String> {
    let case: &Accepted = &rendered.0;
    let mut command = Process::operator()?;
    let container = &deployment(rendered)["spec"]["template"]["spec"]["containers"][0];
    for argument in container["args"].as_array().unwrap() {
        command.arg(argument.as_str().unwrap());
    }
    let environment = environment(rendered);
    // A test listens on loopback alone; what the case says is judged here instead.
    let listen = environment["DWS_OPERATOR_LISTEN"].parse::<std::net::SocketAddr>()?;
    assert_eq!(
        container["ports"][0]["containerPort"],
        listen.port(),
        "{}",
        case.name
    );
    command.arg("--listen=127.0.0.1:0");
    if let Some(file) = environment.get("DWS_OPERATOR_CA_BUNDLE") {
        let mount = container["volumeMounts"][0]["mountPath"].as_str().unwrap();
        assert!(
            file.starts_with(&format!("{mount}/")),
            "{}: {file}",
            case.name
        );
        let here = directory.path().join("ca.pem");
        command.arg(format!("--ca-bundle={}", here.display()));
    }
    command.envs(&environment).env("RUST_LOG", "info");
    command.env("KUBECONFIG", directory.path().join("kubeconfig"));
    let mut process = Process::spawn(&command, &directory.path().join(format!("{number}.log")))?;
    let begun = process
        .wait_for_log("Kubernetes access found", 0, SOON)
        .await;
    let begun = begun.map_err(|error| anyhow::anyhow!("{}: {error}", case.name));
    begun.map(|_| process.log())
}

/// A certificate to trust, and a kubeconfig of a server that is not there.
fn directory() -> Result<GuardedDirectory> {
    let directory = GuardedDirectory::new("dws-chart-settings-")?;
    let certificate = CertificateParams::new(Vec::new())?.self_signed(&KeyPair::generate()?)?;
    std::fs::write(directory.path().join("ca.pem"), certificate.pem())?;
    let kubeconfig = "{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {}}], \
        clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}], contexts: [{name: c, context: {cluster: c, user: u}}]}";
    std::fs::write(directory.path().join("kubeconfig"), kubeconfig)?;
    Ok(directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_takes_the_settings_of_every_case() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let directory = directory()?;
    let all = rendered(&helm)?;
    for (number, one) in all.iter().enumerate() {
        let name = &one.0.name;
        let log = told(one, &directory, number).await?;
        let strange = log.lines().find(|line| line.contains("is not a setting"));
        assert!(strange.is_none(), "{name}: {strange:?}");
        let says = |text: &str| assert!(log.contains(text), "{name}: no {text:?} in {log}");
        // Lists: none is none, and all is all.
        match name.as_str() {
            "defaults" => {
                says("namespaces: All, adoption_namespaces: Only({})");
                says("only resources with credentialsSecretRef can work");
            }
            "three namespaces, adoption in one" => {
                says(r#"namespaces: Only({"billing", "migration", "orders"})"#);
                says(r#"adoption_namespaces: Only({"migration"})"#);
            }
            "adoption everywhere" => says("adoption_namespaces: All"),
            "a user with characters that YAML and shells take for theirs" => {
                says("user and password");
            }
            "a temporary access key" => says("temporary access key"),
            "the simulator" => says("dws-operator-simulator.dws-system.svc:18080"),
            _ => {}
        }
    }
    figure(
        "chart",
        &format!(
            "the operator takes the settings of {} renderings",
            all.len()
        ),
    );
    Ok(())
}

#[test]
fn a_user_s_password_reaches_the_environment_as_it_was_written() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let all = rendered(&helm)?;
    let case = all
        .iter()
        .find(|one| one.0.name.starts_with("a user with characters"));
    let environment = environment(case.unwrap());
    assert_eq!(environment["HW_USER_PASSWORD"], "p\"'\\ $(X) %41: - #");
    // Kubernetes expands $(X) in `value`, and leaves what comes from a Secret as it is.
    let text = deployment(case.unwrap()).to_string();
    assert!(
        !text.contains("%41"),
        "a credential in the Deployment: {text}"
    );
    Ok(())
}
