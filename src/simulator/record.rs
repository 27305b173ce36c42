//! The record of an exchange: a line for the log, an entry for inspection, both without secrets.
//!
//! It knows what became of a request. It must not change that any more.

use serde_json::Value;

use super::Service;
use super::exchange::Exchange;
use super::execute::ignored_fields;
use super::faults::FaultKind;
use super::http::{Delivery, HttpRequest};
use super::ledger::{Effect, EffectKind, Received, redact};
use super::operation::Operation;

/// Headers that tell something and give nothing away.
const SHOWN: [&str; 5] = [
    "content-type",
    "host",
    "user-agent",
    "x-language",
    "x-project-id",
];

impl Service {
    pub(super) fn write_down(
        &mut self,
        exchange: Exchange<'_>,
        targets: Vec<String>,
        fault: Option<&FaultKind>,
        delivery: &Delivery,
        before: usize,
    ) {
        let Exchange {
            number,
            request,
            route,
            body,
            credential,
            code,
            ..
        } = exchange;
        let operation = route.as_ref().map(|route| route.operation);
        if let Some(operation) = operation {
            *self.counts.entry(operation).or_default() += 1;
        }
        let mut body = body.and_then(Result::ok).unwrap_or(Value::Null);
        let ignored = operation
            .map(|operation| ignored_fields(operation, &body))
            .unwrap_or_default();
        redact(&mut body);
        let target = targets.into_iter().next();
        let status = delivery.answer().map(|answer| answer.status);
        let line = self.line(
            request,
            operation,
            target.as_deref(),
            delivery,
            code.as_deref(),
        );
        let effects = self.world.ledger()[before..].iter().map(describe);
        let line = std::iter::once(line).chain(effects);
        let line = line
            .chain((!ignored.is_empty()).then(|| format!("(ignored: {})", ignored.join(", "))))
            .chain(fault.map(|fault| format!("[fault: {}]", fault.name())));
        let line = line.collect::<Vec<_>>().join("  ");
        self.world.note(line);
        let headers = request
            .headers
            .iter()
            .filter(|(name, _)| SHOWN.contains(&name.to_ascii_lowercase().as_str()))
            .cloned()
            .collect();
        if self.received.len() >= self.settings.request_log.max(1) {
            self.received.pop_front();
        }
        self.received.push_back(Received {
            number,
            at: self.world.now(),
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            operation,
            target,
            credential,
            body,
            ignored,
            headers,
            fault: fault.map(|fault| fault.name().to_owned()),
            status,
            code,
        });
    }

    /// Method, operation, target, outcome. What has a name is shown by it.
    fn line(
        &self,
        request: &HttpRequest,
        operation: Option<Operation>,
        target: Option<&str>,
        delivery: &Delivery,
        code: Option<&str>,
    ) -> String {
        let name = target.and_then(|id| {
            let cluster = self
                .world
                .cluster(id)
                .map(|cluster| cluster.state().name.as_str());
            cluster.or_else(|| {
                self.world
                    .snapshot(id)
                    .map(|snapshot| snapshot.name.as_str())
            })
        });
        let target = match (target, name) {
            (Some(id), Some(name)) => format!("{name} ({})", id.get(..8).unwrap_or(id)),
            (Some(target), None) => target.to_owned(),
            (None, _) => "-".to_owned(),
        };
        let outcome = match delivery {
            Delivery::NoAnswer => "hangs".to_owned(),
            Delivery::Reset => "reset".to_owned(),
            Delivery::Answer(answer) | Delivery::Delayed { answer, .. } => {
                answer.status.to_string()
            }
        };
        let code = code.map_or_else(String::new, |code| format!(" {code}"));
        let operation = operation.map_or(request.path.as_str(), |operation| operation.name());
        format!(
            "{:<6} {operation:<15} {target:<36} {outcome}{code}",
            request.method
        )
    }
}

/// What an effect adds to the line of its call.
fn describe(effect: &Effect) -> String {
    let id = &effect.id;
    match &effect.kind {
        EffectKind::Create { nodes } => format!("creates {nodes} nodes, {id}"),
        EffectKind::Restore { nodes, .. } => format!("restores {nodes} nodes, {id}"),
        EffectKind::Resize { added, total } => format!("adds {added} nodes, {total} then"),
        EffectKind::Restart => "restarts".to_owned(),
        EffectKind::ResetPassword { version } => format!("password version {version} is in force"),
        EffectKind::Snapshot { .. } => format!("takes a snapshot, {id}"),
        EffectKind::DeleteCluster {
            keep_last_manual_snapshot,
        } => {
            format!("deletes, keeping {keep_last_manual_snapshot} manual snapshots")
        }
        EffectKind::DeleteSnapshot { .. } => "deletes the snapshot".to_owned(),
    }
}
