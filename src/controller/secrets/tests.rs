//! Whose a Secret is, how it is dressed, and what counts as a password.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::*;

fn owner() -> Owner {
    Owner {
        namespace: "team".to_owned(),
        name: "wh".to_owned(),
        uid: "uid-now".to_owned(),
    }
}

fn reference(kind: &str, name: &str, uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: "dws.huaweicloud.com/v1alpha1".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

fn secret(references: &[OwnerReference], mark: Option<&str>) -> Secret {
    let mut secret = Secret::default();
    secret.metadata.owner_references = Some(references.to_vec());
    if let Some(mark) = mark {
        secret
            .annotations_mut()
            .insert(names::CONNECTION_OF.to_owned(), mark.to_owned());
    }
    secret
}

#[test]
fn an_owner_reference_or_our_mark_makes_it_ours() {
    let ours = reference("DwsCluster", "wh", "uid-now");
    let former = reference("DwsCluster", "wh", "uid-then");
    let neighbour = reference("DwsCluster", "other", "uid-x");
    let mut namesake = reference("DwsCluster", "wh", "uid-y");
    namesake.api_version = "example.com/v1".to_owned();
    let foreign =
        |references: &[OwnerReference], mark| tie::foreign(&secret(references, mark), &owner());
    for (references, mark) in [
        (vec![ours.clone()], None),
        (vec![former.clone()], None),
        (vec![former, ours], None),
        (vec![], Some("wh/uid-now")),
        (vec![], Some("wh/uid-then")),
    ] {
        assert_eq!(foreign(&references, mark), None, "{references:?} {mark:?}");
    }
    for (references, mark, whose) in [
        (vec![], None, "it has no owner"),
        (
            vec![neighbour.clone()],
            None,
            "it belongs to DwsCluster other",
        ),
        (
            vec![neighbour],
            Some("wh/uid-now"),
            "it belongs to DwsCluster other",
        ),
        (vec![namesake], None, "it belongs to DwsCluster wh"),
        (
            vec![],
            Some("other/uid-x"),
            "it belongs to DwsCluster other",
        ),
        (vec![], Some("wh"), "it belongs to DwsCluster wh"),
        (
            vec![],
            Some("wh-2/uid-now"),
            "it belongs to DwsCluster wh-2",
        ),
    ] {
        let told = foreign(&references, mark);
        assert_eq!(told.as_deref(), Some(whose), "{references:?} {mark:?}");
    }
}

#[test]
fn tying_replaces_a_former_owner_and_keeps_what_others_added() {
    let mut secret = secret(
        &[
            reference("DwsCluster", "wh", "uid-then"),
            reference("Application", "app", "uid-app"),
        ],
        None,
    );
    secret
        .labels_mut()
        .insert("team".to_owned(), "a".to_owned());
    let uids = |secret: &Secret| {
        let references = secret.owner_references().iter();
        references.map(|one| one.uid.clone()).collect::<Vec<_>>()
    };
    assert_eq!(tie::of(&secret, &owner()), None);

    tie::apply(&mut secret, &owner(), Tie::Owned);
    assert_eq!(tie::of(&secret, &owner()), Some(Tie::Owned));
    assert_eq!(uids(&secret), ["uid-app", "uid-now"]);
    // The API server allows one controller.
    assert_eq!(secret.owner_references()[1].controller, Some(false));
    assert_eq!(secret.labels().len(), 2);

    // Where it is kept, nothing leads from its resource to it.
    tie::apply(&mut secret, &owner(), Tie::Kept);
    assert_eq!(tie::of(&secret, &owner()), Some(Tie::Kept));
    assert_eq!(uids(&secret), ["uid-app"]);
    assert_eq!(secret.annotations()[names::CONNECTION_OF], "wh/uid-now");
    tie::apply(&mut secret, &owner(), Tie::Owned);
    assert_eq!(tie::of(&secret, &owner()), Some(Tie::Owned));

    assert!(tie::release(&mut secret, &owner()));
    assert!(!tie::release(&mut secret, &owner()));
    assert!(tie::foreign(&secret, &owner()).is_some());
    assert_eq!(
        (uids(&secret), secret.labels().len()),
        (vec!["uid-app".to_owned()], 2)
    );
}

#[test]
fn a_mark_of_a_former_resource_is_renewed() {
    // As Velero restores it: without owner references.
    let mut secret = secret(&[], Some("wh/uid-then"));
    assert_eq!(tie::of(&secret, &owner()), None);
    tie::apply(&mut secret, &owner(), Tie::Kept);
    assert_eq!(secret.annotations()[names::CONNECTION_OF], "wh/uid-now");
    // One without our label is tied by halves.
    secret.labels_mut().clear();
    assert_eq!(tie::of(&secret, &owner()), None);
}

#[test]
fn a_value_that_is_not_text_is_no_password() {
    let secret = |value: &[u8]| Secret {
        metadata: ObjectMeta {
            uid: Some("u".to_owned()),
            resource_version: Some("1".to_owned()),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([(
            "password".to_owned(),
            ByteString(value.to_vec()),
        )])),
        ..Secret::default()
    };
    assert!(matches!(
        password(None, "password"),
        PasswordSecret::NoSecret
    ));
    assert!(matches!(
        password(Some(secret(b"\xff")), "password"),
        PasswordSecret::NoKey
    ));
    assert!(matches!(
        password(Some(secret(b"x")), "other"),
        PasswordSecret::NoKey
    ));
    assert!(matches!(
        password(Some(secret(b"x")), "password"),
        PasswordSecret::Value { .. }
    ));
}
