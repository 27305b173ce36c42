//! The annotations that people write on a resource, as values.
//!
//! Reading only: whether a request is new, too far ahead or to be ignored is for the plan to judge.

use std::collections::BTreeMap;

use jiff::Timestamp;
use thiserror::Error;

use super::names;

/// The annotations of a resource, as `metadata.annotations` holds them.
pub type Annotations = BTreeMap<String, String>;

/// What a person can ask for by annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Request {
    /// Restart the cluster.
    Restart,
    /// Generate and set another password.
    RotatePassword,
    /// Reconcile now; a refused create is tried again.
    Reconcile,
}

impl Request {
    /// All requests.
    pub const ALL: [Self; 3] = [Self::Restart, Self::RotatePassword, Self::Reconcile];

    /// The annotation's name.
    pub fn annotation(self) -> &'static str {
        match self {
            Self::Restart => names::RESTART_REQUESTED_AT,
            Self::RotatePassword => names::ROTATE_PASSWORD_REQUESTED_AT,
            Self::Reconcile => names::RECONCILE_REQUESTED_AT,
        }
    }

    /// When it was asked for; none where the annotation is absent or empty.
    pub fn requested_at(self, annotations: &Annotations) -> Result<Option<Timestamp>, NotATime> {
        let Some(text) = annotations.get(self.annotation()) else {
            return Ok(None);
        };
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        parse_rfc3339(text).map(Some).ok_or_else(|| NotATime {
            annotation: self.annotation(),
            value: text.chars().take(64).collect(),
        })
    }
}

/// An annotation whose value is no time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "annotation {annotation} is {value:?}, which is not a time: write it in RFC 3339, such as 2026-11-25T08:30:00Z"
)]
pub struct NotATime {
    /// The annotation's name.
    pub annotation: &'static str,
    /// Its value, at most 64 characters of it.
    pub value: String,
}

/// Whether changing calls are to wait: the value is exactly `true`.
pub fn is_paused(annotations: &Annotations) -> bool {
    annotations
        .get(names::PAUSED)
        .is_some_and(|value| value == "true")
}

/// The operation whose unknown outcome a person has taken note of.
pub fn acknowledged_attempt(annotations: &Annotations) -> Option<&str> {
    trimmed(annotations, names::ACKNOWLEDGE_ATTEMPT)
}

/// The id of the cluster that may be deleted although the CRD itself is being deleted.
pub fn confirmed_delete(annotations: &Annotations) -> Option<&str> {
    trimmed(annotations, names::CONFIRM_DELETE)
}

fn trimmed<'a>(annotations: &'a Annotations, name: &str) -> Option<&'a str> {
    let value = annotations.get(name)?.trim();
    (!value.is_empty()).then_some(value)
}

/// RFC 3339 as `date --rfc-3339=seconds`, `date -Iseconds` and every library write it. The parser
/// itself takes more (no seconds, no colon in the offset, a zone in brackets); what is refused here
/// is refused by other controllers too.
fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || !text.is_ascii() {
        return None;
    }
    let shape = |part: &[u8], pattern: &[u8]| {
        part.len() == pattern.len()
            && part.iter().zip(pattern).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't' | b' '),
                b'+' => matches!(byte, b'+' | b'-'),
                other => byte == other,
            })
    };
    let (time, rest) = bytes.split_at(19);
    let fraction = match rest {
        [b'.', digits @ ..] => {
            1 + digits
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        }
        _ => 0,
    };
    let zone = &rest[fraction..];
    let fits = shape(time, b"0000-00-00T00:00:00")
        && fraction != 1
        && (matches!(zone, b"Z" | b"z") || shape(zone, b"+00:00"));
    // Digits beyond nanoseconds are more than the parser takes, and mean nothing to anybody.
    let text = format!(
        "{}{}{}",
        &text[..19],
        &text[19..19 + fraction.min(10)],
        &text[19 + fraction..]
    );
    fits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn with(name: &str, value: &str) -> Annotations {
        Annotations::from([(name.to_owned(), value.to_owned())])
    }

    #[rstest]
    #[case("2026-11-25T08:30:00Z")]
    #[case("2026-11-25t08:30:00z")]
    #[case("2026-11-25 08:30:00+00:00")]
    #[case("2026-11-25T09:30:00+01:00")]
    #[case("2026-11-25T03:00:00-05:30")]
    #[case(" 2026-11-25T08:30:00.000Z ")]
    #[case("2026-11-25T08:30:00.00000000000000Z")]
    fn rfc_3339_is_taken(#[case] value: &str) {
        for request in Request::ALL {
            let at = request
                .requested_at(&with(request.annotation(), value))
                .unwrap();
            assert_eq!(at.unwrap().to_string(), "2026-11-25T08:30:00Z", "{value}");
        }
    }

    #[rstest]
    #[case("now")]
    #[case("true")]
    #[case("1764059400")]
    #[case("2026-11-25")]
    #[case("2026-11-25T08:30:00")]
    #[case("2026-11-25T08:30Z")]
    #[case("2026-11-25T08:30:00+0100")]
    #[case("2026-11-25T08:30:00+01")]
    #[case("2026-11-25T08:30:00.Z")]
    #[case("2026-11-25T08:30:00Z[UTC]")]
    #[case("2026-11-25T08:30:00Zz")]
    #[case("2026-13-25T08:30:00Z")]
    #[case("2026-02-30T08:30:00Z")]
    #[case("2026-11-25T25:30:00Z")]
    #[case("2026-11-25T08:30:00\u{2212}01:00")]
    #[case("\u{ff12}026-11-25T08:30:00Z")]
    fn anything_else_is_refused_with_the_mend(#[case] value: &str) {
        let annotations = with(names::RESTART_REQUESTED_AT, value);
        let error = Request::Restart.requested_at(&annotations).unwrap_err();
        assert_eq!(error.value, value);
        assert!(
            error
                .to_string()
                .contains("write it in RFC 3339, such as 2026-11-25T08:30:00Z")
        );
        assert!(
            error
                .to_string()
                .contains("dws.huaweicloud.com/restart-requested-at")
        );
    }

    #[test]
    fn absent_and_empty_ask_for_nothing() {
        for request in Request::ALL {
            assert_eq!(request.requested_at(&Annotations::new()), Ok(None));
            assert_eq!(
                request.requested_at(&with(request.annotation(), " ")),
                Ok(None)
            );
        }
        assert!(!is_paused(&Annotations::new()) && !is_paused(&with(names::PAUSED, "True")));
        assert!(is_paused(&with(names::PAUSED, "true")));
        assert_eq!(
            acknowledged_attempt(&with(names::ACKNOWLEDGE_ATTEMPT, "")),
            None
        );
        assert_eq!(
            acknowledged_attempt(&with(names::ACKNOWLEDGE_ATTEMPT, " a ")),
            Some("a")
        );
        assert_eq!(
            confirmed_delete(&with(names::CONFIRM_DELETE, "b")),
            Some("b")
        );
    }

    #[test]
    fn a_long_value_is_cut_in_the_error() {
        let annotations = with(names::RECONCILE_REQUESTED_AT, &"x".repeat(10_000));
        let error = Request::Reconcile.requested_at(&annotations).unwrap_err();
        assert!(error.to_string().len() < 300);
    }

    proptest! {
        #[test]
        fn every_time_that_is_written_is_read_back(seconds in 0_i64..4_102_444_800, nanos in 0_i32..1_000_000_000) {
            let at = Timestamp::new(seconds, nanos).unwrap();
            prop_assert_eq!(parse_rfc3339(&at.to_string()), Some(at));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|[0-9TZ:. +-]{0,40}") {
            let _ = parse_rfc3339(&text);
        }
    }
}
