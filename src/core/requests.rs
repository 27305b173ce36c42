//! Requests by annotation: recorded once, acted on once, never replayed by a backup.

use jiff::{SignedDuration, Timestamp};

use crate::api::annotations::NotATime;

/// A value further ahead of the clock than this is a mistake, not a request.
pub const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// A request that could not run for this long lapses.
const LAPSES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What an annotation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Nothing new.
    None,
    /// A new request.
    Due(Timestamp),
    /// It waited for 24 hours: record it, say so, do not act.
    Lapsed(Timestamp),
    /// More than ten minutes ahead of the clock: say so, do nothing.
    TooFarAhead,
    /// Not RFC 3339: say so, do nothing.
    Unreadable(NotATime),
}

/// Judges what an annotation asks for against the recorded time (none recorded: against the resource's
/// creation).
///
/// The first write records whatever is there. A recorded value far ahead of the clock never acts itself, and
/// is no measure for others: it would swallow every real request until its time.
pub fn judge(
    asked: Result<Option<Timestamp>, NotATime>,
    recorded: Option<Timestamp>,
    created: Option<Timestamp>,
    now: Timestamp,
) -> Judged {
    let asked = match asked {
        Ok(Some(asked)) => asked,
        Ok(None) => return Judged::None,
        Err(error) => return Judged::Unreadable(error),
    };
    let far_ahead = |time: &Timestamp| time.duration_since(now) > FURTHEST_AHEAD;
    let since = recorded.filter(|time| !far_ahead(time)).or(created);
    if recorded == Some(asked) || since.is_some_and(|since| asked <= since) {
        return Judged::None;
    }
    if far_ahead(&asked) {
        return Judged::TooFarAhead;
    }
    if now.duration_since(asked) > LAPSES_AFTER {
        return Judged::Lapsed(asked);
    }
    Judged::Due(asked)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[rstest]
    #[case(None, Some(0), Judged::None)]
    #[case(Some(86_400), Some(86_400), Judged::None)]
    #[case(Some(86_400), Some(86_399), Judged::Due(second(86_400)))]
    #[case(Some(86_400), None, Judged::None)]
    #[case(Some(173_400), None, Judged::Due(second(173_400)))]
    #[case(Some(173_401), None, Judged::TooFarAhead)]
    fn a_request_counts_once(
        #[case] asked: Option<i64>,
        #[case] recorded: Option<i64>,
        #[case] expected: Judged,
    ) {
        let judged = judge(
            Ok(asked.map(second)),
            recorded.map(second),
            Some(second(90_000)),
            second(172_800),
        );
        assert_eq!(judged, expected);
    }

    #[test]
    fn a_request_lapses_after_a_day() {
        let judged = judge(Ok(Some(second(10))), Some(second(0)), None, second(86_411));
        assert_eq!(judged, Judged::Lapsed(second(10)));
    }
}
