//! What a fault does to an exchange: lost, late, garbled, redirected, slow.
//!
//! It knows the usual way of an exchange and bends it. Which fault meets which request is for
//! [`faults`](super::faults) to say.

use std::time::Duration;

use super::exchange::{Admitted, Exchange};
use super::execute::execute;
use super::faults::FaultKind;
use super::http::{Delivery, HttpResponse};
use super::oddities::BodyStyle;
use super::refusal::Refusal;
use super::{Late, Service};

impl Service {
    pub(super) fn with_fault(
        &mut self,
        exchange: &mut Exchange<'_>,
        fault: &FaultKind,
    ) -> Delivery {
        let answer = match fault {
            FaultKind::LostBefore { hang } => return lost(*hang),
            FaultKind::LostAfter { hang } => {
                self.respond(exchange);
                return lost(*hang);
            }
            FaultKind::Late { after, status } => return self.late(exchange, *after, *status),
            FaultKind::Slow { after } => {
                let answer = self.respond(exchange);
                return Delivery::Delayed {
                    answer,
                    after: seconds(*after),
                };
            }
            FaultKind::Status {
                status,
                executed,
                code,
                message,
                style,
                retry_after,
            } => {
                if *executed {
                    self.respond(exchange);
                }
                match code {
                    None => with_retry_after(page(*status), *retry_after),
                    Some(code) => {
                        let mut refusal = Refusal::of(code).with_status(*status);
                        refusal.retry_after = *retry_after;
                        self.said_by_fault(exchange, refusal, message.as_deref(), *style)
                    }
                }
            }
            FaultKind::Throttled { retry_after } => {
                let mut refusal = Refusal::of("APIGW.0308")
                    .detail("policy user over ratelimit,limit:100,time:1 minute");
                refusal.retry_after = *retry_after;
                self.said_by_fault(exchange, refusal, None, None)
            }
            FaultKind::Refused { code, status } => {
                let refusal = Refusal::of(code);
                let status = status.unwrap_or(refusal.status);
                self.said_by_fault(exchange, refusal.with_status(status), None, None)
            }
            FaultKind::ErrorIn200 { code } => {
                self.said_by_fault(exchange, Refusal::of(code).with_status(200), None, None)
            }
            FaultKind::Garbled { executed } => self.garbled(exchange, *executed),
            FaultKind::WrongContent { executed } => {
                if *executed {
                    self.respond(exchange);
                }
                page(200)
            }
            FaultKind::Redirect { executed, location } => {
                if *executed {
                    self.respond(exchange);
                }
                page(307).with_header("Location", location)
            }
            FaultKind::FailTask => {
                exchange.fails = true;
                self.respond(exchange)
            }
        };
        Delivery::Answer(answer)
    }

    /// Only what changes something can be late; a read that nobody waits for is just lost.
    fn late(&mut self, exchange: &mut Exchange<'_>, after: f64, status: Option<u16>) -> Delivery {
        let changes = exchange
            .route
            .as_ref()
            .is_some_and(|route| route.operation.changes());
        if changes {
            match self.admit(exchange) {
                Err(refusal) => {
                    return Delivery::Answer(self.refused(exchange, &refusal, None));
                }
                Ok(Admitted {
                    route,
                    caller,
                    body,
                    ..
                }) => {
                    let at = self.world.now() + seconds(after);
                    self.late.insert(
                        (at, exchange.number),
                        Late {
                            route,
                            caller,
                            body,
                        },
                    );
                }
            }
        }
        status.map_or(Delivery::NoAnswer, |status| Delivery::Answer(page(status)))
    }

    fn said_by_fault(
        &self,
        exchange: &mut Exchange<'_>,
        mut refusal: Refusal,
        message: Option<&str>,
        style: Option<BodyStyle>,
    ) -> HttpResponse {
        if let Some(message) = message {
            message.clone_into(&mut refusal.english);
            message.clone_into(&mut refusal.chinese);
        }
        self.refused(exchange, &refusal, style)
    }

    /// A 2xx that breaks off in the middle; a refusal stays as it is.
    fn garbled(&mut self, exchange: &mut Exchange<'_>, executed: bool) -> HttpResponse {
        let whole = if executed {
            self.respond(exchange)
        } else {
            HttpResponse::text(
                200,
                "application/json",
                r#"{"cluster": {"id": "7d85f602-a948-4"#,
            )
        };
        if !(200..300).contains(&whole.status) {
            return whole;
        }
        // An empty body or `{}` has no middle.
        let mut broken = whole.body;
        if broken.len() < 8 {
            broken = br#"{"job_id": "ff80"#.to_vec();
        } else {
            broken.truncate(broken.len() / 2 + 1);
        }
        HttpResponse::text(whole.status, "application/json", broken)
    }

    /// A request whose sender has long given up.
    pub(super) fn execute_late(&mut self, late: &Late) {
        let done = execute(
            &mut self.world,
            &late.caller,
            &late.route,
            None,
            late.body.as_ref(),
        );
        let name = late.route.operation.name();
        let text = match done {
            Ok(_) => format!("late: {name} is executed now"),
            Err(refusal) => format!("late: {name} comes to nothing, {}", refusal.code),
        };
        self.world.note(text);
    }
}

fn lost(hang: bool) -> Delivery {
    if hang {
        Delivery::NoAnswer
    } else {
        Delivery::Reset
    }
}

/// What something between client and service says: HTML.
fn page(status: u16) -> HttpResponse {
    HttpResponse::text(
        status,
        "text/html",
        format!("<html><h1>{status}</h1></html>"),
    )
}

fn with_retry_after(answer: HttpResponse, retry_after: Option<u64>) -> HttpResponse {
    match retry_after {
        Some(seconds) => answer.with_header("Retry-After", seconds.to_string()),
        None => answer,
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}
