//! Many schedules of processes that stand still, whose requests are slow or lost and whose clocks tell different
//! times: no two of them hold the lease at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

/// Milliseconds of the world.
type Ms = u64;

const LOOK: Ms = 1_000;
const RENEW: Ms = 2_000;
const GIVE_UP: Ms = 10_000;
const ANSWER: Ms = 5_000;
const END: Ms = 150_000;

/// What a follower does about what it read, at its own time and by its own calendar.
type Judge = fn(&mut Sightings, &str, Option<&Record>, Duration, Timestamp) -> Step;

fn sound(
    sightings: &mut Sightings,
    me: &str,
    found: Option<&Record>,
    now: Duration,
    _: Timestamp,
) -> Step {
    sightings.step(me, found, now, LEAST)
}

/// The mutant: it believes in the time that stands in the lease.
fn by_the_calendar(
    _: &mut Sightings,
    me: &str,
    found: Option<&Record>,
    _: Duration,
    calendar: Timestamp,
) -> Step {
    match found {
        None => Step::Create,
        Some(record) if record.holder.as_deref() == Some(me) => Step::Renew,
        Some(record) => {
            let renewed = record.renewed.unwrap_or(Timestamp::UNIX_EPOCH);
            let over = renewed + SignedDuration::from_secs(15) <= calendar;
            if over { Step::Take } else { Step::Wait(s(1)) }
        }
    }
}

/// What happens next to a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Look,
    /// A request reaches the server, and its answer the sender: each bears the request's number.
    Reads(u64, Ms),
    Read(u64, usize),
    Writes(u64, Draft, Ms),
    Wrote(u64, Ms, Option<usize>),
    NoAnswer(u64),
    StandsStill(Ms),
}

/// What is to be written over which version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Draft {
    life: u32,
    began: Ms,
    version: usize,
}

struct Process {
    life: u32,
    skew: i64,
    sightings: Sightings,
    /// As it was read or written last.
    version: usize,
    /// Begin of the last renewal that went through.
    began: Option<Ms>,
    still_until: Ms,
    /// From the answer that made it a leader until its deadline.
    reigns: Vec<(Ms, Ms)>,
    /// It waits for the answer to this request; one to an earlier request finds nobody.
    waits: Option<u64>,
}

struct World {
    judge: Judge,
    give_up: Ms,
    processes: Vec<Process>,
    /// The lease, and every version that it had.
    versions: Vec<Option<Record>>,
    events: BinaryHeap<Reverse<(Ms, u64, usize, Event)>>,
    number: u64,
    delays: Vec<(u16, u16)>,
    drawn: usize,
}

impl World {
    fn new(judge: Judge, give_up: Ms, skews: &[i64], delays: Vec<(u16, u16)>) -> Self {
        let process = |skew: &i64| Process {
            life: 0,
            skew: *skew,
            sightings: Sightings::default(),
            version: 0,
            began: None,
            still_until: 0,
            reigns: Vec::new(),
            waits: None,
        };
        let mut world = Self {
            judge,
            give_up,
            processes: skews.iter().map(process).collect(),
            versions: vec![None],
            events: BinaryHeap::new(),
            number: 0,
            delays,
            drawn: 0,
        };
        for who in 0..skews.len() {
            world.at(137 * who as Ms, who, Event::Look);
        }
        world
    }

    fn at(&mut self, time: Ms, who: usize, event: Event) {
        self.number += 1;
        self.events.push(Reverse((time, self.number, who, event)));
    }

    /// How long a request is on its way to the server, and its answer on its way back.
    fn delay(&mut self) -> (Ms, Ms) {
        self.drawn += 1;
        let (up, down) = self.delays[self.drawn % self.delays.len()];
        (up.into(), down.into())
    }

    fn run(&mut self) {
        while let Some(Reverse((time, _, who, event))) = self.events.pop() {
            if time > END {
                return;
            }
            self.happens(time, who, event);
        }
    }

    fn happens(&mut self, now: Ms, who: usize, event: Event) {
        // The server never stands still.
        let until = self.processes[who].still_until;
        if until > now && !matches!(event, Event::Reads(..) | Event::Writes(..)) {
            return self.at(until, who, event);
        }
        let waits = self.processes[who].waits;
        match event {
            Event::StandsStill(time) => self.processes[who].still_until = now + time,
            Event::Look => self.looks(now, who),
            Event::Reads(request, down) => {
                let version = self.versions.len() - 1;
                self.at(now + down, who, Event::Read(request, version));
            }
            Event::Writes(request, draft, down) => {
                let current = self.versions.len() - 1;
                let stored = (draft.version == current).then(|| {
                    let record = self.signed(who, draft.life, draft.began);
                    self.versions.push(Some(record));
                    current + 1
                });
                self.at(now + down, who, Event::Wrote(request, draft.began, stored));
            }
            Event::Read(to, _) | Event::Wrote(to, ..) | Event::NoAnswer(to)
                if waits != Some(to) => {}
            Event::Read(_, version) => self.has_read(now, who, version),
            Event::Wrote(_, began, Some(version)) => self.has_written(now, who, began, version),
            // Looked at again.
            Event::Wrote(_, _, None) | Event::NoAnswer(_) => self.reads(now, who),
        }
    }

    fn name(who: usize, life: u32) -> String {
        format!("{who}_{life}")
    }

    fn calendar(&self, who: usize, at: Ms) -> Timestamp {
        let at = i64::try_from(at).unwrap() + self.processes[who].skew;
        Timestamp::from_millisecond(1_800_000_000_000 + at).unwrap()
    }

    fn signed(&self, who: usize, life: u32, began: Ms) -> Record {
        Record {
            holder: Some(Self::name(who, life)),
            duration: LEAST,
            renewed: Some(self.calendar(who, began)),
            ..Record::default()
        }
    }

    fn is_over(&self, now: Ms, who: usize) -> bool {
        let began = self.processes[who].began;
        began.is_some_and(|began| now >= began + self.give_up)
    }

    /// A new process in its place.
    fn dies(&mut self, now: Ms, who: usize) {
        let process = &mut self.processes[who];
        process.life += 1;
        process.sightings = Sightings::default();
        process.began = None;
        process.waits = None;
        self.at(now + 500, who, Event::Look);
    }

    fn looks(&mut self, now: Ms, who: usize) {
        if self.is_over(now, who) {
            return self.dies(now, who);
        }
        match self.processes[who].began {
            Some(_) => self.writes(now, who),
            None => self.reads(now, who),
        }
    }

    fn reads(&mut self, now: Ms, who: usize) {
        let (request, (up, down)) = (self.request(now, who), self.delay());
        self.at(now + up, who, Event::Reads(request, down));
    }

    fn writes(&mut self, now: Ms, who: usize) {
        let (request, (up, down)) = (self.request(now, who), self.delay());
        let draft = Draft {
            life: self.processes[who].life,
            began: now,
            version: self.processes[who].version,
        };
        self.at(now + up, who, Event::Writes(request, draft, down));
    }

    /// Its sender gives up after a while; the server gets it all the same.
    fn request(&mut self, now: Ms, who: usize) -> u64 {
        let request = self.number;
        self.processes[who].waits = Some(request);
        self.at(now + ANSWER, who, Event::NoAnswer(request));
        request
    }

    fn has_read(&mut self, now: Ms, who: usize, version: usize) {
        self.processes[who].waits = None;
        self.processes[who].version = version;
        let found = self.versions[version].clone();
        let me = Self::name(who, self.processes[who].life);
        if self.is_over(now, who) {
            return self.dies(now, who);
        }
        if self.processes[who].began.is_some() {
            return match standing(&me, found.as_ref()) {
                Standing::Lost(_) => self.dies(now, who),
                Standing::Ours | Standing::Deleted => self.writes(now, who),
            };
        }
        let calendar = self.calendar(who, now);
        let sightings = &mut self.processes[who].sightings;
        match (self.judge)(
            sightings,
            &me,
            found.as_ref(),
            Duration::from_millis(now),
            calendar,
        ) {
            Step::Wait(left) => {
                let left = Ms::try_from(left.as_millis()).unwrap();
                self.at(now + left.min(LOOK), who, Event::Look);
            }
            Step::Create | Step::Take | Step::Renew => self.writes(now, who),
        }
    }

    fn has_written(&mut self, now: Ms, who: usize, began: Ms, version: usize) {
        self.processes[who].waits = None;
        if self.is_over(now, who) {
            return self.dies(now, who);
        }
        let (give_up, process) = (self.give_up, &mut self.processes[who]);
        process.version = version;
        if now >= began + give_up {
            return self.at(now, who, Event::Look);
        }
        match (process.began, process.reigns.last_mut()) {
            (Some(_), Some(reign)) => reign.1 = began + give_up,
            _ => process.reigns.push((now, began + give_up)),
        }
        process.began = Some(began);
        self.at(now + RENEW, who, Event::Look);
    }

    /// Two that held it at once, and when.
    fn overlap(&self) -> Option<String> {
        let mut all: Vec<_> = self
            .processes
            .iter()
            .enumerate()
            .flat_map(|(who, process)| process.reigns.iter().map(move |reign| (*reign, who)))
            .collect();
        all.sort_unstable();
        all.windows(2).find_map(|pair| {
            let ((_, until), one) = pair[0];
            let ((from, _), other) = pair[1];
            (from < until).then(|| format!("{one} until {until} and {other} from {from}"))
        })
    }

    fn reigns(&self) -> usize {
        self.processes.iter().map(|one| one.reigns.len()).sum()
    }
}

fn schedule(
    judge: Judge,
    give_up: Ms,
    skews: &[i64],
    delays: Vec<(u16, u16)>,
    pauses: &[(Ms, usize, Ms)],
) -> World {
    let mut world = World::new(judge, give_up, skews, delays);
    for (at, who, time) in pauses {
        world.at(*at, *who, Event::StandsStill(*time));
    }
    world.run();
    world
}

/// Fast requests, and the first to come stands still for half a minute.
const QUICK: (u16, u16) = (20, 20);
const LONG_PAUSE: [(Ms, usize, Ms); 1] = [(30_000, 0, 30_000)];

#[test]
fn who_stands_still_is_followed() {
    let world = schedule(sound, GIVE_UP, &[0, 0], vec![QUICK], &LONG_PAUSE);
    assert_eq!(world.overlap(), None);
    let reigns: Vec<_> = world.processes.iter().map(|one| &one.reigns).collect();
    let (first, second) = (reigns[0][0], reigns[1][0]);
    assert!(
        second.0 >= first.1 + 4_000,
        "the margin: {first:?} {second:?}"
    );
    assert!(
        second.0 <= first.1 + 7_000,
        "nobody waits too long: {first:?} {second:?}"
    );
}

#[test]
fn a_follower_that_believes_in_the_calendar_is_caught() {
    let skews = [0, 40_000];
    let naive = schedule(by_the_calendar, GIVE_UP, &skews, vec![QUICK], &[]);
    assert!(naive.overlap().is_some());
    assert_eq!(
        schedule(sound, GIVE_UP, &skews, vec![QUICK], &[]).overlap(),
        None
    );
}

#[test]
fn a_holder_that_never_gives_up_by_itself_is_caught() {
    let world = schedule(sound, 3_600_000, &[0, 0], vec![QUICK], &LONG_PAUSE);
    assert!(world.overlap().is_some());
}

fn delays() -> impl Strategy<Value = Vec<(u16, u16)>> {
    let delay = prop_oneof![6 => 1..200_u16, 2 => 200..3_000_u16, 1 => 3_000..12_000_u16];
    prop::collection::vec((delay.clone(), delay), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn never_two_holders(
        skews in prop::collection::vec(-90_000..90_000_i64, 2..4),
        delays in delays(),
        pauses in prop::collection::vec((0..END, 0..2_usize, 1..45_000_u64), 0..8),
    ) {
        let world = schedule(sound, GIVE_UP, &skews, delays, &pauses);
        prop_assert_eq!(world.overlap(), None);
    }
}

/// What the property runs through is not all standing by.
#[test]
fn schedules_change_hands() {
    let pauses = [(20_000, 0, 20_000), (70_000, 1, 20_000), (71_000, 0, 5_000)];
    let world = schedule(sound, GIVE_UP, &[0, 0], vec![QUICK], &pauses);
    assert!(
        world.reigns() >= 3,
        "{:?}",
        world
            .processes
            .iter()
            .map(|one| &one.reigns)
            .collect::<Vec<_>>()
    );
}
