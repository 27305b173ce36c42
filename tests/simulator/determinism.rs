//! The same seed and the same requests give the same ledger; ten thousand clusters are no trouble.

use std::time::{Duration, Instant};

use dws_operator::simulator::{Fault, FaultKind, Oddities, Outside, Settings};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::support::{PASSWORD, Sim};

/// A random but repeatable hour: requests, faults, changes from outside.
fn hour(seed: u64, script: u64) -> (String, Sim) {
    let mut dice = StdRng::seed_from_u64(script);
    let mut sim = Sim::with(Settings {
        seed,
        ..Settings::default()
    });
    sim.service.set_oddities(Oddities {
        list_lag: 20.0,
        lag_varies: true,
        ..Oddities::default()
    });
    let mut answers = String::new();
    for step in 0..120 {
        sim.pass(Duration::from_secs(dice.random_range(1..120)));
        let ids: Vec<String> = sim
            .service
            .world()
            .clusters()
            .map(|cluster| cluster.id.clone())
            .collect();
        let some = |dice: &mut StdRng| ids[dice.random_range(0..ids.len())].clone();
        if dice.random_bool(0.2) {
            let kinds = [
                FaultKind::LostAfter { hang: false },
                FaultKind::Late {
                    after: 300.0,
                    status: None,
                },
                FaultKind::FailTask,
            ];
            let kind = kinds[dice.random_range(0..kinds.len())].clone();
            let times = Some(1);
            sim.service.inject(Fault {
                changing: Some(true),
                times,
                chance: Some(0.7),
                ..Fault::always(kind)
            });
        }
        let (method, path, body) = match dice.random_range(0..8) {
            0..=2 => (
                "POST",
                "/v1.0/{p}/clusters".to_owned(),
                Some(Sim::create_body(&format!("dws-{step}"))),
            ),
            _ if ids.is_empty() => ("GET", "/v1.0/{p}/clusters".to_owned(), None),
            3 => {
                let path = format!("/v1.0/{{p}}/clusters/{}/resize", some(&mut dice));
                ("POST", path, Some(json!({"scale_out": {"count": 1}})))
            }
            4 => {
                let body = json!({"snapshot": {"name": format!("snap-{step}"), "cluster_id": some(&mut dice)}});
                ("POST", "/v1.0/{p}/snapshots".to_owned(), Some(body))
            }
            5 => {
                let path = format!("/v1.0/{{p}}/clusters/{}", some(&mut dice));
                (
                    "DELETE",
                    path,
                    Some(json!({"keep_last_manual_snapshot": 1})),
                )
            }
            6 => {
                let change = Outside::Restart {
                    cluster: some(&mut dice),
                };
                let _ = sim.service.outside(sim.now, &change);
                continue;
            }
            _ => ("GET", "/v1.0/{p}/clusters".to_owned(), None),
        };
        let delivery = sim.deliver(method, &path, body.as_ref());
        if let Some(answer) = delivery.answer() {
            answers += &String::from_utf8_lossy(&answer.body);
        }
    }
    (answers, sim)
}

#[test]
fn same_seed_same_requests_same_ledger() {
    for script in 0..10 {
        let (first, one) = hour(7, script);
        let (second, two) = hour(7, script);
        assert_eq!(one.service.ledger(), two.service.ledger());
        assert_eq!(first, second, "every byte of every answer");
        assert!(
            one.service.ledger().len() > 20,
            "{}",
            one.service.ledger().len()
        );
        let (other, three) = hour(8, script);
        assert_ne!(
            one.service.ledger(),
            three.service.ledger(),
            "ids come from the seed"
        );
        assert_ne!(first, other);
    }
}

/// Whatever happens, the world keeps its own rules.
#[test]
fn the_ledger_adds_up() {
    for script in 100..120 {
        let (_, mut sim) = hour(1, script);
        sim.minutes(120);
        for cluster in sim.service.world().clusters() {
            let added: i64 = sim
                .service
                .ledger()
                .iter()
                .filter(|effect| effect.id == cluster.id)
                .map(|effect| match &effect.kind {
                    dws_operator::simulator::EffectKind::Create { nodes } => i64::from(*nodes),
                    dws_operator::simulator::EffectKind::Resize { added, .. } => *added,
                    _ => 0,
                })
                .sum();
            let nodes = i64::from(cluster.state().node_count);
            // A resize that failed added nothing.
            assert!(nodes <= added && nodes >= 3, "{nodes} of {added}");
            let resize_failed = cluster.state().resize.is_some();
            let failed = sim
                .service
                .requests()
                .any(|request| request.fault.as_deref() == Some("fail_task"));
            assert!(
                nodes == added || resize_failed || failed,
                "{nodes} of {added}"
            );
        }
        let mut names: Vec<&str> = sim
            .service
            .world()
            .clusters()
            .map(|cluster| cluster.state().name.as_str())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

#[test]
fn ten_thousand_clusters() {
    let settings = Settings {
        node_quota: 30_000,
        automated_snapshots: None,
        ..Settings::default()
    };
    let mut sim = Sim::with(settings);
    let begin = Instant::now();
    for number in 0..10_000 {
        let change = Outside::Create {
            project: None,
            name: format!("dws-{number}"),
            node_type: "dws.d1.xlarge".to_owned(),
            nodes: 3,
            password: PASSWORD.to_owned(),
        };
        sim.service.outside(sim.now, &change).unwrap();
    }
    let created = begin.elapsed();
    let begin = Instant::now();
    sim.minutes(30);
    let up = begin.elapsed();
    let begin = Instant::now();
    let first = sim.get("/v1.0/{p}/clusters");
    let listed = begin.elapsed();
    let begin = Instant::now();
    let delivery = sim.deliver("GET", "/v1.0/{p}/clusters", None);
    let again = begin.elapsed();
    assert_eq!(first.json["count"], 10_000);
    let bytes = delivery.answer().unwrap().body.len();
    let figure = format!(
        "figure: simulator: 10000 clusters created in {created:.1?}, up in {up:.1?}, first list {listed:.1?} with \
         parsing, next {again:.1?} for {bytes} bytes (debug build)\n"
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/figures");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(format!("{folder}/simulator"), figure).unwrap();
    // Far above what it takes; a quadratic list or event queue would take minutes.
    assert!(created + up + listed + again < Duration::from_mins(1));
}
