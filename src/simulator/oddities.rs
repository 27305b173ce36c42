//! The ways in which real services differ from their reference, each with a switch.
//!
//! It knows which oddities there are and what is usual. What each of them does stands where it is done.

use serde::{Deserialize, Serialize};

/// Everything that clients of the real service have met. `Oddities::default()` is the reference's behaviour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each oddity is a switch of its own"
)]
pub struct Oddities {
    /// How lists write `count`.
    pub count: Count,
    /// `resize_info.*_node_num` as numbers (the reference's example has text).
    pub resize_numbers: bool,
    /// `resize_info.status` instead of `resize_status`.
    pub resize_status_short: bool,
    /// How `created`, `updated`, `started`, `finished`, `start_time` are written.
    pub timestamps: Timestamps,
    /// How a field without a value is written.
    pub empty: Empty,
    /// How `failed_reasons` is written where nothing failed.
    pub no_failure: NoFailure,
    /// An idle cluster has `action_progress: {}` instead of null.
    pub idle_progress_object: bool,
    /// `connect_info` is a host name without port, which stands in `jdbc_url`.
    pub bare_host: bool,
    /// Fields that nobody has heard of, at every level.
    pub unknown_fields: bool,
    /// The fields that today's service has beyond the reference.
    pub extra_fields: bool,
    /// ACTIVE for AVAILABLE, `CREATE_FAILED` for `CREATION FAILED`, AUTO for AUTOMATED.
    pub newer_words: bool,
    /// An idle cluster's `sub_status` is a word that nobody has heard of.
    pub unknown_words: bool,
    /// Seconds until a change shows in lists.
    pub list_lag: f64,
    /// Seconds until a change shows in details.
    pub detail_lag: f64,
    /// The lag of each read is anything from 0 to the set one: views go back and forth.
    pub lag_varies: bool,
    /// Seconds for which a cluster is still busy after its task has ended.
    pub busy_after_task: f64,
    /// How busy is said.
    pub busy: Busy,
    /// Refusals of changing operations come as 200 with an `error_code`.
    pub refusal_in_200: bool,
    /// Accepted changing operations say `"error_code": "DWS.0000"`.
    pub success_code: bool,
    /// Accepted operations that have nothing to say answer with an empty body instead of `{}`.
    pub empty_body: bool,
    /// How a well-formed but unknown cluster id is refused.
    pub not_found: NotFound,
    /// Clusters deleted earlier are refused like unknown ones instead of 404 DWS.3027.
    pub deleted_is_unknown: bool,
    /// A cluster that is being deleted is not shown as DELETING but not at all.
    pub deleting_hidden: bool,
    /// Seconds for which a deleted cluster is shown as DELETED.
    pub deleted_shown: f64,
    /// DELETE of a cluster that is being deleted is accepted (again) instead of refused as busy.
    pub delete_again_accepted: bool,
    /// How error bodies are written.
    pub errors: BodyStyle,
    /// An expired token is 401 APIGW.0307 instead of APIGW.0301.
    pub expired_token_0307: bool,
    /// A `keep_last_manual_snapshot` above the number of manual snapshots is refused (400 DWS.5038).
    pub keep_too_large_refused: bool,
    /// What is shown while data is redistributed after a resize.
    pub redistribution: Redistribution,
    /// A resize begins with a SNAPSHOTTING phase.
    pub resize_snapshots_first: bool,
    /// A resize passes through UNAVAILABLE.
    pub offline_resize: bool,
    /// A snapshot is RESTORING while a cluster is restored from it.
    pub snapshot_restoring: bool,
}

/// How lists write `count`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// `2`
    #[default]
    Number,
    /// `"2"`
    Text,
    /// Not at all.
    Absent,
    /// One more than there are: the list is not complete.
    OneMore,
    /// The right number, but the last item is missing.
    OneMissing,
}

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// `2018-01-15T12:50:06Z`
    #[default]
    Zulu,
    /// `2018-01-15T12:50:06`
    NoZone,
    /// `2018-01-15T12:50:06.123Z`
    Fraction,
    /// `2018-01-15T12:50:06.123`
    FractionNoZone,
}

/// How a field without a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// `null`
    #[default]
    Null,
    /// Not at all.
    Absent,
    /// `""`, `{}`, `[]`, as its type is.
    Empty,
}

/// How `failed_reasons` is written where nothing failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoFailure {
    /// As [`Empty`] says.
    #[default]
    AsEmpty,
    /// `{}`
    Object,
    /// An object whose two fields are null.
    Nulls,
}

/// How busy is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Busy {
    /// 409 DWS.0011
    #[default]
    Conflict,
    /// 403 DWS.7023
    Forbidden,
    /// 500 DWS.9999 whose message is `DWS.7023`
    Internal,
}

/// How a well-formed but unknown cluster id is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotFound {
    /// 403 DWS.0015
    #[default]
    Forbidden,
    /// 401 DWS.0047
    Unauthorized,
    /// 404 DWS.0047
    NotFound,
}

/// How error bodies are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyStyle {
    /// `error_code`, `error_msg`
    #[default]
    Modern,
    /// `errCode`, `externalMessage`
    Legacy,
    /// All four.
    Both,
    /// Modern, as base64.
    Base64,
    /// `{"error": {"message", "code", "title"}}`
    Iam,
    /// Modern with `request_id`, as the gateway's own.
    Gateway,
}

/// What is shown while data is redistributed after a resize.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redistribution {
    /// `sub_status: REDISTRIBUTING`, no task.
    #[default]
    SubStatus,
    /// `task_status: REDISTRIBUTING`.
    Task,
    /// `task_status: WAITING_REDISTRIBUTION`, until somebody ends it from outside; work goes on meanwhile.
    Waiting,
    /// None takes place.
    Skipped,
}
