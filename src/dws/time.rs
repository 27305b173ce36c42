//! Points in time as the service writes them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

static HTTP_DATE: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);

/// A time in a body: ISO 8601 with or without an offset (then it is UTC), with or without fractions.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// A time in a header (`Date`, `Retry-After`): `Tue, 12 Feb 2019 06:52:13 GMT`.
pub fn http_date(text: &str) -> Option<Timestamp> {
    HTTP_DATE.parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2016-02-10T14:28:14Z", Some("2016-02-10T14:28:14Z"))]
    #[case("2018-01-15T12:50:06", Some("2018-01-15T12:50:06Z"))]
    #[case("2018-01-15T12:50:06.123", Some("2018-01-15T12:50:06.123Z"))]
    #[case("2018-01-15T12:50:06.123456Z", Some("2018-01-15T12:50:06.123456Z"))]
    #[case("2018-01-15 12:50:06", Some("2018-01-15T12:50:06Z"))]
    #[case("2018-01-15T12:50:06+08:00", Some("2018-01-15T04:50:06Z"))]
    #[case("2018-01-15T12:50:06+0800", Some("2018-01-15T04:50:06Z"))]
    #[case(" 2018-01-15T12:50:06Z ", Some("2018-01-15T12:50:06Z"))]
    #[case("", None)]
    #[case("yesterday", None)]
    #[case("1515991806000", None)]
    fn times_in_bodies(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(
            timestamp(text),
            expected.map(|text| text.parse().unwrap()),
            "{text}"
        );
    }

    #[rstest]
    #[case("Tue, 12 Feb 2019 06:52:13 GMT", Some("2019-02-12T06:52:13Z"))]
    #[case("Tue, 12 Feb 2019 06:52:13 +0000", Some("2019-02-12T06:52:13Z"))]
    #[case("Mon, 12 Feb 2019 06:52:13 GMT", Some("2019-02-12T06:52:13Z"))]
    #[case("120", None)]
    fn times_in_headers(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(
            http_date(text),
            expected.map(|text| text.parse().unwrap()),
            "{text}"
        );
    }
}
