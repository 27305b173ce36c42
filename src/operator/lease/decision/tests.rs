//! A table of what is read, and what to do.

use rstest::rstest;

use super::*;

mod schedules;

const LEAST: Duration = Duration::from_secs(15);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn record(holder: &str, renewed: i64) -> Record {
    Record {
        holder: (!holder.is_empty()).then(|| holder.to_owned()),
        duration: LEAST,
        renewed: Timestamp::from_second(renewed).ok(),
        ..Record::default()
    }
}

/// What is read, and at which second.
type Look = (u64, Option<Record>);

#[rstest]
#[case::nothing_is_there(vec![(100, None)], Step::Create)]
#[case::released(vec![(100, Some(record("", 1)))], Step::Take)]
#[case::released_while_we_looked(vec![(100, Some(record("b", 1))), (101, Some(record("", 2)))], Step::Take)]
#[case::held_at_first_sight(vec![(100, Some(record("b", 1)))], Step::Wait(s(15)))]
#[case::held_and_silent(vec![(100, Some(record("b", 1))), (109, Some(record("b", 1)))], Step::Wait(s(6)))]
#[case::held_and_renewed(vec![(100, Some(record("b", 1))), (109, Some(record("b", 2)))], Step::Wait(s(15)))]
#[case::silent_for_too_long(vec![(100, Some(record("b", 1))), (115, Some(record("b", 1)))], Step::Take)]
#[case::renewed_after_a_long_silence_of_ours(vec![(100, Some(record("b", 1))), (900, Some(record("b", 2)))], Step::Wait(s(15)))]
#[case::taken_by_another_meanwhile(vec![(100, Some(record("b", 1))), (115, Some(record("c", 1)))], Step::Wait(s(15)))]
#[case::an_old_time_in_it_says_nothing(vec![(100, Some(record("b", -4_000_000)))], Step::Wait(s(15)))]
#[case::a_coming_time_in_it_says_nothing(vec![(100, Some(record("b", 9_000_000_000))), (115, Some(record("b", 9_000_000_000)))], Step::Take)]
#[case::our_own_name_from_a_lost_answer(vec![(100, Some(record("me", 1)))], Step::Renew)]
#[case::deleted_under_its_holder(vec![(100, Some(record("b", 1))), (101, None)], Step::Wait(s(15)))]
#[case::still_deleted(vec![(100, Some(record("b", 1))), (101, None), (115, None)], Step::Wait(s(1)))]
#[case::deleted_for_long_enough(vec![(100, Some(record("b", 1))), (101, None), (116, None)], Step::Create)]
#[case::made_anew_by_its_holder(vec![(100, Some(record("b", 1))), (101, None), (102, Some(record("b", 2)))], Step::Wait(s(15)))]
#[case::deleted_after_its_release(vec![(100, Some(record("", 1))), (101, None)], Step::Create)]
#[case::promised_for_longer(vec![(100, Some(Record { duration: s(60), ..record("b", 1) })), (115, Some(Record { duration: s(60), ..record("b", 1) }))], Step::Wait(s(45)))]
#[case::promised_for_no_time(vec![(100, Some(Record { duration: s(0), ..record("b", 1) }))], Step::Wait(s(15)))]
fn a_follower(#[case] looks: Vec<Look>, #[case] step: Step) {
    let mut sightings = Sightings::default();
    let mut last = None;
    for (at, found) in looks {
        last = Some(sightings.step("me", found.as_ref(), s(at), LEAST));
    }
    assert_eq!(last, Some(step));
}

#[test]
fn a_holder() {
    assert_eq!(standing("me", None), Standing::Deleted);
    assert_eq!(standing("me", Some(&record("me", 1))), Standing::Ours);
    assert_eq!(
        standing("me", Some(&record("b", 1))),
        Standing::Lost(Some("b".into()))
    );
    assert_eq!(standing("me", Some(&record("", 1))), Standing::Lost(None));
}
