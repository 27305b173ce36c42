//! Creates and restores whose answer was lost: claimed, waited for, or sent again after the window.

use rstest::rstest;

use super::*;
use crate::api::cluster::ManagementPolicy;
use crate::api::cluster_status::SecretVersion;

fn lost(phase: OperationPhase) -> Facts {
    Facts::new()
        .finalizer()
        .operation(operation(OperationKind::Create, phase, 30))
        .status(|s| s.account = Some(account()))
        .secret(&[("pending-password", "Pending-Pw-1")])
        .window(30)
}

fn over() -> Facts {
    lost(OperationPhase::Ambiguous).window(600)
}

fn made(change: impl FnOnce(&mut Cluster)) -> Cluster {
    let mut cluster = cluster("CREATING", "", 3);
    change(&mut cluster);
    cluster
}

fn bound(eip: &str) -> crate::api::cluster::PublicIp {
    crate::api::cluster::PublicIp {
        bind_type: crate::api::cluster::PublicBindType::BindExisting,
        eip_id: Some(eip.into()),
    }
}

fn shown(bind_type: &str, eip: &str) -> crate::dws::model::PublicIp {
    crate::dws::model::PublicIp {
        public_bind_type: Some(bind_type.into()),
        eip_id: Some(eip.into()),
        eip_address: None,
    }
}

const WAITS: &str = "Ready=False/Creating; Synced=True/Creating; Reconciling";
const THEIRS: &str = "Ready=False/NameConflict; Synced=False/NameConflict; Stalled";

#[rstest]
#[case::crashed_before_or_after_the_call(lost(OperationPhase::Intended), WAITS)]
#[case::answer_lost(lost(OperationPhase::Ambiguous), WAITS)]
#[case::one_second_before_the_end_of_the_window(lost(OperationPhase::Ambiguous).window(599), WAITS)]
#[case::window_over_and_free(
    over(),
    "call Create #2; Ready=False/Creating; Synced=True/Creating; Reconciling"
)]
#[case::window_over_and_paused(over().paused(), "Ready=False/Paused; Synced=False/Paused")]
#[case::window_over_and_observed(over().spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)), "Ready=False/Paused; Synced=False/Paused")]
#[case::window_over_and_the_namespace_goes(over().facts(|f| f.namespace_terminating = true), "Ready=False/NamespaceTerminating; Synced=False/NamespaceTerminating; Reconciling")]
#[case::no_window_known_yet(over().facts(|f| f.memory.window_start = None), WAITS)]
#[case::the_list_fails(over().list_fails(Meaning::Garbled), "Ready=False/ServiceUnavailable; Synced=False/ServiceUnavailable")]
#[case::it_appears(lost(OperationPhase::Ambiguous).list(&[made(|_| {})]), WAITS)]
#[case::it_appears_while_paused(lost(OperationPhase::Ambiguous).list(&[made(|_| {})]).paused(), WAITS)]
#[case::older_than_the_intent(over().list(&[made(|c| c.created_at = Some(ago(31)))]), THEIRS)]
#[case::a_namesake_within_the_window(lost(OperationPhase::Ambiguous).window(599).list(&[made(|c| c.created_at = Some(ago(31)))]), WAITS)]
#[case::in_the_same_second(lost(OperationPhase::Ambiguous).list(&[made(|c| c.created_at = Some(ago(30)))]), WAITS)]
#[case::of_unknown_age(over().list(&[made(|c| c.created_at = None)]), THEIRS)]
#[case::of_another_type(over().list(&[made(|c| c.node_type = Some("x".into()))]), THEIRS)]
#[case::of_another_count(over().list(&[made(|c| c.node_count = Some(4))]), THEIRS)]
#[case::in_another_vpc(over().list(&[made(|c| c.vpc_id = Some("x".into()))]), THEIRS)]
#[case::on_another_port(over().list(&[made(|c| c.port = Some(9000))]), THEIRS)]
#[case::of_another_user(over().list(&[made(|c| c.user_name = Some("x".into()))]), THEIRS)]
#[case::with_another_address(over().spec(|s| s.public_ip = Some(bound("ours"))).list(&[made(|c| c.public_ip = Some(shown("bind_existing", "theirs")))]), THEIRS)]
#[case::with_another_kind_of_address(over().spec(|s| s.public_ip = Some(bound("ours"))).list(&[made(|c| c.public_ip = Some(shown("auto_assign", "ours")))]), THEIRS)]
#[case::with_its_address(lost(OperationPhase::Ambiguous).spec(|s| s.public_ip = Some(bound("ours"))).list(&[made(|c| c.public_ip = Some(shown("bind_existing", "ours")))]), WAITS)]
#[case::with_an_address_still_to_come(lost(OperationPhase::Ambiguous).spec(|s| s.public_ip = Some(bound("ours"))).list(&[made(|c| c.public_ip = None)]), WAITS)]
#[case::what_is_not_shown_fits(lost(OperationPhase::Ambiguous).list(&[made(|c| { c.vpc_id = None; c.node_count = None; })]), WAITS)]
#[case::held_by_another_resource(over().list(&[made(|_| {})]).facts(|f| { f.held_elsewhere.insert(ID.into(), rival("else", true, 1)); }), THEIRS)]
#[case::another_asked_for_the_name(rivalled(lost(OperationPhase::Ambiguous)), WAITS)]
#[case::another_asked_for_the_name_and_the_window_is_over(
    rivalled(over()),
    "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled"
)]
#[case::another_asked_and_it_is_not_what_we_asked_for(rivalled(over()).list(&[made(|c| c.port = Some(9000))]), THEIRS)]
#[case::another_asked_and_the_name_is_free(rivalled(over()).list(&[]), "call Create #2; Ready=False/Creating; Synced=True/Creating; Reconciling")]
fn a_lost_create(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan(), expected);
}

#[test]
fn a_claim_stores_the_id_and_keeps_the_operation() {
    let (decision, _) = lost(OperationPhase::Intended)
        .list(&[made(|_| {})])
        .decide();
    assert_eq!(decision.status.cluster_id.as_deref(), Some(ID));
    assert_eq!(
        decision.status.operation.unwrap().phase,
        OperationPhase::Accepted
    );
}

#[test]
fn a_namesake_of_which_it_is_too_early_to_tell_is_named() {
    let facts = lost(OperationPhase::Ambiguous).list(&[made(|c| c.created_at = None)]);
    let message = facts.message("Synced");
    assert!(message.contains(ID), "{message}");
}

/// Another resource has a create of the same name open, and a cluster that fits is there.
fn rivalled(facts: Facts) -> Facts {
    facts
        .list(&[made(|_| {})])
        .facts(|f| f.making_elsewhere = vec![rival("else", false, 1)])
}

#[test]
fn of_two_that_asked_for_the_name_neither_claims_and_both_are_told() {
    let (decision, _) = rivalled(over()).decide();
    assert_eq!(decision.status.cluster_id, None);
    assert!(decision.status.operation.is_some());
    let message = rivalled(over()).message("Stalled");
    assert!(
        message.contains(ID) && message.contains("else/other"),
        "{message}"
    );
}

#[test]
fn every_attempt_sends_the_same_password() {
    let (decision, _) = over().decide();
    let intent = decision.call.unwrap();
    let Call::CreateCluster(body) = intent.call() else {
        panic!()
    };
    assert!(crate::core::password::same(
        &body.user_pwd,
        &"Pending-Pw-1".into()
    ));
    assert_eq!(intent.operation().baseline.service_time, Some(ago(30)));
    assert_eq!(intent.operation().id, OP);
}

fn accepted(cluster: Cluster) -> Facts {
    Facts::new()
        .finalizer()
        .operation(operation(
            OperationKind::Create,
            OperationPhase::Accepted,
            60,
        ))
        .status(|s| {
            s.cluster_id = Some(ID.into());
            s.adopted = Some(false);
            s.account = Some(account());
        })
        .secret(&[("pending-password", "Pending-Pw-1")])
        .detail(cluster)
}

#[rstest]
#[case::creating(cluster("CREATING", "", 3), WAITS)]
#[case::available(
    cluster("AVAILABLE", "", 3),
    "Ready=True/Available; Synced=True/InSync; secret put"
)]
#[case::active(
    cluster("ACTIVE", "", 3),
    "Ready=True/Available; Synced=True/InSync; secret put"
)]
#[case::failed(
    cluster("CREATION FAILED", "", 3),
    "Ready=False/CreationFailed; Synced=False/CreationFailed; Stalled; secret put"
)]
#[case::failed_in_newer_words(
    cluster("CREATE_FAILED", "", 3),
    "Ready=False/CreationFailed; Synced=False/CreationFailed; Stalled; secret put"
)]
#[case::an_unknown_word(cluster("PREPARING", "", 3), WAITS)]
#[case::deleted_by_others_meanwhile(
    cluster("DELETING", "", 3),
    "Ready=False/Deleting; Synced=True/Creating; Reconciling"
)]
fn an_accepted_create(#[case] cluster: Cluster, #[case] expected: &str) {
    assert_eq!(accepted(cluster).plan(), expected);
}

#[test]
fn an_available_cluster_promotes_its_password_and_settles_its_count() {
    let (decision, _) = accepted(cluster("AVAILABLE", "", 3)).decide();
    let Some(SecretWrite::Put { data, .. }) = decision.secret else {
        panic!()
    };
    assert!(data.contains_key("password") && !data.contains_key("pending-password"));
    assert_eq!(decision.status.settled_node_count, Some(3));
    assert!(decision.status.operation.is_none() && decision.status.binding.is_some());
}

/// The create took its password from this version of a referenced Secret, and the connection Secret was
/// deleted while the cluster was being made.
fn made_from(version: &str) -> Facts {
    accepted(cluster("AVAILABLE", "", 3))
        .status(|s| {
            let open = s.operation.as_mut().unwrap();
            open.target.secret = Some(SecretVersion {
                uid: "secret".into(),
                resource_version: version.into(),
            });
        })
        .secret_is(ConnectionSecret::Absent)
        .password("Chosen-Pw-1")
}

#[rstest]
#[case::as_it_was("1", "Ready=True/Available; Synced=True/InSync; secret put")]
#[case::changed_meanwhile(
    "0",
    "Ready=True/Available; Synced=True/PasswordPending; Reconciling; secret put"
)]
fn a_referenced_password_is_in_force_only_as_the_create_sent_it(
    #[case] sent: &str,
    #[case] expected: &str,
) {
    assert_eq!(made_from(sent).plan(), expected);
    let remembered = made_from(sent).decide().0.status.password_secret.unwrap();
    assert_eq!(remembered.resource_version, sent);
}

#[test]
fn a_password_that_was_made_anew_is_not_taken_for_the_referenced_one() {
    let facts = over()
        .secret_is(ConnectionSecret::Absent)
        .password("Chosen-Pw-1");
    let facts = facts.status(|s| {
        s.operation.as_mut().unwrap().target.secret = Some(SecretVersion::default());
    });
    let intent = facts.decide().0.call.unwrap();
    assert_eq!(intent.operation().target.secret, None);
}
