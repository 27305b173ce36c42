//! The stand-in for the API server under `tests/simulation` behaves as the real one does for what the
//! operator and its world ask of it: the same requests go to both, and the answers are compared.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../simulation/api_server.rs"]
#[allow(dead_code)]
mod api_server;
#[path = "../simulation/gate.rs"]
#[allow(dead_code)]
mod gate;
#[path = "../support/mod.rs"]
mod support;

mod deletion;
mod others;
mod patches;
mod reads;
mod replaces;
mod side;

use anyhow::ensure;
use support::Result;
use support::control_plane::shared;
use support::figures::figure;

use side::{Check, Talk};

#[tokio::test]
async fn the_stand_in_answers_as_the_real_one() -> Result<()> {
    let plane = shared().await?;
    for crd in [
        include_str!("../../crds/dws.huaweicloud.com_dwsclusters.yaml"),
        include_str!("../../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
    ] {
        plane.apply_crds(crd).await?;
    }
    let real = side::real(plane.client().await?).await?;
    let stand_in = side::stand_in();

    let all = [
        reads::checks(),
        replaces::checks(),
        patches::checks(),
        deletion::checks(),
        others::checks(),
    ];
    let all: Vec<Check> = all.into_iter().flatten().collect();
    let mut wrong = Vec::new();
    for (number, check) in all.iter().enumerate() {
        let name = format!("check-{number}");
        let mut answers = Vec::new();
        for side in [&real, &stand_in] {
            let talk = Talk::new(side, &name);
            (check.talk)(talk.clone()).await?;
            answers.push(talk.heard());
        }
        ensure!(!answers[0].is_empty(), "{}: nothing was asked", check.name);
        for (step, (real, stand_in)) in answers[0].iter().zip(&answers[1]).enumerate() {
            if real != stand_in {
                wrong.push(format!(
                    "{}, answer {}:\n  real     {real}\n  stand-in {stand_in}",
                    check.name,
                    step + 1
                ));
            }
        }
        ensure!(answers[0].len() == answers[1].len(), "{}", check.name);
    }
    figure(
        "stand-in",
        &format!(
            "{} of {} checks answered as by the real kube-apiserver",
            all.len() - wrong.len(),
            all.len()
        ),
    );
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
