//! Requests that the rendered roles must not allow, each sent to the real API server by whom it concerns.
//!
//! `forbidden.yaml` is the table. RBAC answers before anything else does, so that a request needs no object and
//! no body of its own; what passes RBAC gets another answer than 403, and is a hole.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use kube::Client;
use serde::Deserialize;
use serde_json::json;

use crate::apply::prepare;
use crate::helm::{Helm, RELEASE, cases};
use crate::roles;
use crate::support::Result;
use crate::support::control_plane::ControlPlane;
use crate::support::figures::figure;

const TENANT: &str = "orders-team";
/// Another release, for one namespace.
const CONFINED: &str = "dws-operator-of-orders";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    what: String,
    who: Vec<String>,
    #[serde(default)]
    requests: Vec<String>,
    #[serde(default)]
    allowed: Vec<String>,
}

/// A sender: name, and as whom the API server knows it.
struct Sender {
    user: String,
    client: Client,
}

fn service_account(name: &str) -> String {
    format!("system:serviceaccount:dws-system:{name}")
}

/// The request of a line of the table.
fn request(line: &str) -> Result<http::Request<Vec<u8>>> {
    let mut words = line.split(' ');
    let (method, path) = (words.next(), words.next().context("no path")?);
    let path = path
        .replace("$dws", "/apis/dws.huaweicloud.com/v1alpha1")
        .replace("$rbac", "/apis/rbac.authorization.k8s.io/v1");
    let method = method.context("no method")?;
    let mut request = http::Request::builder().method(method).uri(path);
    match (words.next(), words.next(), words.next()) {
        (None, ..) => {}
        (Some("impersonating"), Some(whom), None) => {
            request = request.header("Impersonate-User", whom);
        }
        _ => bail!("cannot read {line:?}"),
    }
    let (kind, body) = match method {
        "PATCH" => ("application/merge-patch+json", "{}"),
        "POST" | "PUT" => ("application/json", "{}"),
        "GET" | "DELETE" => return Ok(request.body(Vec::new())?),
        _ => bail!("cannot read {line:?}"),
    };
    let request = request.header("content-type", kind);
    Ok(request.body(body.as_bytes().to_vec())?)
}

/// The code of the answer, and what it says where it is a failure.
async fn answer(sender: &Sender, line: &str) -> Result<(u16, String)> {
    match sender.client.request_text(request(line)?).await {
        Ok(_) => Ok((200, String::new())),
        Err(kube::Error::Api(status)) => Ok((status.code, status.message.clone())),
        Err(error) => Err(error).with_context(|| line.to_owned()),
    }
}

/// A control plane with both releases' roles, and a tenant who has what `edit` is made of.
async fn world(helm: &Helm) -> Result<(ControlPlane, BTreeMap<&'static str, Sender>)> {
    let (operator, confined) = (service_account(RELEASE), service_account(CONFINED));
    let groups = [
        "system:serviceaccounts",
        "system:serviceaccounts:dws-system",
    ];
    let plane = ControlPlane::builder()
        .user(&operator, &groups)
        .user(&confined, &groups)
        .user(TENANT, &[])
        .start()
        .await?;
    let admin = prepare(&plane).await?;
    let mut objects = helm.render(RELEASE, &json!({}))?.unwrap();
    let one = json!({"watchNamespaces": ["orders"], "rbac": {"aggregate": false}});
    objects.extend(helm.render(CONFINED, &one)?.unwrap());
    roles::install(&plane, &admin, objects.iter()).await?;
    for role in roles::EDIT {
        roles::put(&admin, &roles::bound("orders", TENANT, role)).await?;
    }
    let mut senders = BTreeMap::new();
    for (name, user) in [
        ("operator", operator.as_str()),
        ("confined", confined.as_str()),
        ("tenant", TENANT),
    ] {
        let client = plane.client_as(user).await?;
        let user = user.to_owned();
        senders.insert(name, Sender { user, client });
    }
    Ok((plane, senders))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_refused_is_refused() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let (_plane, senders) = world(&helm).await?;
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let mut allowed = 0;
    let mut wrong = Vec::new();
    let table = cases::<Group>("forbidden.yaml")?;
    for group in &table {
        for who in &group.who {
            let sender = senders.get(who.as_str()).context("an unknown sender")?;
            for line in &group.requests {
                let (code, said) = answer(sender, line).await?;
                let cannot = format!("User {:?} cannot ", sender.user);
                if code == 403 && said.contains(&cannot) {
                    *refused.entry(who).or_default() += 1;
                } else {
                    wrong.push(format!("{} {who}: {line}: {code} {said}", group.what));
                }
            }
            for line in &group.allowed {
                let (code, said) = answer(sender, line).await?;
                if matches!(code, 200 | 404) {
                    allowed += 1;
                } else {
                    wrong.push(format!("{} {who}: {line}: {code} {said}", group.what));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let total: usize = refused.values().sum();
    ensure!(total >= 40 && refused.len() == senders.len() && allowed > 0);
    let by: Vec<_> = refused
        .iter()
        .map(|(who, count)| format!("{count} of {who}"))
        .collect();
    figure(
        "chart",
        &format!(
            "{total} requests refused with 403 by the real API server ({}); {allowed} beside them allowed, as meant",
            by.join(", ")
        ),
    );
    Ok(())
}
