//! What people may do: the controller-manager adds the chart's roles to `view`, `edit` and `admin`.

use super::super::shell::until;
use super::super::support::Result;
use super::super::world::{PATIENCE, World};
use super::TENANT;

/// Verb, resource, and which of view, edit and admin may.
const MAY: [(&str, &str, [bool; 3]); 11] = [
    ("get", "dwsclusters", [true, true, true]),
    ("watch", "dwssnapshots", [true, true, true]),
    ("create", "dwsclusters", [false, true, true]),
    ("patch", "dwsclusters", [false, true, true]),
    ("delete", "dwssnapshots", [false, true, true]),
    ("deletecollection", "dwsclusters", [false, false, true]),
    ("update", "dwsclusters/status", [false, false, false]),
    ("patch", "dwssnapshots/status", [false, false, false]),
    ("update", "dwsclusters/finalizers", [false, false, false]),
    ("get", "secrets", [false, true, true]),
    (
        "delete",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        [false, false, false],
    ),
];

pub fn rights(world: &World) -> Result<String> {
    let roles = ["view", "edit", "admin"];
    for role in roles {
        let role_of = format!("--clusterrole={role}");
        let group = format!("--group={role}-team");
        let args = ["create", "rolebinding", role, &role_of, &group];
        world.kubectl(TENANT, &args)?;
    }
    // The first answer may come before the controller has been there.
    until("edit holds both kinds", PATIENCE, || {
        Ok(if may(world, TENANT, "edit", "create", "dwsclusters")? {
            Ok(())
        } else {
            Err("no".to_owned())
        })
    })?;
    for (verb, resource, expected) in MAY {
        for (role, expected) in roles.into_iter().zip(expected) {
            anyhow::ensure!(
                may(world, TENANT, role, verb, resource)? == expected,
                "{role} may {verb} {resource}: {}",
                !expected
            );
            anyhow::ensure!(
                !may(world, "default", role, verb, resource)?,
                "{role} of {TENANT} may {verb} {resource} elsewhere"
            );
        }
    }
    Ok(format!(
        "{} answers of kubectl auth can-i as the tables say",
        MAY.len() * roles.len() * 2
    ))
}

/// `kubectl auth can-i`, which says no with its exit code too.
fn may(world: &World, namespace: &str, role: &str, verb: &str, resource: &str) -> Result<bool> {
    let group = format!("--as-group={role}-team");
    let (resource, part) = match resource.split_once('/') {
        Some((resource, part)) => (resource, format!("--subresource={part}")),
        None => (resource, "--subresource=".to_owned()),
    };
    let args = ["auth", "can-i", verb, resource, &part, "--as=jane", &group];
    match world.kubectl(namespace, &args) {
        Ok(answer) if answer.trim() == "yes" => Ok(true),
        Ok(answer) => anyhow::bail!("kubectl auth can-i says {answer}"),
        Err(error) => {
            let text = format!("{error:#}");
            // What it prints beside `no` goes to the other stream; a failure has words of its own there.
            anyhow::ensure!(!text.to_lowercase().contains("error"), "{text}");
            Ok(false)
        }
    }
}
