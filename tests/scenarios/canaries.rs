//! Secrets that can be recognised, through a life with refusals and lost answers: none stands in anything that
//! the operator says, as it is, in hexadecimal digits or in Base64, alone or in the middle of something.

use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::{args, fresh};
use crate::support::Result;
use crate::support::control_plane::shared;
use crate::support::figures::figure;
use crate::support::stack::{ACCESS_KEY, Options, SECRET_KEY, Stack, reqwest_client};
use crate::world::World;

scenarios!(canaries: no_secret_in_any_sink);

const FIRST: &str = "Canary-First-Passw0rd";
const SECOND: &str = "Canary-Second-Passw0rd";
const WEAK: &str = "weakcanary";
/// A secret key that the service refuses.
const WRONG_KEY: &str = "CanarySecretKey0000000000000000000000001";
/// The simulator's user.
const USER_PASSWORD: &str = "Simulator-Passw0rd";

/// The libraries' trace too: a list of levels, not a bare one.
async fn no_secret_in_any_sink() -> Result<()> {
    let options = Options {
        env: vec![("RUST_LOG".to_owned(), "trace,dws_operator=trace".to_owned())],
        operator: args(&["--log-format", "json"]),
        ..Options::default()
    };
    let (w, mut stack) = World::own(options).await?;
    let (chosen, generated, tokened, refused, snap) = (
        fresh("canary"),
        fresh("canary"),
        fresh("canary"),
        fresh("canary"),
        fresh("snap"),
    );
    through_refusals_and_a_lost_answer(&w, &chosen).await?;
    w.secret(
        "wrong",
        json!({"HW_ACCESS_KEY": ACCESS_KEY, "HW_SECRET_KEY": WRONG_KEY}),
    )
    .await?;
    w.cluster(&refused, json!({"credentialsSecretRef": {"name": "wrong"}}))
        .await?;
    w.secret("user", json!({"HW_DOMAIN_NAME": "simulator", "HW_USER_NAME": "operator", "HW_USER_PASSWORD": USER_PASSWORD})).await?;
    w.ready_cluster(&tokened, json!({"credentialsSecretRef": {"name": "user"}}))
        .await?;
    w.ready_cluster(&generated, json!({})).await?;
    w.request(&generated, "rotate-password-requested-at")
        .await?;
    w.event(&generated, "PasswordChanged").await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": generated}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;

    let mut secrets: Vec<String> = [FIRST, SECOND, WEAK, WRONG_KEY, USER_PASSWORD, SECRET_KEY]
        .map(str::to_owned)
        .to_vec();
    for cluster in [&generated, &tokened] {
        let made = w.texts(&format!("{cluster}-connection")).await?;
        let keys = ["password", "previous-password"];
        secrets.extend(keys.iter().filter_map(|&key| made.get(key).cloned()));
    }
    ensure!(secrets.len() == 9, "{} secrets are known", secrets.len());
    let mut sinks = said(&w, &stack, &[&chosen, &generated, &tokened, &refused]).await?;
    sinks.push(("resource", w.get("DwsSnapshot", &snap).await?.to_string()));
    sinks.push(("describe", described(&w, "dwss", &snap).await?));
    // Its end speaks too.
    let mut operator = stack
        .operator
        .take()
        .ok_or_else(|| anyhow::anyhow!("no operator runs"))?;
    operator.terminate()?;
    operator
        .wait_exit(std::time::Duration::from_secs(20))
        .await?;
    sinks.push(("log", stack.operator_log()));
    for (sink, text) in &sinks {
        for secret in &secrets {
            for form in forms(secret) {
                ensure!(
                    !text.contains(&form),
                    "a secret stands in the {sink}: {}",
                    around(text, &form)
                );
            }
        }
    }
    let bytes: usize = sinks.iter().map(|(_, text)| text.len()).sum();
    ensure!(bytes > 100_000, "{bytes} bytes at trace level are few");
    figure(
        "scenarios",
        &format!(
            "{} canary secrets in 5 forms, 0 hits in {} sinks of {} kB (log at trace level, metrics, resources, events, describe)",
            secrets.len(),
            sinks.len(),
            bytes / 1000
        ),
    );
    Ok(())
}

/// Its password comes from a Secret: a weak one is refused, the answer to the next is lost.
async fn through_refusals_and_a_lost_answer(w: &World, name: &str) -> Result<()> {
    w.secret("chosen", json!({"password": FIRST})).await?;
    w.ready_cluster(name, json!({"adminPasswordSecretRef": {"name": "chosen"}}))
        .await?;
    w.patch(
        "Secret",
        "chosen",
        json!({"stringData": {"password": WEAK}}),
    )
    .await?;
    w.until_condition("DwsCluster", name, "Synced", "False", "PasswordRejected")
        .await?;
    w.tell(
        "faults",
        json!({"operation": "reset_password", "kind": "lost_after"}),
    )
    .await?;
    let second = json!({"stringData": {"password": SECOND}});
    w.patch("Secret", "chosen", second).await?;
    w.until_condition("DwsCluster", name, "Synced", "True", "InSync")
        .await?;
    ensure!(w.connects(name).await? == SECOND);
    Ok(())
}

/// Everything that is told about these clusters, by sink.
async fn said(w: &World, stack: &Stack, names: &[&String]) -> Result<Vec<(&'static str, String)>> {
    let mut sinks = Vec::new();
    for path in ["metrics", "healthz", "readyz"] {
        let answer = reqwest_client()?.get(format!("{}/{path}", stack.health));
        sinks.push(("metrics", answer.send().await?.text().await?));
    }
    for &name in names {
        sinks.push(("resource", w.get("DwsCluster", name).await?.to_string()));
        sinks.push(("events", format!("{:?}", w.events(name, "").await?)));
        sinks.push(("describe", described(w, "dwsc", name).await?));
    }
    Ok(sinks)
}

async fn described(w: &World, kind: &str, name: &str) -> Result<String> {
    let output = shared()
        .await?
        .kubectl()
        .args(["describe", kind, name, "-n", &w.namespace])
        .output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A secret as it may be written: plain, in hexadecimal digits, and the part of its Base64 that stays the same
/// whatever stands before and after it, for each of the three places where it can begin.
fn forms(secret: &str) -> Vec<String> {
    use std::fmt::Write as _;
    let mut hex = String::new();
    for byte in secret.bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    let mut forms = vec![secret.to_owned(), hex];
    for before in 0..3 {
        let bytes = [&vec![0; before][..], secret.as_bytes()].concat();
        let text = STANDARD.encode(&bytes);
        // Six bits a character: what holds a bit of a neighbour is left out.
        let (begin, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        forms.push(text[begin..end].to_owned());
    }
    forms
}

/// The text before a find, enough to recognise the place.
fn around(text: &str, found: &str) -> String {
    let at = text.find(found).unwrap_or_default();
    let before: Vec<char> = text[..at].chars().rev().take(300).collect();
    before.into_iter().rev().collect()
}

#[test]
fn a_secret_is_found_in_the_middle_of_base64() {
    for before in ["", "a", "ab", "abc"] {
        let text = STANDARD.encode(format!("{before}{FIRST}, and more"));
        assert!(
            forms(FIRST).iter().any(|form| text.contains(form.as_str())),
            "{text}"
        );
    }
}
