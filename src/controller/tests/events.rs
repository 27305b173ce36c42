//! Events that happen again.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_repeated_event_raises_the_count_and_one_that_expired_is_made_anew() {
    use crate::core::step::EventNote;
    let world = World::new(Duration::ZERO).await;
    let wh = crate::controller::store::get(&world.ctx.client, "team", "wh")
        .await
        .unwrap();
    let wh: crate::api::DwsCluster = wh.unwrap();
    let note = [EventNote::warning(
        "CreateRefused",
        "DWS.5050",
        "the name is taken",
    )];
    crate::controller::events::publish(&world.ctx, &wh, &note).await;
    crate::controller::events::publish(&world.ctx, &wh, &note).await;
    let name = crate::controller::events::event_name("wh", "uid-wh", &note[0]);
    let path = format!("{EVENTS}/{name}");
    assert_eq!(world.kubernetes.get(&path).unwrap()["count"], 2);
    // Between the refusal of a second one and its patch, the event expires.
    let expiring = path.clone();
    world.kubernetes.edit("PATCH", move |objects| {
        objects.remove(&expiring);
    });
    crate::controller::events::publish(&world.ctx, &wh, &note).await;
    assert_eq!(world.kubernetes.get(&path).unwrap()["count"], 1);
}
