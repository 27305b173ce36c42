//! Requests by annotation: recorded once, acted on once, never replayed by a backup.

use jiff::{SignedDuration, Timestamp};

/// A value further ahead of the clock than this is a mistake, not a request.
pub const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// A request that could not run for this long lapses.
const LAPSES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What an annotation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Nothing new.
    None,
    /// A new request.
    Due(Timestamp),
    /// It waited for 24 hours: record it, say so, do not act.
    Lapsed(Timestamp),
    /// More than ten minutes ahead of the clock: say so, do nothing.
    TooFarAhead,
    /// Not RFC 3339: say so, do nothing.
    Unreadable,
}

/// Judges an annotation's `value` against the recorded one (none recorded: against the resource's creation).
///
/// The first write records whatever is there. A recorded value far ahead of the clock never acts itself, and
/// is no measure for others: it would swallow every real request until its time.
pub fn judge(
    value: Option<&str>,
    recorded: Option<Timestamp>,
    created: Option<Timestamp>,
    now: Timestamp,
) -> Request {
    let Some(value) = value else {
        return Request::None;
    };
    let Ok(asked) = value.parse::<Timestamp>() else {
        return Request::Unreadable;
    };
    let far_ahead = |time: &Timestamp| time.duration_since(now) > FURTHEST_AHEAD;
    let since = recorded.filter(|time| !far_ahead(time)).or(created);
    if recorded == Some(asked) || since.is_some_and(|since| asked <= since) {
        return Request::None;
    }
    if far_ahead(&asked) {
        return Request::TooFarAhead;
    }
    if now.duration_since(asked) > LAPSES_AFTER {
        return Request::Lapsed(asked);
    }
    Request::Due(asked)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, Some(0), Request::None)]
    #[case(Some("yesterday"), Some(0), Request::Unreadable)]
    #[case(Some("1970-01-02T00:00:00Z"), Some(86_400), Request::None)]
    #[case(Some("1970-01-02T00:00:00Z"), Some(86_399), Request::Due(Timestamp::from_second(86_400).unwrap()))]
    #[case(Some("1970-01-02T00:00:00Z"), None, Request::None)]
    #[case(Some("1970-01-03T00:10:00Z"), None, Request::Due(Timestamp::from_second(173_400).unwrap()))]
    #[case(Some("1970-01-03T00:10:01Z"), None, Request::TooFarAhead)]
    fn a_request_counts_once(
        #[case] value: Option<&str>,
        #[case] recorded: Option<i64>,
        #[case] expected: Request,
    ) {
        let second = |s| Timestamp::from_second(s).unwrap();
        let judged = judge(
            value,
            recorded.map(second),
            Some(second(90_000)),
            second(172_800),
        );
        assert_eq!(judged, expected);
    }

    #[test]
    fn a_request_lapses_after_a_day() {
        let second = |s| Timestamp::from_second(s).unwrap();
        let judged = judge(
            Some("1970-01-01T00:00:10Z"),
            Some(second(0)),
            None,
            second(86_411),
        );
        assert_eq!(judged, Request::Lapsed(second(10)));
    }
}
