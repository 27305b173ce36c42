//! Whose a Secret is, how it is dressed, and what counts as a password.

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

#[test]
fn ownership_is_judged_by_owner_references_alone() {
    let ours = reference("DwsCluster", "wh", "uid-now");
    let former = reference("DwsCluster", "wh", "uid-then");
    let neighbour = reference("DwsCluster", "other", "uid-x");
    let mut namesake = reference("DwsCluster", "wh", "uid-y");
    namesake.api_version = "example.com/v1".to_owned();
    let judged = |references: &[OwnerReference]| judge(references, &owner());
    assert_eq!(
        judged(std::slice::from_ref(&ours)),
        Ownership::Ours { reown: false }
    );
    assert_eq!(
        judged(std::slice::from_ref(&former)),
        Ownership::Ours { reown: true }
    );
    assert_eq!(judged(&[former, ours]), Ownership::Ours { reown: false });
    assert_eq!(
        judged(&[]),
        Ownership::Foreign("it has no owner".to_owned())
    );
    assert_eq!(
        judged(&[neighbour]),
        Ownership::Foreign("it belongs to DwsCluster other".to_owned())
    );
    assert!(matches!(judged(&[namesake]), Ownership::Foreign(_)));
}

#[test]
fn dressing_replaces_a_former_owner_and_keeps_what_others_added() {
    let mut secret = Secret::default();
    secret
        .labels_mut()
        .insert("team".to_owned(), "a".to_owned());
    secret.owner_references_mut().extend([
        reference("DwsCluster", "wh", "uid-then"),
        reference("Application", "app", "uid-app"),
    ]);
    assert!(!is_dressed(&secret, &owner()));
    dress(&mut secret, &owner());
    assert!(is_dressed(&secret, &owner()));
    let uids: Vec<&str> = secret
        .owner_references()
        .iter()
        .map(|r| r.uid.as_str())
        .collect();
    assert_eq!(uids, ["uid-app", "uid-now"]);
    // The API server allows one controller.
    assert_eq!(secret.owner_references()[1].controller, Some(false));
    assert_eq!(secret.labels().len(), 2);
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
