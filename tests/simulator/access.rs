//! Who may call: keys, temporary keys, tokens, their ends, locks, projects, throttling.

use std::time::Duration;

use dws_operator::simulator::{
    AccessKey, Account, Oddities, Operation, Project, Settings, Throttle, User,
};
use rstest::rstest;
use serde_json::json;

use crate::support::{Proof, Sim};

fn key(access_key: &str, secret_key: &str, security_token: Option<&str>) -> Proof {
    Proof::Key {
        access_key: access_key.to_owned(),
        secret_key: secret_key.to_owned(),
        security_token: security_token.map(str::to_owned),
    }
}

fn list(sim: &mut Sim) -> (u16, String) {
    let answer = sim.get("/v1.0/{p}/clusters");
    (answer.status, answer.code().to_owned())
}

fn denied() -> (u16, String) {
    (401, "APIGW.0301".to_owned())
}

#[test]
fn all_three_ways_lead_in() {
    let mut sim = Sim::new();
    assert_eq!(list(&mut sim).0, 200);
    let temporary = sim.service.settings().temporary_key.clone().unwrap();
    sim.proof = key(
        &temporary.access_key,
        &temporary.secret_key,
        temporary.security_token.as_deref(),
    );
    assert_eq!(list(&mut sim).0, 200);
    let answer = sim.token("Simulator-Passw0rd");
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json["token"]["project"]["id"], sim.project);
    assert_eq!(
        answer.json["token"]["expires_at"],
        "2026-03-02T10:00:00.250000Z"
    );
    sim.proof = Proof::Token(answer.header("X-Subject-Token").unwrap().to_owned());
    assert_eq!(list(&mut sim).0, 200);
    let credentials: Vec<_> = sim
        .service
        .requests()
        .map(|request| request.credential.clone().unwrap_or_default())
        .collect();
    assert_eq!(
        credentials,
        [
            "key SIMULATORACCESSKEY01",
            "key SIMULATORTEMPORARY01",
            "",
            "token operator"
        ]
    );
}

#[rstest]
#[case(Proof::Nothing)]
#[case(Proof::Token("nonsense".to_owned()))]
#[case(key("SIMULATORACCESSKEY01", "wrong", None))]
#[case(key("UNKNOWNKEY", "SimulatorSecretKeyForTryingThings0000001", None))]
#[case(key(
    "SIMULATORTEMPORARY01",
    "SimulatorTemporarySecretForTryingThings1",
    None
))]
#[case(key(
    "SIMULATORTEMPORARY01",
    "SimulatorTemporarySecretForTryingThings1",
    Some("another")
))]
#[case(key(
    "SIMULATORACCESSKEY01",
    "SimulatorSecretKeyForTryingThings0000001",
    Some("unasked")
))]
fn wrong_credentials(#[case] proof: Proof) {
    let mut sim = Sim::new();
    sim.proof = proof;
    assert_eq!(list(&mut sim), denied());
}

#[test]
fn iam_refuses_in_its_own_style() {
    let mut sim = Sim::new();
    let answer = sim.token("wrong");
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.json,
        json!({"error": {"message": "The username or password is wrong.", "code": 401, "title": "Unauthorized"}})
    );
    let answer = sim.post("/v3/auth/tokens", &json!({}));
    assert_eq!(
        (answer.status, answer.json["error"]["code"].clone()),
        (400, json!(400))
    );
}

#[test]
fn a_token_ends() {
    let mut sim = Sim::new();
    let token = sim
        .token("Simulator-Passw0rd")
        .header("X-Subject-Token")
        .unwrap()
        .to_owned();
    let key = std::mem::replace(&mut sim.proof, Proof::Token(token));
    sim.pass(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(list(&mut sim).0, 200);
    sim.pass(Duration::from_secs(1));
    assert_eq!(list(&mut sim), denied());
    sim.service.set_oddities(Oddities {
        expired_token_0307: true,
        ..Oddities::default()
    });
    assert_eq!(list(&mut sim), (401, "APIGW.0307".to_owned()));
    let token = sim
        .token("Simulator-Passw0rd")
        .header("X-Subject-Token")
        .unwrap()
        .to_owned();
    sim.proof = Proof::Token(token);
    assert_eq!(list(&mut sim).0, 200);
    assert_eq!(sim.service.revoke_tokens(), 2);
    assert_eq!(list(&mut sim), denied());
    // Another password ends the user's tokens, and the old one gives no more.
    let token = sim
        .token("Simulator-Passw0rd")
        .header("X-Subject-Token")
        .unwrap()
        .to_owned();
    assert!(
        sim.service
            .set_user_password("operator", "Another-Passw0rd")
    );
    sim.proof = Proof::Token(token);
    assert_eq!(list(&mut sim), denied());
    assert_eq!(sim.token("Simulator-Passw0rd").status, 401);
    assert_eq!(sim.token("Another-Passw0rd").status, 201);
    sim.proof = key;
    assert_eq!(list(&mut sim).0, 200, "keys are another matter");
}

#[test]
fn five_failed_logins_lock_a_key_for_five_minutes() {
    let mut sim = Sim::new();
    let right = sim.proof.clone();
    let wrong = key("SIMULATORACCESSKEY01", "wrong", None);
    for _ in 0..4 {
        sim.proof = wrong.clone();
        assert_eq!(list(&mut sim), denied());
    }
    sim.proof = right.clone();
    assert_eq!(
        list(&mut sim).0,
        200,
        "not locked, and the count begins anew"
    );
    for _ in 0..5 {
        sim.proof = wrong.clone();
        assert_eq!(list(&mut sim), denied());
    }
    sim.proof = right;
    let locked = sim.get("/v1.0/{p}/clusters");
    assert_eq!((locked.status, locked.code()), (401, "APIGW.0301"));
    assert!(
        locked.json["error_msg"]
            .as_str()
            .unwrap()
            .contains("reach the limit"),
        "{}",
        locked.text
    );
    sim.pass(Duration::from_secs(299));
    assert_eq!(list(&mut sim), denied());
    sim.pass(Duration::from_secs(1));
    assert_eq!(list(&mut sim).0, 200);
}

#[test]
fn a_rotated_key_takes_effect_at_once() {
    let mut sim = Sim::new();
    assert!(sim.service.set_secret_key("SIMULATORACCESSKEY01", "new"));
    assert!(!sim.service.set_secret_key("unknown", "new"));
    assert_eq!(list(&mut sim), denied());
    sim.proof = key("SIMULATORACCESSKEY01", "new", None);
    assert_eq!(list(&mut sim).0, 200);
}

#[test]
fn accounts_see_only_their_own_projects() {
    let other = Account {
        domain: "tenant".to_owned(),
        users: vec![User {
            name: "u".to_owned(),
            password: "p".to_owned(),
        }],
        keys: vec![AccessKey {
            access_key: "TENANT".to_owned(),
            secret_key: "secret".to_owned(),
            security_token: None,
        }],
        projects: vec![Project {
            id: "t1".to_owned(),
            name: "cn-north-4".to_owned(),
        }],
    };
    let mut sim = Sim::with(Settings {
        accounts: vec![other],
        ..Settings::default()
    });
    let id = sim.cluster("dws-1");
    sim.proof = key("TENANT", "secret", None);
    assert_eq!(list(&mut sim), (403, "APIGW.0802".to_owned()));
    let projects = sim.get("/v3/projects?name=cn-north-4").json;
    assert_eq!(projects["projects"][0]["id"], "t1");
    assert_eq!(
        sim.get("/v3/projects?name=mars").json["projects"],
        json!([])
    );
    let key = sim.proof.clone();
    "t1".clone_into(&mut sim.project);
    let token = sim.token("Simulator-Passw0rd");
    sim.proof = Proof::Token(token.header("X-Subject-Token").unwrap().to_owned());
    let scoped = (403, "APIGW.0802".to_owned());
    assert_eq!(list(&mut sim), scoped, "a token is for its own project");
    sim.proof = key;
    assert_eq!(list(&mut sim).0, 200);
    assert_eq!(
        sim.get(&format!("/v1.0/{{p}}/clusters/{id}")).code(),
        "DWS.0015"
    );
    sim.create("dws-1");
    let owners: Vec<_> = sim
        .service
        .world()
        .clusters()
        .map(|cluster| cluster.project_id.clone())
        .collect();
    assert_eq!(owners, [sim.service.settings().project_id.as_str(), "t1"]);
}

#[test]
fn a_project_header_that_contradicts_the_path_is_refused() {
    let mut sim = Sim::new();
    let mut request = sim.request("GET", "/v1.0/{p}/clusters", None);
    request
        .headers
        .push(("X-Project-Id".to_owned(), "another".to_owned()));
    let delivery = sim.service.handle(sim.now, &request);
    assert_eq!(delivery.answer().unwrap().status, 403);
}

#[rstest]
#[case(false, None)]
#[case(true, Some("21"))]
fn too_many_requests_are_throttled(#[case] retry_after: bool, #[case] header: Option<&str>) {
    let throttle = Throttle {
        limit: 3,
        window: Duration::from_mins(1),
        retry_after,
    };
    let mut sim = Sim::with(Settings {
        throttle: Some(throttle),
        ..Settings::default()
    });
    for _ in 0..3 {
        assert_eq!(list(&mut sim).0, 200);
    }
    sim.pass(Duration::from_secs(40));
    let refused = sim.get("/v1.0/{p}/clusters");
    assert_eq!((refused.status, refused.code()), (429, "APIGW.0308"));
    assert_eq!(refused.header("retry-after"), header);
    assert_eq!(
        refused.json["error_msg"],
        "The throttling threshold has been reached: policy user over ratelimit,limit:3,time:1 minute"
    );
    sim.pass(Duration::from_secs(20));
    assert_eq!(list(&mut sim).0, 200);
    assert_eq!(sim.service.count_of(Operation::ListClusters), 5);
}

#[test]
fn every_answer_bears_the_services_clock() {
    let mut sim = Sim::new();
    let answer = sim.post("/v1.0/{p}/clusters", &Sim::create_body("dws-1"));
    assert_eq!(answer.header("date"), Some("Sun, 01 Mar 2026 10:00:00 GMT"));
    let id = answer.json["cluster"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        sim.detail(&id)["created"],
        "2026-03-01T10:00:00Z",
        "never before an earlier Date"
    );
    let answer = sim.get("/v1.0/{p}/clusters/nonsense");
    assert!(answer.header("date").is_some() && answer.header("x-request-id").is_some());
}
