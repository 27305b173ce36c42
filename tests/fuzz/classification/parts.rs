//! Answers put together from parts, so that what each of them must count as is known beforehand, by the rule's own
//! words and without the client.

use dws_operator::dws::operation::Operation;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::corpus::{self, ID};
use crate::edits::Carried;

/// The changing calls.
pub const CHANGING: [Operation; 8] = [
    Operation::CreateCluster,
    Operation::RestoreSnapshot,
    Operation::CreateSnapshot,
    Operation::DeleteCluster,
    Operation::RestartCluster,
    Operation::ResizeCluster,
    Operation::ResetPassword,
    Operation::DeleteSnapshot,
];

/// Codes of the gateway that say that the request did not come through.
const AT_THE_GATE: [&str; 10] = [
    "0101", "0301", "0302", "0303", "0304", "0305", "0306", "0307", "0308", "0802",
];

/// How sure it is what became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    Maybe,
    Not,
    Taken,
}

/// An answer in parts.
#[derive(Clone, Debug)]
pub struct Parts {
    pub operation: Operation,
    pub status: u16,
    pub style: usize,
    pub code: Option<String>,
    pub message: String,
    pub with_id: bool,
    pub with_job: bool,
    pub carried: Carried,
}

pub fn status() -> impl Strategy<Value = u16> {
    prop_oneof![
        3 => select(vec![200_u16, 201, 202, 204]),
        3 => select(vec![400_u16, 401, 403, 404, 409, 429, 499]),
        2 => select(vec![408_u16, 500, 502, 503, 504]),
        1 => select(vec![100_u16, 203, 206, 301, 302, 307, 399, 599, 600, 0]),
        1 => any::<u16>(),
    ]
}

pub fn code() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["DWS.5050", "DWS.9999", "DWS.0015", "DWS.3027", "DWS.6000", "dws.5006", "DWS.4242"]).prop_map(str::to_owned),
        2 => select(vec!["DWS.7023", "DWS.0011", "dws.0011"]).prop_map(str::to_owned),
        1 => select(vec!["DWS.0000", "dws.0000", "DWS.", "DWS", "5050", "OK", "DWSX.1", "XDWS.5050"]).prop_map(str::to_owned),
        3 => select(AT_THE_GATE.to_vec()).prop_map(|number| format!("APIGW.{number}")),
        2 => select(vec!["0201", "0601", "0613", "0309", "0801", ""]).prop_map(|number| format!("APIGW.{number}")),
        1 => "IAM\\.[0-9]{0,4}",
        1 => "(DWS|APIGW|IAM|OBS)\\.[0-9]{0,5}",
    ]
}

fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("said so".to_owned()),
        2 => select(vec!["DWS.7023", "DWS.7023: busy", "[DWS.0011] wait", "DWS.70231", "not DWS.7023", "DWS.0012"]).prop_map(str::to_owned),
        1 => "\\PC{1,30}".prop_filter("says something, and nothing of being busy", |text| {
            !text.trim().is_empty() && !text.to_uppercase().contains("DWS.")
        }),
    ]
}

pub fn parts() -> impl Strategy<Value = Parts> {
    let body = (
        0..corpus::STYLES.len(),
        prop::option::weighted(0.85, code()),
        message(),
        any::<bool>(),
        prop::bool::weighted(0.2),
    );
    let carried = prop_oneof![
        5 => Just(Carried::Whole),
        2 => any::<Index>().prop_map(Carried::Cut),
        1 => any::<bool>().prop_map(|padded| Carried::Base64 { padded }),
        1 => Just(Carried::Marked),
    ];
    (select(CHANGING.to_vec()), status(), body, carried).prop_map(
        |(operation, status, (style, code, message, with_id, with_job), carried)| Parts {
            operation,
            status,
            style,
            code,
            message,
            with_id,
            with_job,
            carried,
        },
    )
}

impl Parts {
    fn document(&self) -> Value {
        let mut document = match &self.code {
            Some(code) => corpus::error(self.style, code, &self.message),
            None => json!({}),
        };
        if self.with_id {
            document["cluster"] = json!({"id": ID});
            document["snapshot"] = json!({"id": ID});
        }
        if self.with_job {
            document["job_id"] = json!("job-1");
        }
        document
    }

    pub fn body(&self) -> Vec<u8> {
        self.carried
            .apply(&self.document().to_string().into_bytes())
    }

    /// By the rule's own words.
    pub fn expected(&self) -> Certainty {
        use Certainty::{Maybe, Not, Taken};
        let good = matches!(self.status, 200 | 201 | 202 | 204);
        let makes = matches!(
            self.operation,
            Operation::CreateCluster | Operation::RestoreSnapshot | Operation::CreateSnapshot
        );
        let arrived = self.body();
        if arrived.trim_ascii().is_empty() {
            // A whole answer without a body: a connection that ends early is no answer at all.
            return if good && !makes { Taken } else { Maybe };
        }
        if matches!(self.carried, Carried::Cut(_)) {
            return Maybe;
        }
        let code = self.code.as_deref().unwrap_or_default().to_uppercase();
        let style = corpus::STYLES[self.style];
        // In an answer of good status only the service's own styles count as an error.
        let own_style = !matches!(style, "iam" | "camel" | "bare");
        let counts = self.code.is_some() && (own_style || !good);
        let names = |text: &str| text.starts_with("DWS.7023") || text.starts_with("DWS.0011");
        let says_busy = counts
            && (matches!(code.as_str(), "DWS.7023" | "DWS.0011")
                || (names(self.message.trim_start_matches('[')) && self.message != "DWS.70231"));
        if good {
            let failed = counts && code != "DWS.0000" && !self.with_job;
            if failed {
                let known = !self.has_id() && code != "APIGW.0201" && !code.starts_with("APIGW.06");
                return if says_busy || known { Not } else { Maybe };
            }
            let speaks = self.code.is_some() && style == "iam";
            return if speaks || (makes && !self.with_id) {
                Maybe
            } else {
                Taken
            };
        }
        let refused = (400..500).contains(&self.status) && self.status != 408;
        let of_the_service = code
            .strip_prefix("DWS.")
            .is_some_and(|number| !number.is_empty() && number != "0000");
        let of_the_gate = code
            .strip_prefix("APIGW.")
            .is_some_and(|number| AT_THE_GATE.contains(&number));
        let of_iam = code
            .strip_prefix("IAM.")
            .is_some_and(|number| !number.is_empty())
            || (style == "iam" && !code.starts_with("DWS.") && !code.starts_with("APIGW."));
        let definite = self.code.is_some() && refused && (of_the_service || of_the_gate || of_iam);
        if says_busy || definite { Not } else { Maybe }
    }

    fn has_id(&self) -> bool {
        self.with_id && self.operation.makes().is_some()
    }
}
