//! One exchange from request to delivery: gateway, authentication, throttling, faults, execution, record.
//!
//! It knows in which order a real service looks at a request. It must not know what the operations do.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::execute::{Reply, execute, ignored_fields};
use super::faults::{self, FaultKind};
use super::http::{Delivery, HttpRequest, HttpResponse};
use super::iam::Identity;
use super::ledger::{By, EffectKind, Received, redact};
use super::oddities::BodyStyle;
use super::operation::{Operation, Route, route};
use super::refusal::Refusal;
use super::world::Caller;
use super::{Late, Service, body, render};

/// What is known of a request while it is being answered.
struct Exchange<'a> {
    number: u64,
    request: &'a HttpRequest,
    route: Option<Route>,
    /// `None`: empty. `Some(Err)`: not JSON.
    body: Option<Result<Value, ()>>,
    chinese: bool,
    fails: bool,
    credential: Option<String>,
    code: Option<String>,
}

/// A request that has passed the gateway.
struct Admitted {
    route: Route,
    caller: Caller,
    body: Option<Value>,
    enterprise_project: Option<String>,
}

impl Service {
    /// Answers one request at `now`, after letting happen what is due by then.
    pub fn handle(&mut self, now: Timestamp, request: &HttpRequest) -> Delivery {
        self.advance(now);
        self.received_total += 1;
        let mut exchange = Exchange {
            number: self.received_total,
            request,
            route: route(&request.method, &request.path),
            body: (!request.body.is_empty())
                .then(|| serde_json::from_slice(&request.body).map_err(|_| ())),
            chinese: request
                .header("x-language")
                .is_some_and(|language| language == "zh_cn"),
            fails: false,
            credential: None,
            code: None,
        };
        let before = self.world.ledger().len();
        let targets = exchange.targets();
        let fault = exchange.route.as_ref().and_then(|route| {
            let world = &mut self.world;
            faults::take(&mut self.faults, route.operation, &targets, || {
                world.chance()
            })
        });
        let delivery = match &fault {
            None => Delivery::Answer(self.respond(&mut exchange)),
            Some(fault) => self.with_fault(&mut exchange, fault),
        };
        let delivery = self.stamped(delivery, exchange.number);
        self.write_down(exchange, targets, fault.as_ref(), &delivery, before);
        delivery
    }

    /// The usual way.
    fn respond(&mut self, exchange: &mut Exchange<'_>) -> HttpResponse {
        let operation = exchange.route.as_ref().map(|route| route.operation);
        let answered = match operation {
            Some(Operation::CreateToken) => self.create_token(exchange),
            Some(Operation::ListProjects) => self.list_projects(exchange),
            _ => self.admit(exchange).and_then(|admitted| {
                let reply = execute(
                    &mut self.world,
                    &admitted.caller,
                    &admitted.route,
                    admitted.enterprise_project.as_deref(),
                    admitted.body.as_ref(),
                );
                reply.map(|reply| match reply {
                    Reply::Json(status, text) => {
                        HttpResponse::text(status, "application/json", text)
                    }
                    Reply::Done(status) => HttpResponse::empty(status),
                })
            }),
        };
        answered.unwrap_or_else(|refusal| self.refused(exchange, &refusal, None))
    }

    fn refused(
        &self,
        exchange: &mut Exchange<'_>,
        refusal: &Refusal,
        style: Option<BodyStyle>,
    ) -> HttpResponse {
        exchange.code = Some(refusal.code.clone());
        let operation = exchange.route.as_ref().map(|route| route.operation);
        let usual = self.world.oddities.errors;
        let style = style.unwrap_or_else(|| match &refusal.code {
            code if code.starts_with("APIGW") && usual == BodyStyle::Modern => BodyStyle::Gateway,
            code if operation.is_some_and(Operation::is_iam) && !code.starts_with("APIGW") => {
                BodyStyle::Iam
            }
            _ => usual,
        });
        let in_200 = self.world.oddities.refusal_in_200
            && refusal.code.starts_with("DWS")
            && operation.is_some_and(Operation::changes);
        let refusal = if in_200 {
            refusal.clone().with_status(200)
        } else {
            refusal.clone()
        };
        body::refusal(
            &refusal,
            style,
            exchange.chinese,
            &request_id(exchange.number),
        )
    }

    /// Gateway, authentication, throttling, project, body: in this order.
    fn admit(&mut self, exchange: &mut Exchange<'_>) -> Result<Admitted, Refusal> {
        let route = exchange
            .route
            .clone()
            .ok_or_else(|| Refusal::of("APIGW.0101"))?;
        let identity = self.authenticate(exchange)?;
        let project = exchange.request.header("x-project-id");
        if !self.iam.may_use(&identity, &route.project)
            || project.is_some_and(|project| project != route.project)
        {
            return Err(Refusal::of("APIGW.0802"));
        }
        let body = match exchange.body.as_ref() {
            Some(Err(())) => return Err(Refusal::of("DWS.0001").detail("the body is not JSON")),
            Some(Ok(body)) => Some(body.clone()),
            None => None,
        };
        let by = By::Request {
            number: exchange.number,
            credential: identity.credential,
        };
        let caller = Caller {
            project: route.project.clone(),
            by,
            fails: exchange.fails,
        };
        let enterprise_project = exchange.request.query_value("enterprise_project_id");
        Ok(Admitted {
            route,
            caller,
            body,
            enterprise_project,
        })
    }

    fn authenticate(&mut self, exchange: &mut Exchange<'_>) -> Result<Identity, Refusal> {
        let now = self.world.now();
        let expired = if self.world.oddities.expired_token_0307 {
            "APIGW.0307"
        } else {
            "APIGW.0301"
        };
        let identity = self.iam.authenticate(exchange.request, now, expired)?;
        exchange.credential = Some(identity.credential.clone());
        self.throttle(identity.account)?;
        Ok(identity)
    }

    /// Counts in fixed windows, per account.
    fn throttle(&mut self, account: usize) -> Result<(), Refusal> {
        let Some(limit) = self.settings.throttle.clone() else {
            return Ok(());
        };
        let now = self.world.now();
        let window = self.windows.entry(account).or_insert((now, 0));
        if now >= window.0 + limit.window {
            *window = (now, 0);
        }
        window.1 += 1;
        if window.1 <= limit.limit {
            return Ok(());
        }
        let detail = format!(
            "policy user over ratelimit,limit:{},time:{}",
            limit.limit,
            in_words(limit.window)
        );
        let mut refusal = Refusal::of("APIGW.0308").detail(&detail);
        if limit.retry_after {
            let left = (window.0 + limit.window).duration_since(now);
            refusal.retry_after = Some(u64::try_from(left.as_secs()).unwrap_or(0) + 1);
        }
        Err(refusal)
    }

    fn create_token(&mut self, exchange: &Exchange<'_>) -> Result<HttpResponse, Refusal> {
        let Some(Ok(body)) = &exchange.body else {
            return Err(Refusal::iam(
                400,
                "Expecting to find valid JSON in request body.",
            ));
        };
        let token = format!("MIISIM{}{}", self.world.uuid(), self.world.uuid()).replace('-', "");
        let (token, answer) = self.iam.create_token(body, self.world.now(), token)?;
        Ok(HttpResponse::json(201, &answer).with_header("X-Subject-Token", token))
    }

    fn list_projects(&mut self, exchange: &mut Exchange<'_>) -> Result<HttpResponse, Refusal> {
        let identity = self.authenticate(exchange)?;
        let name = exchange.request.query_value("name");
        Ok(HttpResponse::json(
            200,
            &self.iam.list_projects(&identity, name.as_deref()),
        ))
    }

    fn with_fault(&mut self, exchange: &mut Exchange<'_>, fault: &FaultKind) -> Delivery {
        let html = |status| {
            HttpResponse::text(
                status,
                "text/html",
                format!("<html><h1>{status}</h1></html>"),
            )
        };
        let lost = |hang: bool| {
            if hang {
                Delivery::NoAnswer
            } else {
                Delivery::Reset
            }
        };
        match fault {
            FaultKind::LostBefore { hang } => lost(*hang),
            FaultKind::LostAfter { hang } => {
                self.respond(exchange);
                lost(*hang)
            }
            FaultKind::Late { after, status } => match self.admit(exchange) {
                Ok(admitted) => {
                    self.later(seconds(*after), admitted);
                    status.map_or(Delivery::NoAnswer, |status| Delivery::Answer(html(status)))
                }
                Err(refusal) => Delivery::Answer(self.refused(exchange, &refusal, None)),
            },
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
                let Some(code) = code else {
                    let answer = html(*status);
                    return Delivery::Answer(match retry_after {
                        Some(seconds) => answer.with_header("Retry-After", seconds.to_string()),
                        None => answer,
                    });
                };
                let mut refusal = Refusal::of(code).with_status(*status);
                refusal.retry_after = *retry_after;
                if let Some(message) = message {
                    message.clone_into(&mut refusal.english);
                    message.clone_into(&mut refusal.chinese);
                }
                Delivery::Answer(self.refused(exchange, &refusal, *style))
            }
            FaultKind::Throttled { retry_after } => {
                let mut refusal = Refusal::of("APIGW.0308")
                    .detail("policy user over ratelimit,limit:100,time:1 minute");
                refusal.retry_after = *retry_after;
                Delivery::Answer(self.refused(exchange, &refusal, None))
            }
            FaultKind::Refused { code, status } => {
                let refusal = Refusal::of(code);
                let status = status.unwrap_or(refusal.status);
                Delivery::Answer(self.refused(exchange, &refusal.with_status(status), None))
            }
            FaultKind::ErrorIn200 { code } => {
                let refusal = Refusal::of(code).with_status(200);
                Delivery::Answer(self.refused(exchange, &refusal, None))
            }
            FaultKind::Garbled { executed } => {
                let whole = if *executed {
                    self.respond(exchange)
                } else {
                    HttpResponse::text(200, "application/json", r#"{"cluster": {"id": "00000000-"#)
                };
                if !(200..300).contains(&whole.status) {
                    return Delivery::Answer(whole);
                }
                let mut broken = whole.body;
                broken.truncate(broken.len().saturating_sub(1) / 2 + 1);
                Delivery::Answer(HttpResponse::text(whole.status, "application/json", broken))
            }
            FaultKind::WrongContent { executed } => {
                if *executed {
                    self.respond(exchange);
                }
                Delivery::Answer(html(200))
            }
            FaultKind::Redirect { executed, location } => {
                if *executed {
                    self.respond(exchange);
                }
                Delivery::Answer(html(307).with_header("Location", location))
            }
            FaultKind::Slow { after } => {
                let answer = self.respond(exchange);
                Delivery::Delayed {
                    answer,
                    after: seconds(*after),
                }
            }
            FaultKind::FailTask => {
                exchange.fails = true;
                Delivery::Answer(self.respond(exchange))
            }
        }
    }

    fn later(&mut self, after: Duration, admitted: Admitted) {
        let at = self.world.now() + after;
        let Admitted {
            route,
            caller,
            body,
            ..
        } = admitted;
        let number = self.received_total;
        self.late.insert(
            (at, number),
            Late {
                route,
                caller,
                body,
            },
        );
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

    fn stamped(&self, delivery: Delivery, number: u64) -> Delivery {
        let stamp = |answer: HttpResponse| {
            answer
                .with_header("Date", render::http_date(self.world.now()))
                .with_header("X-Request-Id", request_id(number))
        };
        match delivery {
            Delivery::Answer(answer) => Delivery::Answer(stamp(answer)),
            Delivery::Delayed { answer, after } => Delivery::Delayed {
                answer: stamp(answer),
                after,
            },
            other => other,
        }
    }

    fn write_down(
        &mut self,
        exchange: Exchange<'_>,
        targets: Vec<String>,
        fault: Option<&FaultKind>,
        delivery: &Delivery,
        before: usize,
    ) {
        let Exchange {
            number,
            request,
            route,
            body,
            credential,
            code,
            ..
        } = exchange;
        let operation = route.as_ref().map(|route| route.operation);
        if let Some(operation) = operation {
            *self.counts.entry(operation).or_default() += 1;
        }
        let mut body = body.and_then(Result::ok).unwrap_or(Value::Null);
        let ignored = operation
            .map(|operation| ignored_fields(operation, &body))
            .unwrap_or_default();
        redact(&mut body);
        let target = targets.into_iter().next();
        let status = delivery.answer().map(|answer| answer.status);
        let outcome = match (delivery, &code) {
            (Delivery::NoAnswer, _) => "hangs".to_owned(),
            (Delivery::Reset, _) => "reset".to_owned(),
            (_, None) => status.unwrap_or(0).to_string(),
            (_, Some(code)) => format!("{} {code}", status.unwrap_or(0)),
        };
        let mut line = format!(
            "{:<6} {:<15} {:<36} {outcome}",
            request.method,
            operation.map_or(request.path.as_str(), |operation| operation.name()),
            target.as_deref().unwrap_or("-"),
        );
        for effect in &self.world.ledger()[before..] {
            line.push_str(&describe(&effect.kind));
        }
        if !ignored.is_empty() {
            line.push_str(&format!("  (ignored: {})", ignored.join(", ")));
        }
        if let Some(fault) = fault {
            line.push_str(&format!("  [fault: {}]", fault.name()));
        }
        self.world.note(line);
        const SHOWN: [&str; 5] = [
            "content-type",
            "host",
            "user-agent",
            "x-language",
            "x-project-id",
        ];
        let headers = request
            .headers
            .iter()
            .filter(|(name, _)| SHOWN.contains(&name.to_ascii_lowercase().as_str()))
            .cloned()
            .collect();
        if self.received.len() >= self.settings.request_log.max(1) {
            self.received.pop_front();
        }
        self.received.push_back(Received {
            number,
            at: self.world.now(),
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            operation,
            target,
            credential,
            body,
            ignored,
            headers,
            fault: fault.map(|fault| fault.name().to_owned()),
            status,
            code,
        });
    }
}

impl Exchange<'_> {
    /// What a fault may name: the id in the path, names and ids in the body.
    fn targets(&self) -> Vec<String> {
        let mut targets: Vec<String> = self
            .route
            .iter()
            .filter_map(|route| route.target.clone())
            .collect();
        if let Some(Ok(body)) = &self.body {
            for wrapper in ["cluster", "snapshot", "restore"] {
                for key in ["name", "cluster_id"] {
                    targets.extend(body[wrapper][key].as_str().map(str::to_owned));
                }
            }
        }
        targets
    }
}

/// What an effect adds to the line of its call.
fn describe(kind: &EffectKind) -> String {
    match kind {
        EffectKind::Create { nodes } => format!("  creates {nodes} nodes"),
        EffectKind::Restore { nodes, .. } => format!("  restores {nodes} nodes"),
        EffectKind::Resize { added, total } => format!("  adds {added} nodes, {total} then"),
        EffectKind::Restart => "  restarts".to_owned(),
        EffectKind::ResetPassword { version } => {
            format!("  password version {version} is in force")
        }
        EffectKind::Snapshot { .. } => "  takes a snapshot".to_owned(),
        EffectKind::DeleteCluster {
            keep_last_manual_snapshot,
        } => {
            format!("  deletes, keeping {keep_last_manual_snapshot} manual snapshots")
        }
        EffectKind::DeleteSnapshot { .. } => "  deletes the snapshot".to_owned(),
    }
}

fn request_id(number: u64) -> String {
    format!("{number:032x}")
}

fn in_words(window: Duration) -> String {
    match window.as_secs() {
        60 => "1 minute".to_owned(),
        seconds => format!("{seconds} second"),
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}
