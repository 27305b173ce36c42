//! One exchange from request to delivery: gateway, authentication, throttling, execution.
//!
//! It knows in which order a real service looks at a request. It must not know what the operations do.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::execute::{Reply, execute};
use super::faults;
use super::http::{Delivery, HttpRequest, HttpResponse};
use super::iam::Identity;
use super::ledger::By;
use super::oddities::BodyStyle;
use super::operation::{Operation, Route, route};
use super::refusal::Refusal;
use super::world::Caller;
use super::{Service, body, render};

/// What is known of a request while it is being answered.
pub(super) struct Exchange<'a> {
    pub number: u64,
    pub request: &'a HttpRequest,
    pub route: Option<Route>,
    /// `None`: empty. `Some(Err)`: not JSON.
    pub body: Option<Result<Value, ()>>,
    pub chinese: bool,
    pub fails: bool,
    pub credential: Option<String>,
    pub code: Option<String>,
}

/// A request that has passed the gateway.
pub(super) struct Admitted {
    pub route: Route,
    pub caller: Caller,
    pub body: Option<Value>,
    pub enterprise_project: Option<String>,
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
    pub(super) fn respond(&mut self, exchange: &mut Exchange<'_>) -> HttpResponse {
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

    pub(super) fn refused(
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
    pub(super) fn admit(&mut self, exchange: &mut Exchange<'_>) -> Result<Admitted, Refusal> {
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

fn request_id(number: u64) -> String {
    format!("{number:032x}")
}

fn in_words(window: Duration) -> String {
    match window.as_secs() {
        60 => "1 minute".to_owned(),
        seconds => format!("{seconds} second"),
    }
}
