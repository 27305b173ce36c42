//! What the whole run left where others can read: no secret, no crash, no unhappy Pod.

use std::fmt::Write;

use super::super::cloud;
use super::super::operator::NAMESPACE;
use super::super::support::Result;
use super::super::world::World;
use super::TENANT;

pub fn look(world: &World) -> Result<String> {
    let pods = world.operator.pods()?;
    let logs = world.operator.logs();
    let mut restarts = 0;
    for pod in &pods {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let count = pod["status"]["containerStatuses"][0]["restartCount"].as_i64();
        restarts += count.unwrap_or_default();
        // A machine that stands still for ten seconds costs the leader its lease, and whoever lost it ends.
        let lost = logs
            .iter()
            .any(|(of, log)| of.starts_with(name) && log.contains("the lease is lost"));
        anyhow::ensure!(count == Some(0) || lost, "{name} was restarted: {count:?}");
    }
    let mut said = String::new();
    for (pod, log) in &logs {
        anyhow::ensure!(!log.contains("panicked"), "{pod} panicked");
        writeln!(said, "{log}")?;
    }
    for object in [
        "dwsc,dwss",
        "events.events.k8s.io",
        "leases.coordination.k8s.io",
        "pods",
    ] {
        said += &world.kubectl(NAMESPACE, &["get", object, "-A", "-o", "json"])?;
    }
    let mut secrets = vec![cloud::SECRET_KEY.to_owned()];
    let names = world.kubectl(
        TENANT,
        &["get", "secrets", "-o", "jsonpath={.items[*].metadata.name}"],
    )?;
    for name in names
        .split_whitespace()
        .filter(|name| name.ends_with("-connection"))
    {
        let password = world.secret(TENANT, name, "password");
        secrets.extend(password.into_iter().filter(|password| password.len() >= 8));
    }
    anyhow::ensure!(
        secrets.len() >= 4,
        "there are only {} secrets",
        secrets.len()
    );
    for secret in &secrets {
        anyhow::ensure!(!said.contains(secret.as_str()), "a secret shows");
    }
    Ok(format!(
        "{} Pods, {restarts} restarts; {} secrets in none of {} kB of logs, events and objects",
        pods.len(),
        secrets.len(),
        said.len() / 1000
    ))
}
