//! Which pages have commands, which of those are not run and why, and what a section finds before it is read.
//!
//! All of it is compared with the pages: a command is run or listed here, and nothing is listed that is in no page.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::blocks::{Section, sections};
use crate::references;
use crate::support::Result;
use crate::support::figures::figure;

/// The page of all ways to install and to leave.
pub const INSTALLATION: &[&str] = &["docs/installation.md"];
/// Pages that lead from one to the next, in this order.
pub const USE: &[&str] = &[
    "README.md",
    "docs/multi-tenancy.md",
    "docs/backup.md",
    "docs/credentials.md",
];
/// Each by itself.
pub const OTHERS: &[&str] = &[
    "charts/dws-operator/README.md",
    "deploy/README.md",
    "examples/gitops/README.md",
    "docs/high-availability.md",
    "docs/image.md",
    "docs/simulator.md",
    "docs/troubleshooting.md",
    "CONTRIBUTING.md",
];
/// Read by another test: `tests/gitops`, where the resources that it speaks of live.
const ELSEWHERE: &[&str] = &["docs/gitops.md"];

/// Commands that are not run, by how they begin, and why.
pub const NOT_RUN: [(&str, &str); 33] = [
    (
        "kubectl -n dws-system rollout status",
        "no Pod runs: tests/e2e waits for the Pods",
    ),
    ("make image", "takes minutes: `make image-check` runs it"),
    ("kind load", "kind is not ours to run"),
    (
        "docker load",
        "no container engine is ours to run: `make image-check` reads the archives",
    ),
    (
        "podman load",
        "no container engine is ours to run: `make image-check` reads the archives",
    ),
    (
        "docker build",
        "no builder is ours to run: tests/image reads the Dockerfile, `make image-check` builds what it copies",
    ),
    (
        "ctr --namespace k8s.io images import",
        "no containerd runs: hack/e2e.sh does it on its node",
    ),
    (
        "skopeo copy",
        "there is no registry: `make image-check` reads the archives",
    ),
    ("helm push", "there is no registry"),
    (
        "git checkout v0.1.0 && make image",
        "takes minutes: `make image-check` builds a clone",
    ),
    (
        "HW_REGION_NAME=ap-southeast-3 HW_ACCESS_KEY=... HW_SECRET_KEY=... dws-operator check",
        "there is no account: tests/check.rs has the simulator's",
    ),
    (
        "target/release/dws-operator check",
        "there is no account: tests/check.rs has the simulator's",
    ),
    (
        "target/release/dws-operator run",
        "does not end: tests/operator_run runs it",
    ),
    (
        "dws-operator run",
        "does not end: tests/operator_run runs it",
    ),
    (
        "dws-simulator --listen",
        "does not end: the reader starts one of its own",
    ),
    (
        "cargo build",
        "takes minutes: the reader has the programs that cargo built for it",
    ),
    ("cargo test --test leaders", "`make test` runs it"),
    (
        "TRACE=1 SEEDS=26..27",
        "`make test` runs the simulation; this is for a schedule that failed",
    ),
    (
        "make demo",
        "takes a minute and fails by itself when a step does: run it",
    ),
    ("make test    #", "runs this test"),
    (
        "make test-e2e",
        "needs a cluster or a node of its own: hack/e2e.sh",
    ),
    ("helm test dws-operator", "no Pod runs: tests/e2e runs it"),
    (
        "kubectl wait --for=condition=Ready dwsc/orders-dw",
        "no operator runs: tests/gitops waits like that",
    ),
    ("kubectl get dwsc -w", "does not end"),
    ("kubectl -n dws-system get pods -w", "does not end"),
    (
        "kubectl -n dws-system get lease",
        "no Pod runs, so nobody made it: tests/e2e reads it",
    ),
    (
        "kubectl -n dws-system logs",
        "no Pod runs: tests/e2e reads the logs",
    ),
    (
        "kubectl -n dws-system port-forward",
        "no Pod runs: tests/e2e does it, with another number of the port",
    ),
    (
        "kubectl auth can-i create",
        "a controller adds the chart's roles to `edit`: tests/e2e asks it",
    ),
    (
        "kubectl auth can-i update",
        "its answer `no` is an exit code: tests/e2e asks it",
    ),
    (
        "kubectl delete namespace",
        "waits for a controller that empties it: tests/e2e does it",
    ),
    ("velero backup", "Velero is not ours to run"),
    ("velero restore", "Velero is not ours to run"),
];

/// Takes away what another way of installing has left, so that the next one begins from nothing. Namespaces stay: no
/// controller would empty them. A definition that is deleted before it is served may stay for minutes: the API server
/// then cannot see whether there are objects of it, and tries again ever later.
const NOTHING: &str = "
helm list -n dws-system -q | xargs -r helm uninstall -n dws-system
if kubectl get -f deploy/base/crds.yaml; then
  kubectl wait --for=condition=Established -f deploy/base/crds.yaml
  until kubectl get dwsc,dwss -A; do sleep 0.2; done
fi
kubectl delete -f deploy/base/crds.yaml --ignore-not-found
kubectl -n dws-system delete \
  secret,deployment,service,serviceaccount,role,rolebinding,networkpolicy,pdb --all
kubectl delete clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding \
  -l app.kubernetes.io/name=dws-operator
";

/// The namespace of the operator goes as well, for those that make it: emptied above, and let go as its controller would.
const NO_NAMESPACE: &str = r#"
kubectl delete namespace dws-system --ignore-not-found --wait=false
echo '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"dws-system"},"spec":{}}' |
  kubectl replace --raw /api/v1/namespaces/dws-system/finalize -f -
"#;

/// A warehouse with an id, as the operator would have made it.
const WAREHOUSE: &str = "
kubectl create namespace orders --dry-run=client -o yaml | kubectl apply -f -
kubectl -n orders delete quota --all
kubectl apply --server-side -f deploy/base/crds.yaml
kubectl wait --for=condition=Established -f deploy/base/crds.yaml
kubectl -n orders apply -f examples/cluster.yaml -f examples/snapshot.yaml
kubectl -n orders patch dwsc orders-dw --subresource=status --type merge \
  -p '{\"status\":{\"clusterId\":\"85b20d7e-9eb7-4b2a-98f3-3c8843ea3574\"}}'
";

const RELEASE: &str = "
kubectl create namespace dws-system --dry-run=client -o yaml | kubectl apply -f -
kubectl create namespace marketing --dry-run=client -o yaml | kubectl apply -f -
kubectl -n dws-system create secret generic dws-account --from-literal=HW_ACCESS_KEY=former
helm install dws-operator charts/dws-operator -n dws-system --set credentials.existingSecret=dws-account
";

/// The operator over definitions that are there.
const OPERATOR: &str = "helm install dws-operator charts/dws-operator -n dws-system --take-ownership --force-conflicts";

/// A warehouse of the simulator, as somebody makes it at the console.
const CONSOLE: &str = r#"
curl -sf 127.0.0.1:18080/__sim/outside -d '{"change": "create", "name": "dws-1", "node_type": "dws.d1.xlarge", "nodes": 3, "password": "Made-at-the-c0nsole"}'
"#;

/// A connection Secret that stayed when its resource went.
const KEPT: &str = "
kubectl -n orders create secret generic orders-dw-connection --from-literal=password=kept
";

/// What a section, or a command in it, finds: the page, a heading or how the command begins, and the steps that make
/// it so.
const BEFORE: [(&str, &str, &[&str]); 18] = [
    ("docs/installation.md", "Plain manifests", &[NOTHING]),
    ("docs/installation.md", "Kustomize", &[NOTHING]),
    ("docs/installation.md", "Without an account", &[NOTHING]),
    (
        "docs/installation.md",
        "To come back later",
        &[NOTHING, WAREHOUSE, OPERATOR],
    ),
    ("docs/installation.md", "For good", &[OPERATOR]),
    (
        "docs/installation.md",
        "If the definitions were deleted first",
        &[WAREHOUSE],
    ),
    (
        "docs/installation.md",
        "If the operator went first",
        &[WAREHOUSE],
    ),
    (
        "README.md",
        "Five minutes to a real account",
        &[NOTHING, NO_NAMESPACE],
    ),
    (
        "docs/credentials.md",
        "The operator's own",
        &[NOTHING, RELEASE],
    ),
    ("docs/multi-tenancy.md", "Deletion", &[WAREHOUSE]),
    ("docs/backup.md", "Restore", &[WAREHOUSE]),
    (
        "charts/dws-operator/README.md",
        "helm install dws-operator charts/dws-operator -n dws-system --create-namespace",
        &[NOTHING],
    ),
    (
        "deploy/README.md",
        "kubectl apply --server-side -f deploy/install.yaml",
        &[NOTHING],
    ),
    (
        "deploy/README.md",
        "kubectl apply --server-side -k deploy/overlays/simulator",
        &[NOTHING],
    ),
    ("docs/simulator.md", "dws-operator crd", &[NOTHING]),
    ("docs/simulator.md", "Behind the scenes", &[CONSOLE]),
    (
        "docs/troubleshooting.md",
        "kubectl -n orders annotate dwsc orders-dw",
        &[WAREHOUSE],
    ),
    ("docs/troubleshooting.md", "A Secret that was kept", &[KEPT]),
];

/// The steps before a section or a command.
pub fn before(page: &str, at: &str) -> &'static [&'static str] {
    find(page, at).map_or(&[], |(_, _, steps)| steps)
}

type Stage = (&'static str, &'static str, &'static [&'static str]);

fn find(page: &str, at: &str) -> Option<&'static Stage> {
    BEFORE
        .iter()
        .find(|(of, begin, _)| *of == page && at.starts_with(begin))
}

/// The reason for which a command is not run.
pub fn listed(command: &str) -> Option<&'static str> {
    let found = NOT_RUN.iter().find(|(begin, _)| command.starts_with(begin));
    found.map(|(begin, _)| *begin)
}

/// What is to be read of a page.
pub fn read(name: &str) -> Result<Vec<Section>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    sections(&fs::read_to_string(path)?).with_context(|| name.to_owned())
}

#[test]
fn every_command_is_run_or_listed_and_nothing_else_is() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = [INSTALLATION, USE, OTHERS, ELSEWHERE].concat();
    let mut count = 0;
    let mut unused: BTreeSet<_> = NOT_RUN.iter().map(|(begin, _)| *begin).collect();
    let mut idle: BTreeSet<_> = BEFORE.iter().map(|(page, at, _)| (*page, *at)).collect();
    for page in references::pages()? {
        let name = page.strip_prefix(root)?.to_str().context("a name")?;
        let sections = read(name)?;
        ensure!(
            sections.is_empty() != all.contains(&name),
            "{name}: has it commands, and is it read?"
        );
        for section in &sections {
            for at in section.commands.iter().chain([&section.heading]) {
                if let Some((page, begin, _)) = find(name, at) {
                    idle.remove(&(*page, *begin));
                }
            }
            for command in &section.commands {
                if let Some(begin) = listed(command) {
                    unused.remove(begin);
                }
            }
            count += section.commands.len();
        }
    }
    ensure!(unused.is_empty(), "in no page: {unused:?}");
    ensure!(idle.is_empty(), "before nothing: {idle:?}");
    figure(
        "documentation",
        &format!(
            "{count} commands in {} pages, {} kinds of them listed as not run, with the reason",
            all.len(),
            NOT_RUN.len()
        ),
    );
    Ok(())
}
