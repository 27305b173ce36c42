//! A follower: it looks, says what it sees, and takes the lease when that is nobody's any more.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::decision::{Record, Sightings, Step};
use super::store::Trouble;
use super::{Election, Place};
use crate::operator::health::Readiness;

/// What was said last, so that it is said once.
#[derive(Default)]
struct Said {
    trouble: Option<String>,
    holder: Option<String>,
}

impl Said {
    fn standing_by(&mut self, found: Option<&Record>, readiness: &Readiness) {
        readiness.set_standing_by();
        self.trouble = None;
        let holder = found.and_then(|record| record.holder.clone());
        if self.holder == holder {
            return;
        }
        if let Some(holder) = &holder {
            info!(%holder, "standing by: another replica leads");
        } else {
            info!("standing by: the lease was deleted under its holder");
        }
        self.holder = holder;
    }
}

impl Election {
    /// Waits until this process holds the lease. `false`: told to stop before that.
    pub async fn win(&mut self, readiness: &Readiness, stop: &CancellationToken) -> bool {
        let start = Instant::now();
        let mut sightings = Sightings::default();
        let mut said = Said::default();
        // A look may be broken off; a write not, or the lease would bear the name of a process that is gone.
        let mut may_be_ours = false;
        loop {
            let looked = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                looked = self.store.read(self.terms.answer) => looked,
            };
            let pause = match looked {
                Err(trouble) => self.say_not_there(&trouble, readiness, &mut said),
                Ok(found) => {
                    let me = &self.store.place().identity;
                    let found = found.as_ref();
                    match sightings.step(me, found, start.elapsed(), self.terms.duration) {
                        Step::Wait(left) => {
                            said.standing_by(found, readiness);
                            left.min(self.terms.look)
                        }
                        how @ (Step::Create | Step::Take | Step::Renew) => {
                            may_be_ours = true;
                            let began = self.hold.moment();
                            match self.store.write(self.terms.answer).await {
                                Ok(()) if self.hold.renewed(began) => {
                                    self.say_leading(how, found);
                                    return true;
                                }
                                // It was answered too late: it is ours by name, and has to be renewed.
                                Ok(()) => Duration::ZERO,
                                Err(Trouble::Conflict) => {
                                    debug!("another one was faster to take the lease");
                                    self.terms.look
                                }
                                Err(trouble) => self.say_not_there(&trouble, readiness, &mut said),
                            }
                        }
                    }
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        if may_be_ours && self.store.read(self.terms.look).await.is_ok() {
            // Where it cannot be released it runs out.
            let _ = self.store.release().await;
        }
        false
    }

    fn say_not_there(&self, trouble: &Trouble, readiness: &Readiness, said: &mut Said) -> Duration {
        self.metrics.lease_failed();
        let why = trouble.to_string();
        readiness.set_unready(why.as_str());
        if said.trouble.as_deref() != Some(&why) {
            warn!("{why}; trying again until it works");
            said.trouble = Some(why);
        }
        self.terms.look
    }

    fn say_leading(&self, how: Step, found: Option<&Record>) {
        let Place {
            namespace,
            name,
            identity,
        } = self.store.place();
        let after = match (how, found.and_then(|record| record.holder.as_deref())) {
            (Step::Take, Some(former)) => format!("after {former}, which renewed it no more"),
            (Step::Take, None) => "released by its former holder".to_owned(),
            _ => "new".to_owned(),
        };
        info!(lease = format!("{namespace}/{name}"), %identity, "leading: the lease is taken ({after})");
    }
}
