//! Events: forbidden ones fail nothing, repeated ones are counted.

use super::*;

#[tokio::test(start_paused = true)]
async fn events_that_are_forbidden_fail_nothing() {
    let world = World::new(Duration::ZERO).await;
    for fault in [Fault::Forbidden, Fault::Terminating, Fault::LostBefore] {
        world.kubernetes.fault(&format!("POST {EVENTS}"), fault);
    }
    world.until_called().await.unwrap();
    assert!(world.status()["clusterId"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_repeated_event_raises_the_count_and_one_that_expired_is_made_anew() {
    use crate::core::step::EventNote;
    let world = World::new(Duration::ZERO).await;
    let wh = super::super::store::get(&world.ctx.client, "team", "wh")
        .await
        .unwrap();
    let wh: crate::api::DwsCluster = wh.unwrap();
    let note = [EventNote::warning(
        "CreateRefused",
        "DWS.5050",
        "the name is taken",
    )];
    super::super::events::publish(&world.ctx, &wh, &note).await;
    super::super::events::publish(&world.ctx, &wh, &note).await;
    let name = super::super::events::event_name("wh", "uid-wh", &note[0]);
    let path = format!("{EVENTS}/{name}");
    assert_eq!(world.kubernetes.get(&path).unwrap()["count"], 2);
    // Between the refusal of a second one and its patch, the event expires.
    let expiring = path.clone();
    world.kubernetes.edit("PATCH", move |objects| {
        objects.remove(&expiring);
    });
    super::super::events::publish(&world.ctx, &wh, &note).await;
    assert_eq!(world.kubernetes.get(&path).unwrap()["count"], 1);
}
