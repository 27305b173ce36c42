//! What to do about the lease, given what was read of it and since when that has stood so.
//!
//! Pure: times are those of this process's own steady clock. The times that stand in the lease are compared
//! with each other for change and with no clock, so no difference between two machines' clocks lets two of
//! them hold it.

use std::time::Duration;

use jiff::Timestamp;

/// The lease as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Who holds it; `None`: it was released.
    pub holder: Option<String>,
    /// How long others are to wait after a renewal of theirs that they see.
    pub duration: Duration,
    /// Since when it is this holder's, by the holder's clock.
    pub acquired: Option<Timestamp>,
    /// When it was renewed last, by the holder's clock.
    pub renewed: Option<Timestamp>,
    /// How often it changed hands.
    pub transitions: i32,
}

/// What a process does that does not hold the lease, as far as it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make it: there is none.
    Create,
    /// Write oneself in: nobody holds it any more.
    Take,
    /// It bears our own name: an earlier write arrived though its answer was lost. Only a renewal whose begin is
    /// known makes it ours.
    Renew,
    /// Somebody holds it, for so long at least if nothing more is heard of them.
    Wait(Duration),
}

/// How the lease stands for its holder, when a renewal did not go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Still ours.
    Ours,
    /// Deleted. The others wait as long as if it were there, so the holder makes it anew.
    Deleted,
    /// Another's, or nobody's: somebody wrote over our name.
    Lost(Option<String>),
}

/// See [`Standing`].
pub fn standing(me: &str, found: Option<&Record>) -> Standing {
    match found {
        None => Standing::Deleted,
        Some(record) if record.holder.as_deref() == Some(me) => Standing::Ours,
        Some(record) => Standing::Lost(record.holder.clone()),
    }
}

/// What a process has seen of the lease, and since when.
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    last: Option<Sighting>,
}

#[derive(Clone, Debug)]
struct Sighting {
    found: Option<Record>,
    since: Duration,
    /// How long it must stand so before it is anybody's.
    promise: Duration,
}

impl Sightings {
    /// Takes in what was read, in an answer that came at `now`, and says what to do about it. `least` is what
    /// a holder is given in any case, whatever its record promises.
    pub fn step(
        &mut self,
        me: &str,
        found: Option<&Record>,
        now: Duration,
        least: Duration,
    ) -> Step {
        let former = self.last.take();
        let sighting = match former {
            Some(former) if former.found.as_ref() == found => former,
            former => Sighting {
                found: found.cloned(),
                since: now,
                promise: promise(former.as_ref(), found, least),
            },
        };
        let stood = now.saturating_sub(sighting.since);
        let left = sighting.promise.saturating_sub(stood);
        self.last = Some(sighting);
        match found {
            Some(record) if record.holder.as_deref() == Some(me) => Step::Renew,
            _ if !left.is_zero() => Step::Wait(left),
            Some(_) => Step::Take,
            None => Step::Create,
        }
    }
}

fn promise(former: Option<&Sighting>, found: Option<&Record>, least: Duration) -> Duration {
    match found {
        Some(record) if record.holder.is_some() => record.duration.max(least),
        Some(_) => Duration::ZERO,
        // Whoever held it when it was deleted may believe in it for as long as before.
        None => former.map_or(Duration::ZERO, |former| former.promise),
    }
}

#[cfg(test)]
mod tests;
