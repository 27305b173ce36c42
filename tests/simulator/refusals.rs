//! Requests that the service refuses, each with the code of its error table, and nothing executed.

use dws_operator::simulator::{Fault, FaultKind, Operation, Settings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Sim, UNKNOWN};

const MISSING: &str = "11111111-2222-4333-8444-555555555555";

/// One field of the create is another value; `null` takes it out.
#[rstest]
#[case("name", json!("dws"), 400, "DWS.5057")]
#[case("name", json!("1dws"), 400, "DWS.5057")]
#[case("name", json!(null), 400, "DWS.5057")]
#[case("name", json!("taken"), 409, "DWS.5050")]
#[case("node_type", json!("dws.d9.huge"), 400, "DWS.5006")]
#[case("node_type", json!(null), 400, "DWS.5006")]
#[case("number_of_node", json!(1), 400, "DWS.5047")]
#[case("number_of_node", json!(257), 400, "DWS.5047")]
#[case("number_of_node", json!(null), 400, "DWS.5047")]
#[case("number_of_node", json!("3"), 400, "DWS.5065")]
#[case("number_of_cn", json!(1), 400, "DWS.5038")]
#[case("number_of_cn", json!(4), 400, "DWS.5038")]
#[case("port", json!(7999), 400, "DWS.5038")]
#[case("port", json!(30001), 400, "DWS.5038")]
#[case("vpc_id", json!("vpc"), 400, "DWS.5014")]
#[case("vpc_id", json!(MISSING), 404, "DWS.5021")]
#[case("subnet_id", json!("subnet"), 400, "DWS.5015")]
#[case("subnet_id", json!(null), 400, "DWS.5202")]
#[case("subnet_id", json!(MISSING), 404, "DWS.5022")]
#[case("security_group_id", json!("group"), 400, "DWS.5016")]
#[case("security_group_id", json!(null), 400, "DWS.5203")]
#[case("security_group_id", json!(MISSING), 404, "DWS.5023")]
#[case("availability_zone", json!("mars-1a"), 400, "DWS.5012")]
#[case("user_name", json!("DbAdmin"), 400, "DWS.5059")]
#[case("user_name", json!(null), 400, "DWS.5059")]
#[case("user_name", json!("select"), 400, "DWS.5082")]
#[case("user_pwd", json!(null), 400, "DWS.5013")]
#[case("user_pwd", json!("short1!"), 400, "DWS.5144")]
#[case("user_pwd", json!("nimdabd"), 400, "DWS.5145")]
#[case("user_pwd", json!("Passw0rd"), 400, "DWS.5199")]
#[case("public_ip", json!({"public_bind_type": "always"}), 400, "DWS.5098")]
#[case("public_ip", json!({"public_bind_type": "bind_existing"}), 400, "DWS.5133")]
#[case("public_ip", json!({"public_bind_type": "bind_existing", "eip_id": "x"}), 400, "DWS.5133")]
#[case("public_ip", json!({"public_bind_type": "bind_existing", "eip_id": MISSING}), 400, "DWS.5135")]
#[case("public_ip", json!("auto_assign"), 400, "DWS.5065")]
fn a_create_with_a_wrong_field(
    #[case] field: &str,
    #[case] value: Value,
    #[case] status: u16,
    #[case] code: &str,
) {
    let missing = std::iter::once(MISSING.to_owned()).collect();
    let mut sim = Sim::with(Settings {
        missing,
        ..Settings::default()
    });
    sim.create("taken");
    let mut body = Sim::create_body("dws-1");
    if value.is_null() {
        body["cluster"].as_object_mut().unwrap().remove(field);
    } else {
        body["cluster"][field] = value;
    }
    let answer = sim.post("/v1.0/{p}/clusters", &body);
    assert_eq!(
        (answer.status, answer.code()),
        (status, code),
        "{}",
        answer.text
    );
    assert_eq!(
        sim.service.ledger().len(),
        1,
        "only the one that took the name"
    );
}

/// The limits themselves are good.
#[rstest]
#[case("number_of_node", json!(2))]
#[case("number_of_node", json!(256))]
#[case("number_of_cn", json!(2))]
#[case("number_of_cn", json!(3))]
#[case("port", json!(8000))]
#[case("port", json!(30000))]
#[case("public_ip", json!({"public_bind_type": "not_use"}))]
#[case("public_ip", json!({"public_bind_type": "auto_assign", "eip_id": ""}))]
#[case("public_ip", json!({"public_bind_type": "bind_existing", "eip_id": UNKNOWN}))]
#[case("availability_zone", json!("cn-north-4b"))]
#[case("enterprise_project_id", json!("0c5b7a4e-ep"))]
fn a_create_at_the_limits(#[case] field: &str, #[case] value: Value) {
    let mut sim = Sim::new();
    let mut body = Sim::create_body("dws-1");
    body["cluster"][field] = value;
    let answer = sim.post("/v1.0/{p}/clusters", &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[rstest]
#[case(json!({"node_type": "dws.d1.xlarge"}), "DWS.5037")]
#[case(json!({"cluster": null}), "DWS.5037")]
#[case(json!([]), "DWS.5037")]
fn the_quick_starts_create_without_its_wrapper(#[case] body: Value, #[case] code: &str) {
    let mut sim = Sim::new();
    let answer = sim.post("/v1.0/{p}/clusters", &body);
    assert_eq!((answer.status, answer.code()), (400, code));
}

#[test]
fn bodies_that_are_none() {
    let mut sim = Sim::new();
    let answer = sim.call("POST", "/v1.0/{p}/clusters", None);
    assert_eq!((answer.status, answer.code()), (400, "DWS.0006"));
    let id = sim.cluster("dws-1");
    let answer = sim.call("DELETE", &format!("/v1.0/{{p}}/clusters/{id}"), None);
    assert_eq!((answer.status, answer.code()), (400, "DWS.0006"));
    assert_eq!(sim.delete(&id, -1).code(), "DWS.5038");
    // One client restarts without any body.
    let answer = sim.call("POST", &format!("/v1.0/{{p}}/clusters/{id}/restart"), None);
    assert_eq!(answer.status, 200);
}

#[test]
fn names_of_deleted_clusters_are_free_again() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.delete(&id, 0);
    let again = sim.post("/v1.0/{p}/clusters", &Sim::create_body("dws-1"));
    assert_eq!(
        (again.status, again.code()),
        (409, "DWS.5050"),
        "not before it is gone"
    );
    sim.minutes(5);
    let second = sim.create("dws-1");
    assert_ne!(second, id);
    // Cluster names differ by case.
    sim.create("DWS-1");
}

#[test]
fn nodes_are_bounded_by_the_quota() {
    let mut sim = Sim::with(Settings {
        node_quota: 8,
        ..Settings::default()
    });
    let id = sim.cluster("dws-1");
    sim.cluster("dws-2");
    let third = sim.post("/v1.0/{p}/clusters", &Sim::create_body("dws-3"));
    assert_eq!((third.status, third.code()), (400, "DWS.5091"));
    assert_eq!(sim.resize(&id, 3).code(), "DWS.5091");
    assert_eq!(sim.resize(&id, 2).status, 200);
    sim.rest();
    sim.delete(&id, 0);
    sim.rest();
    assert_eq!(
        sim.post("/v1.0/{p}/clusters", &Sim::create_body("dws-3"))
            .status,
        200
    );
}

#[test]
fn a_failed_resize_gives_its_nodes_back() {
    let mut sim = Sim::with(Settings {
        node_quota: 5,
        ..Settings::default()
    });
    let id = sim.cluster("dws-1");
    sim.service
        .inject(Fault::next(Operation::ResizeCluster, FaultKind::FailTask));
    assert_eq!(sim.resize(&id, 2).status, 200);
    sim.rest();
    assert_eq!(sim.detail(&id)["number_of_node"], 3);
    assert_eq!(sim.resize(&id, 3).code(), "DWS.5091");
    assert_eq!(sim.resize(&id, 2).status, 200);
}

#[test]
fn sold_out_shows_at_once_or_later() {
    let one = |flavour: &str| std::iter::once(flavour.to_owned()).collect();
    let mut sim = Sim::with(Settings {
        sold_out: one("dws.m3.xlarge"),
        sold_out_later: one("dwsx2.4xlarge"),
        ..Settings::default()
    });
    let mut body = Sim::create_body("dws-1");
    body["cluster"]["node_type"] = json!("dws.m3.xlarge");
    let answer = sim.post("/v1.0/{p}/clusters", &body);
    assert_eq!((answer.status, answer.code()), (400, "DWS.5200"));
    body["cluster"]["node_type"] = json!("dwsx2.4xlarge");
    let answer = sim.post("/v1.0/{p}/clusters", &body);
    let id = answer.json["cluster"]["id"].as_str().unwrap().to_owned();
    sim.rest();
    let detail = sim.detail(&id);
    assert_eq!(detail["status"], "CREATION FAILED");
    assert_eq!(detail["failed_reasons"]["error_code"], "DWS.6000");
    assert!(!sim.service.world().logs_in(&id, "dbadmin", PASSWORD));
    // It still exists, bears its name, and can only be deleted.
    assert_eq!(sim.resize(&id, 1).code(), "DWS.7023");
    assert_eq!(sim.snapshot(&id, "snap-1").code(), "DWS.7023");
    assert_eq!(sim.post("/v1.0/{p}/clusters", &body).code(), "DWS.5050");
    assert_eq!(sim.delete(&id, 0).status, 202);
    sim.rest();
    assert_eq!(sim.service.world().clusters().count(), 0);
}

#[rstest]
#[case(json!(0), "DWS.5047")]
#[case(json!(-1), "DWS.5047")]
#[case(json!(null), "DWS.5047")]
#[case(json!("3"), "DWS.5065")]
#[case(json!(254), "DWS.5091")]
fn a_resize_by_a_wrong_count(#[case] count: Value, #[case] code: &str) {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    let path = format!("/v1.0/{{p}}/clusters/{id}/resize");
    let answer = sim.post(&path, &json!({"scale_out": {"count": count}}));
    assert_eq!((answer.status, answer.code()), (400, code));
    assert_eq!(sim.service.ledger().len(), 1);
}

#[test]
fn a_password_is_never_used_twice() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    assert_eq!(sim.reset_password(&id, PASSWORD).code(), "DWS.5199");
    assert_eq!(sim.reset_password(&id, "NewPassword!").status, 200);
    // A repeat after a lost answer is refused as a bad password: that is how one knows it is in force.
    assert_eq!(sim.reset_password(&id, "NewPassword!").code(), "DWS.5199");
    assert_eq!(sim.reset_password(&id, PASSWORD).code(), "DWS.5199");
    assert_eq!(sim.reset_password(&id, "nimdabd").code(), "DWS.5145");
    assert_eq!(sim.reset_password(&id, "alllowercase").code(), "DWS.5144");
    assert!(sim.service.world().logs_in(&id, "dbadmin", "NewPassword!"));
    assert!(!sim.service.world().logs_in(&id, "root", "NewPassword!"));
}

#[rstest]
#[case("GET", "/v1.0/{p}/clusters/nonsense", 400, "DWS.0001")]
#[case(
    "GET",
    "/v1.0/{p}/clusters/7d85f602-a948-4a30-afd4-e84f47471c15",
    403,
    "DWS.0015"
)]
#[case(
    "GET",
    "/v1.0/{p}/snapshots/7d85f602-a948-4a30-afd4-e84f47471c15",
    400,
    "DWS.5149"
)]
#[case(
    "DELETE",
    "/v1.0/{p}/snapshots/7d85f602-a948-4a30-afd4-e84f47471c15",
    400,
    "DWS.0001"
)]
#[case("GET", "/v1.0/{p}/node_types", 404, "APIGW.0101")]
#[case("GET", "/v1.0/another-project/clusters", 403, "APIGW.0802")]
fn what_is_not_there(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let mut sim = Sim::new();
    let answer = sim.call(method, path, None);
    assert_eq!((answer.status, answer.code()), (status, code));
}

#[test]
fn messages_come_in_the_language_that_is_asked_for() {
    let mut sim = Sim::new();
    let mut request = sim.request("GET", "/v1.0/{p}/clusters/nonsense", None);
    request
        .headers
        .push(("X-Language".to_owned(), "zh_cn".to_owned()));
    let chinese = sim.service.handle(sim.now, &request);
    let chinese: Value = serde_json::from_slice(&chinese.answer().unwrap().body).unwrap();
    assert_eq!(chinese["error_msg"], "请求错误。");
    let english = sim.get("/v1.0/{p}/clusters/nonsense");
    assert_eq!(english.json["error_msg"], "The request is incorrect.");
}

#[test]
fn an_address_in_use_is_not_bound_again() {
    let mut sim = Sim::new();
    let mut body = Sim::create_body("dws-1");
    body["cluster"]["public_ip"] = json!({"public_bind_type": "bind_existing", "eip_id": UNKNOWN});
    let first = sim.post("/v1.0/{p}/clusters", &body);
    let id = first.json["cluster"]["id"].as_str().unwrap().to_owned();
    sim.rest();
    let detail = sim.detail(&id);
    assert_eq!(detail["public_ip"]["eip_id"], UNKNOWN);
    assert!(
        detail["public_endpoints"][0]["jdbc_url"]
            .as_str()
            .unwrap()
            .contains(":8000/")
    );
    body["cluster"]["name"] = json!("dws-2");
    assert_eq!(sim.post("/v1.0/{p}/clusters", &body).code(), "DWS.5133");
    sim.delete(&id, 0);
    sim.rest();
    assert_eq!(sim.post("/v1.0/{p}/clusters", &body).status, 200);
}
