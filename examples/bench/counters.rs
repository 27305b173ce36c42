//! What is counted on the far sides: by the API server, by the simulator and by the kernel.
//!
//! It knows their words and does arithmetic; nothing here asks the operator about itself.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use crate::support::Result;
use crate::world::{World, megabytes};

/// Counts at one moment.
#[derive(Clone, Default)]
pub struct Counts {
    /// Writes that etcd took, by resource.
    etcd_writes: BTreeMap<String, u64>,
    /// Requests that wanted to write a status, taken or not, changing something or not, by resource.
    status_writes: BTreeMap<String, u64>,
    /// Requests that the simulator received, by operation.
    remote: BTreeMap<String, u64>,
}

impl Counts {
    /// As of now.
    pub async fn take(world: &World) -> Result<Self> {
        let request = http::Request::get("/metrics").body(Vec::new())?;
        let text = world.client.request_text(request).await?;
        let mut counts = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some(sample) = Sample::read(line) else {
                continue;
            };
            let resource = sample.label("resource");
            match sample.name {
                "etcd_requests_total"
                    if matches!(sample.label("operation"), "create" | "update" | "delete") =>
                {
                    *counts.etcd_writes.entry(resource.to_owned()).or_default() += sample.value;
                }
                "apiserver_request_total"
                    if sample.label("subresource") == "status"
                        && matches!(sample.label("verb"), "PUT" | "PATCH" | "APPLY") =>
                {
                    *counts.status_writes.entry(resource.to_owned()).or_default() += sample.value;
                }
                _ => {}
            }
        }
        let requests = world.stack.sim_get("requests?after=1000000000000").await?;
        let remote = requests["per_operation"].as_object();
        counts.remote = remote
            .context("no counts of requests")?
            .iter()
            .filter_map(|(operation, count)| Some((operation.clone(), count.as_u64()?)))
            .collect();
        Ok(counts)
    }

    /// What came since.
    pub fn since(&self, before: &Self) -> Self {
        let less = |now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>| {
            let rest = |(key, count): (&String, &u64)| {
                let former = then.get(key).copied().unwrap_or_default();
                (key.clone(), count.saturating_sub(former))
            };
            now.iter().map(rest).collect()
        };
        Self {
            etcd_writes: less(&self.etcd_writes, &before.etcd_writes),
            status_writes: less(&self.status_writes, &before.status_writes),
            remote: less(&self.remote, &before.remote),
        }
    }

    /// Writes of objects of this resource that etcd took.
    pub fn etcd_writes(&self, resource: &str) -> u64 {
        self.etcd_writes.get(resource).copied().unwrap_or_default()
    }

    /// Status writes of both kinds.
    pub fn status_writes(&self) -> u64 {
        let kinds = ["dwsclusters", "dwssnapshots"];
        let of = |kind: &str| self.status_writes.get(kind).copied().unwrap_or_default();
        kinds.into_iter().map(of).sum()
    }

    /// Requests of one operation to the service.
    pub fn remote(&self, operation: &str) -> u64 {
        self.remote.get(operation).copied().unwrap_or_default()
    }

    /// All requests to the service, by operation.
    pub fn remote_by_operation(&self) -> impl Iterator<Item = (&str, u64)> {
        let all = self.remote.iter();
        all.filter(|(_, count)| **count > 0)
            .map(|(operation, count)| (operation.as_str(), *count))
    }
}

/// A line of Prometheus' text format.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: u64,
}

impl<'a> Sample<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (name, rest) = line.split_once('{')?;
        let (labels, value) = rest.rsplit_once("} ")?;
        Some(Self {
            name,
            labels,
            // Counts are printed as `7` or `1.5e+06`.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            value: value.parse::<f64>().ok()? as u64,
        })
    }

    fn label(&self, name: &str) -> &'a str {
        let is_it = |part: &&str| {
            part.strip_prefix(name)
                .is_some_and(|r| r.starts_with("=\""))
        };
        let found = self.labels.split("\",").find(is_it);
        found.map_or("", |part| part[name.len() + 2..].trim_end_matches('"'))
    }
}

/// Memory of a process in MB.
pub struct Memory {
    /// Resident now.
    pub resident: f64,
    /// Of that, what no file stands behind: heap and stacks.
    pub anonymous: f64,
    /// The most that was ever resident.
    pub peak: f64,
}

impl Memory {
    /// Of this process, as of now.
    pub fn of(pid: u32) -> Result<Self> {
        let status =
            std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
        let field = |name: &str| -> Result<f64> {
            let line = status.lines().find(|line| line.starts_with(name));
            let kib = line.and_then(|line| line.split_whitespace().nth(1));
            let kib: u64 = kib.with_context(|| format!("no {name}"))?.parse()?;
            Ok(megabytes(kib * 1024))
        };
        Ok(Self {
            resident: field("VmRSS:")?,
            anonymous: field("RssAnon:")?,
            peak: field("VmHWM:")?,
        })
    }
}

/// Processor time that a process has used, in seconds.
pub fn processor_seconds(pid: u32) -> Result<f64> {
    /// Linux counts it in hundredths of a second on every architecture that it reports to users.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))?;
    // The name of the program, in brackets, may hold spaces.
    let (_, fields) = stat
        .rsplit_once(") ")
        .context("an unknown form of /proc/stat")?;
    let ticks: Vec<f64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    Ok(ticks.iter().sum::<f64>() / TICKS)
}
