//! What an answer says, read without the client: the oracle that decoders are judged by.

use dws_operator::dws::answer::{Class, Failure, Meaning};
use proptest::prelude::*;
use serde_json::Value;

use super::corpus::ID;
use super::decoding::PROJECT;
use super::engine::Judgement;

/// What an answer says, read without the client.
pub struct Said {
    pub status: u16,
    pub document: Option<Value>,
    pub exact: bool,
    pub cut: bool,
}

/// A text, a number or a bool as text; anything else, and an empty text, is none.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl Said {
    pub fn at(&self, name: &str) -> &Value {
        self.document
            .as_ref()
            .map_or(&Value::Null, |document| &document[name])
    }

    pub fn members(&self, list: &str) -> &[Value] {
        self.at(list).as_array().map_or(&[], Vec::as_slice)
    }

    /// It bears something in the place of an error code that is not the code of success.
    pub fn takes_itself_back(&self) -> bool {
        let first = ["error_code", "errCode"].iter().map(|name| self.at(name));
        let code = first
            .into_iter()
            .find(|code| !code.is_null() && **code != "");
        let refused = code.is_some_and(|code| {
            let code = text(code).unwrap_or_default();
            !code.eq_ignore_ascii_case("DWS.0000")
        });
        refused && text(self.at("job_id")).is_none()
    }

    /// Something was read out of it, so it is a whole object, of good status, that holds this member.
    pub fn is_answer(&self, member: &str) -> Judgement {
        prop_assert!(
            (200..=202).contains(&self.status),
            "{} read as an answer",
            self.status
        );
        prop_assert!(!self.cut, "read although it was cut off");
        let object = self.document.as_ref().and_then(Value::as_object);
        prop_assert!(
            object.is_some_and(|object| object.contains_key(member)),
            "no {member}"
        );
        prop_assert!(!self.takes_itself_back(), "an error taken for an answer");
        Ok(())
    }

    pub fn proves(&self, list: &str) -> bool {
        let members = self.members(list);
        let count = number(self.at("count"));
        let mut seen = Vec::new();
        #[allow(clippy::cast_precision_loss)]
        let counted = count == Some(members.len() as f64);
        self.status == 200
            && self.at(list).is_array()
            && counted
            && members.iter().all(|member| {
                // A task that is no text is none that can be known to be over.
                let odd = match &member["task_status"] {
                    Value::Object(object) => !object.is_empty(),
                    Value::Array(list) => !list.is_empty(),
                    _ => false,
                };
                let named = !odd
                    && member.is_object()
                    && text(&member["name"]).is_some()
                    && text(&member["status"]).is_some();
                let id = text(&member["id"]).filter(|id| !id.trim().is_empty());
                let fresh = id.as_ref().is_some_and(|id| !seen.contains(id));
                seen.extend(id);
                named && fresh
            })
    }

    pub fn judge_list(
        &self,
        list: &str,
        result: Result<(Vec<String>, bool), Failure>,
        by_id: bool,
    ) -> Judgement {
        match result {
            Ok((items, complete)) => {
                self.is_answer(list)?;
                for id in &items {
                    let there = self
                        .members(list)
                        .iter()
                        .any(|member| text(&member["id"]).as_ref() == Some(id));
                    prop_assert!(there, "{id} out of nothing");
                }
                let proves = self.proves(list);
                prop_assert!(proves || !complete, "{list} called complete");
                prop_assert!(
                    complete || !proves || !self.exact,
                    "{list} is complete and is not called so"
                );
                prop_assert!(
                    !complete || items.len() == self.members(list).len(),
                    "members lost"
                );
                Ok(())
            }
            Err(failure) => {
                let usable =
                    self.proves(list) && !self.takes_itself_back() && !self.cut && self.exact;
                prop_assert!(!usable, "a good list refused: {failure}");
                self.judge_failure(&failure, by_id, list == "snapshot")
            }
        }
    }

    pub fn judge_detail(
        &self,
        member: &str,
        result: Result<String, Failure>,
        snapshot: bool,
    ) -> Judgement {
        match result {
            Ok(id) => {
                self.is_answer(member)?;
                let told = self.at(member);
                prop_assert!(told.is_object(), "{told} taken for a {member}");
                prop_assert_eq!(text(&told["id"]), Some(id.clone()));
                prop_assert!(id.eq_ignore_ascii_case(ID), "about {id}");
                Ok(())
            }
            Err(failure) => self.judge_failure(&failure, true, snapshot),
        }
    }

    pub fn judge_project(&self, result: Result<Option<String>, Failure>) -> Judgement {
        let named = |project: &&Value| text(&project["name"]).is_some();
        let projects = self.members("projects");
        match result {
            Ok(Some(id)) => {
                self.is_answer("projects")?;
                let is_it = |project: &Value| {
                    project["name"] == PROJECT && text(&project["id"]) == Some(id.clone())
                };
                prop_assert!(projects.iter().any(is_it), "project {id} out of nothing");
            }
            Ok(None) => {
                self.is_answer("projects")?;
                prop_assert!(
                    self.at("projects").is_array(),
                    "no list taken for an empty one"
                );
                prop_assert!(
                    projects.iter().filter(named).count() == projects.len(),
                    "a project that cannot be read taken for none"
                );
            }
            Err(failure) => self.judge_failure(&failure, false, false)?,
        }
        Ok(())
    }

    /// The failure says "absent" only where the answer does.
    pub fn judge_failure(&self, failure: &Failure, by_id: bool, snapshot: bool) -> Judgement {
        let says_absent = failure.meaning.class() == Class::Absent
            || matches!(
                failure.meaning,
                Meaning::Absent | Meaning::AbsentOrForbidden
            );
        if !says_absent {
            return Ok(());
        }
        let status = self.status;
        let speaks = matches!(status, 200..=202 | 204 | 400..=407 | 409..=428 | 430..=499);
        prop_assert!(speaks, "{status} taken for an absence");
        let codes: Vec<String> = [
            self.document.as_ref().unwrap_or(&Value::Null),
            self.at("error"),
        ]
        .into_iter()
        .flat_map(|object| {
            ["error_code", "errCode", "errorCode", "code"].map(|name| text(&object[name]))
        })
        .flatten()
        .map(|code| code.trim().to_uppercase())
        .collect();
        let mut known = vec!["DWS.0015", "DWS.0047", "DWS.3027"];
        known.extend(snapshot.then_some("DWS.5149"));
        let not_found = by_id && matches!(status, 404 | 410);
        let means_it = |code: &String| {
            known.contains(&code.as_str()) || (not_found && code.starts_with("DWS."))
        };
        prop_assert!(codes.iter().any(means_it), "{codes:?} taken for an absence");
        Ok(())
    }
}
