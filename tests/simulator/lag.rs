//! Reads that lag: lists and details show what was, for as long as they are told to.

use std::time::Duration;

use dws_operator::simulator::{Oddities, Outside};
use serde_json::json;

use crate::support::{Sim, UNKNOWN};

fn lag(sim: &mut Sim, list: f64, detail: f64) {
    sim.service.set_oddities(Oddities {
        list_lag: list,
        detail_lag: detail,
        ..Oddities::default()
    });
}

fn listed(sim: &mut Sim) -> Vec<String> {
    let listed = sim.get("/v1.0/{p}/clusters").json;
    let clusters = listed["clusters"].as_array().unwrap();
    assert_eq!(listed["count"], clusters.len());
    clusters
        .iter()
        .map(|cluster| cluster["id"].as_str().unwrap().to_owned())
        .collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_new_cluster_shows_late_in_each() {
    let mut sim = Sim::new();
    lag(&mut sim, 60.0, 20.0);
    let id = sim.create("dws-1");
    let path = format!("/v1.0/{{p}}/clusters/{id}");
    sim.pass(seconds(19));
    assert_eq!(sim.get(&path).code(), "DWS.0015");
    sim.pass(seconds(1));
    assert_eq!(sim.get(&path).status, 200);
    assert!(listed(&mut sim).is_empty());
    sim.pass(seconds(39));
    assert!(listed(&mut sim).is_empty());
    sim.pass(seconds(1));
    assert_eq!(listed(&mut sim), [id]);
    // The name was taken all the time.
    assert_eq!(
        sim.post("/v1.0/{p}/clusters", &Sim::create_body("dws-1"))
            .code(),
        "DWS.5050"
    );
}

#[test]
fn a_deleted_cluster_shows_on_in_each() {
    let mut sim = Sim::new();
    lag(&mut sim, 60.0, 0.0);
    let id = sim.cluster("dws-1");
    sim.delete(&id, 0);
    sim.rest();
    assert!(sim.service.world().cluster(&id).is_none());
    assert_eq!(
        sim.get(&format!("/v1.0/{{p}}/clusters/{id}")).code(),
        "DWS.3027"
    );
    assert_eq!(listed(&mut sim), std::slice::from_ref(&id));
    sim.pass(seconds(59));
    assert_eq!(listed(&mut sim), [id]);
    sim.pass(seconds(1));
    assert!(listed(&mut sim).is_empty());
}

#[test]
fn a_count_shows_late_but_counts_at_once() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    lag(&mut sim, 0.0, 300.0);
    sim.minutes(1);
    let change = Outside::SetNodes {
        cluster: id.clone(),
        nodes: 7,
    };
    sim.service.outside(sim.now, &change).unwrap();
    assert_eq!(sim.detail(&id)["number_of_node"], 3);
    assert_eq!(
        sim.get("/v1.0/{p}/clusters").json["clusters"][0]["number_of_node"],
        7
    );
    // A resize adds to what there is, not to what shows.
    sim.resize(&id, 1);
    sim.rest();
    sim.minutes(5);
    assert_eq!(sim.detail(&id)["number_of_node"], 8);
}

#[test]
fn snapshots_lag_as_well() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    lag(&mut sim, 30.0, 10.0);
    let answer = sim.snapshot(&id, "snap-1");
    let snapshot = answer.json["snapshot"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1.0/{{p}}/snapshots/{snapshot}");
    assert_eq!(sim.get(&path).code(), "DWS.5149");
    sim.pass(seconds(10));
    assert_eq!(sim.get(&path).status, 200);
    assert_eq!(sim.get("/v1.0/{p}/snapshots").json["count"], 0);
    sim.pass(seconds(20));
    assert_eq!(sim.get("/v1.0/{p}/snapshots").json["count"], 1);
    sim.rest();
    sim.minutes(1);
    sim.call("DELETE", &path, None);
    assert_eq!(sim.get(&path).status, 200);
    sim.pass(seconds(10));
    assert_eq!(sim.get(&path).code(), "DWS.5149");
    assert_eq!(sim.get("/v1.0/{p}/snapshots").json["count"], 1);
    sim.pass(seconds(20));
    assert_eq!(
        sim.get("/v1.0/{p}/snapshots").json,
        json!({"snapshots": [], "count": 0})
    );
}

#[test]
fn a_lag_that_varies_lets_views_go_back_and_forth() {
    let mut sim = Sim::new();
    sim.service.set_oddities(Oddities {
        list_lag: 60.0,
        lag_varies: true,
        ..Oddities::default()
    });
    sim.create("dws-1");
    sim.pass(seconds(30));
    let seen: Vec<bool> = (0..40).map(|_| !listed(&mut sim).is_empty()).collect();
    let back = seen.windows(2).filter(|pair| pair[0] && !pair[1]).count();
    assert!(back > 3, "{seen:?}");
    sim.pass(seconds(31));
    assert!((0..40).all(|_| !listed(&mut sim).is_empty()));
}

#[test]
fn nothing_is_remembered_for_ever() {
    let mut sim = Sim::new();
    lag(&mut sim, 60.0, 60.0);
    for _ in 0..20 {
        let id = sim.cluster("dws-1");
        sim.delete(&id, 0);
        sim.rest();
        sim.minutes(2);
    }
    assert_eq!(sim.get("/v1.0/{p}/clusters").json["count"], 0);
    assert_eq!(
        sim.get(&format!("/v1.0/{{p}}/clusters/{UNKNOWN}")).code(),
        "DWS.0015"
    );
}
