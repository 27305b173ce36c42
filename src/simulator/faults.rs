//! Faults to come: which request they meet, and what becomes of it.
//!
//! It knows how a fault is described and matched. What it does to an exchange stands in
//! [`exchange`](super::exchange).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::oddities::BodyStyle;
use super::operation::Operation;

/// A fault that waits for its request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// Which operation; `None`: any.
    pub operation: Option<Operation>,
    /// Only operations that change something (`true`) or only those that do not.
    pub changing: Option<bool>,
    /// Id in the path, or name or cluster id in the body; `None`: any.
    pub target: Option<String>,
    /// Requests that match and pass unharmed first.
    pub skip: u32,
    /// How many requests it meets; `None`: all, until it is taken away.
    pub times: Option<u32>,
    /// How likely it meets a request that matches, 0.0-1.0; `None`: certainly.
    pub chance: Option<f64>,
    /// What happens then.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Not executed, no answer.
    LostBefore {
        /// The connection hangs; else it is reset.
        #[serde(default)]
        hang: bool,
    },
    /// Executed, no answer.
    LostAfter {
        /// The connection hangs; else it is reset.
        #[serde(default)]
        hang: bool,
    },
    /// Executed `after` that many seconds, whoever still waits; meanwhile an error, or nothing.
    Late {
        /// Seconds, not divided by the speed.
        after: f64,
        /// Status of the answer that comes at once; none: the connection hangs.
        #[serde(default)]
        status: Option<u16>,
    },
    /// A status from in between, a gateway's say.
    Status {
        /// HTTP status.
        status: u16,
        /// The request is executed all the same.
        #[serde(default)]
        executed: bool,
        /// Code in the body; none: the body is a gateway's HTML page.
        #[serde(default)]
        code: Option<String>,
        /// Message in the body.
        #[serde(default)]
        message: Option<String>,
        /// Body style; else as the oddities say.
        #[serde(default)]
        style: Option<BodyStyle>,
        /// Seconds in `Retry-After`.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// 429 APIGW.0308, not executed.
    Throttled {
        /// Seconds in `Retry-After`.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Refused with a code of the service's table, not executed.
    Refused {
        /// `DWS.0011`, say.
        code: String,
        /// Another status than the table has.
        #[serde(default)]
        status: Option<u16>,
    },
    /// 200 whose body is a failure; not executed.
    #[serde(rename = "error_in_200")]
    ErrorIn200 {
        /// `error_code` in the body.
        code: String,
    },
    /// 2xx whose JSON breaks off in the middle.
    Garbled {
        /// The request is executed.
        #[serde(default)]
        executed: bool,
    },
    /// 200 with an HTML page.
    WrongContent {
        /// The request is executed.
        #[serde(default)]
        executed: bool,
    },
    /// 307 to somewhere else.
    Redirect {
        /// The request is executed all the same.
        #[serde(default)]
        executed: bool,
        /// Where to.
        #[serde(default = "elsewhere")]
        location: String,
    },
    /// Executed at once, but the answer takes `after` seconds.
    Slow {
        /// Seconds, not divided by the speed.
        after: f64,
    },
    /// Accepted, and the task that it begins fails.
    FailTask,
}

fn elsewhere() -> String {
    "https://elsewhere.example.com/".to_owned()
}

impl FaultKind {
    /// As in the request record and the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LostBefore { .. } => "lost_before",
            Self::LostAfter { .. } => "lost_after",
            Self::Late { .. } => "late",
            Self::Status {
                executed: false, ..
            } => "status",
            Self::Status { .. } => "status, executed",
            Self::Throttled { .. } => "throttled",
            Self::Refused { .. } => "refused",
            Self::ErrorIn200 { .. } => "error_in_200",
            Self::Garbled { executed: false } => "garbled",
            Self::Garbled { .. } => "garbled, executed",
            Self::WrongContent { executed: false } => "wrong_content",
            Self::WrongContent { .. } => "wrong_content, executed",
            Self::Redirect {
                executed: false, ..
            } => "redirect",
            Self::Redirect { .. } => "redirect, executed",
            Self::Slow { .. } => "slow",
            Self::FailTask => "fail_task",
        }
    }
}

impl Fault {
    /// One that meets the next request of this operation, once.
    pub fn next(operation: Operation, kind: FaultKind) -> Self {
        Self {
            operation: Some(operation),
            times: Some(1),
            ..Self::always(kind)
        }
    }

    /// One that meets every request.
    pub fn always(kind: FaultKind) -> Self {
        Self {
            operation: None,
            changing: None,
            target: None,
            skip: 0,
            times: None,
            chance: None,
            kind,
        }
    }

    /// From flat JSON: `{"operation": "create_cluster", "kind": "late", "after": 60}`. Without `times` it meets
    /// one request, with `"times": null` all. The error is one line for the user.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(default)]
        struct Selector {
            operation: Option<Operation>,
            changing: Option<bool>,
            target: Option<String>,
            skip: u32,
            times: Option<u32>,
            chance: Option<f64>,
        }
        impl Default for Selector {
            fn default() -> Self {
                Self {
                    operation: None,
                    changing: None,
                    target: None,
                    skip: 0,
                    times: Some(1),
                    chance: None,
                }
            }
        }
        let mut kind = value
            .as_object()
            .cloned()
            .ok_or("a fault is a JSON object")?;
        let selector: Selector =
            serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
        for key in ["operation", "changing", "target", "skip", "times", "chance"] {
            kind.remove(key);
        }
        let kind =
            serde_json::from_value(Value::Object(kind)).map_err(|error| error.to_string())?;
        let seconds = match &kind {
            FaultKind::Late { after, .. } | FaultKind::Slow { after } => *after,
            _ => 0.0,
        };
        if !(0.0..=1e9).contains(&seconds) {
            return Err("after: seconds, 0 or more".to_owned());
        }
        if let FaultKind::Status { status, .. } = &kind
            && !(200..=599).contains(status)
        {
            return Err("status: 200 to 599".to_owned());
        }
        let Selector {
            operation,
            changing,
            target,
            skip,
            times,
            chance,
        } = selector;
        Ok(Self {
            operation,
            changing,
            target,
            skip,
            times,
            chance,
            kind,
        })
    }

    fn matches(&self, operation: Operation, targets: &[String]) -> bool {
        self.operation.is_none_or(|own| own == operation)
            && self
                .changing
                .is_none_or(|changing| changing == operation.changes())
            && self
                .target
                .as_ref()
                .is_none_or(|target| targets.contains(target))
            && self.times != Some(0)
    }
}

/// The fault that meets this request, if any; it is used up by that. `dice`: 0.0-1.0.
pub(super) fn take(
    faults: &mut Vec<Fault>,
    operation: Operation,
    targets: &[String],
    mut dice: impl FnMut() -> f64,
) -> Option<FaultKind> {
    let mut met = None;
    for fault in faults.iter_mut() {
        if !fault.matches(operation, targets) {
            continue;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            continue;
        }
        if fault.chance.is_some_and(|chance| dice() >= chance) {
            continue;
        }
        fault.times = fault.times.map(|times| times - 1);
        met = Some(fault.kind.clone());
        break;
    }
    faults.retain(|fault| fault.times != Some(0));
    met
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_meets_what_it_names_as_often_as_it_says() {
        let mut faults = vec![Fault {
            target: Some("dws-1".to_owned()),
            skip: 1,
            times: Some(2),
            ..Fault::next(
                Operation::CreateCluster,
                FaultKind::LostBefore { hang: false },
            )
        }];
        let mut meet = |operation, target: &str| {
            take(&mut faults, operation, &[target.to_owned()], || 0.5).is_some()
        };
        assert!(!meet(Operation::ListClusters, "dws-1"));
        assert!(!meet(Operation::CreateCluster, "dws-2"));
        assert!(!meet(Operation::CreateCluster, "dws-1"), "skipped");
        assert!(meet(Operation::CreateCluster, "dws-1"));
        assert!(meet(Operation::CreateCluster, "dws-1"));
        assert!(!meet(Operation::CreateCluster, "dws-1"), "used up");
        assert!(faults.is_empty());
    }

    #[rstest]
    #[case(json!({"kind": "late", "after": 60}), true)]
    #[case(json!({"operation": "resize_cluster", "kind": "status", "status": 504, "executed": true}), true)]
    #[case(json!({"kind": "fail_task", "times": null}), true)]
    #[case(json!({"kind": "late"}), false)]
    #[case(json!({"kind": "late", "after": -1}), false)]
    #[case(json!({"kind": "late", "after": 1, "aftr": 2}), false)]
    #[case(json!({"operation": "resize", "kind": "fail_task"}), false)]
    #[case(json!([]), false)]
    fn from_json(#[case] value: Value, #[case] good: bool) {
        assert_eq!(Fault::from_json(&value).is_ok(), good);
    }
}
