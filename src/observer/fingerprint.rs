//! Tells accounts apart without keeping what they are made of.
//!
//! Pure. What it gives cannot be turned back into a credential, nor be compared with one outside of this
//! process.

use hmac::{Hmac, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::dws::{AccountConfig, Credential, Project};

/// See [`of`].
pub(super) type Fingerprint = [u8; 32];

/// Tells accounts apart without keeping what they are made of: a keyed hash, which without the key of this
/// process leads to nothing. The same for the same credential at the same place.
pub(super) fn of(key: &[u8; 32], config: &AccountConfig, credential: &Credential) -> Fingerprint {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        // HMAC takes keys of any length. Were it not so, no two accounts would count as the same.
        return rand::random();
    };
    let mut part = |text: Option<&str>| {
        mac.update(&[u8::from(text.is_some())]);
        let text = text.unwrap_or_default().as_bytes();
        // With its length, so that no two sequences of parts read the same.
        mac.update(&(text.len() as u64).to_be_bytes());
        mac.update(text);
    };
    let AccountConfig {
        region,
        project,
        dws,
        iam,
        // The operator's, for every account.
        language: _,
        request_timeout: _,
    } = config;
    let (id, name) = match project {
        Project::Id(id) => (Some(id.as_str()), None),
        Project::Name(name) => (None, Some(name.as_str())),
    };
    for text in [
        Some(region.as_str()),
        id,
        name,
        Some(dws.as_str()),
        Some(iam.as_str()),
    ] {
        part(text);
    }
    match credential {
        Credential::AccessKey {
            access_key,
            secret_key,
            security_token,
        } => {
            part(Some("access key"));
            part(Some(access_key));
            part(Some(secret_key.expose_secret()));
            part(security_token.as_ref().map(ExposeSecret::expose_secret));
        }
        Credential::Password {
            domain_name,
            user_name,
            password,
        } => {
            part(Some("password"));
            part(Some(domain_name));
            part(Some(user_name));
            part(Some(password.expose_secret()));
        }
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::of as fingerprint;
    use crate::dws::Settings;
    use crate::observer::credentials::understand;

    const AK: &[(&str, &str)] = &[("HW_ACCESS_KEY", "AK"), ("HW_SECRET_KEY", "SK-canary")];
    const LOGIN: &[(&str, &str)] = &[
        ("HW_DOMAIN_NAME", "acme"),
        ("HW_USER_NAME", "ops"),
        ("HW_USER_PASSWORD", "pw-canary"),
    ];

    #[test]
    fn fingerprints_tell_accounts_apart() {
        let key = [7; 32];
        let of = |key: &[u8; 32], parts: &[&[(&str, &str)]]| {
            let pairs = parts.iter().flat_map(|part| part.iter());
            let data = pairs
                .map(|(key, value)| ((*key).to_owned(), SecretString::from(*value)))
                .collect();
            let operator = Settings {
                region: Some("eu-west-0".to_owned()),
                project_id: Some("0123456789abcdef0123456789abcdef".to_owned()),
                ..Settings::default()
            };
            let understood = understand("team-creds", &data, &operator).expect("complete");
            fingerprint(key, &understood.config, &understood.credential)
        };
        let same: [&[&[(&str, &str)]]; 4] = [
            &[AK],
            &[AK, &[("unrelated", "x"), ("HW_CLOUD", "ignored")]],
            &[AK, &[("HW_REGION_NAME", "eu-west-0\n")]],
            &[AK, LOGIN],
        ];
        for parts in same {
            assert_eq!(of(&key, parts), of(&key, &[AK]), "{parts:?}");
        }
        let different: [&[&[(&str, &str)]]; 9] = [
            &[AK],
            &[LOGIN],
            &[AK, &[("HW_REGION_NAME", "ap-1")]],
            &[AK, &[("HW_PROJECT_NAME", "eu-west-0_team")]],
            &[AK, &[("HW_PROJECT_ID", "ffff")]],
            &[AK, &[("HW_SECURITY_TOKEN", "t")]],
            // Not by moving bytes between neighbours.
            &[&[("HW_ACCESS_KEY", "A"), ("HW_SECRET_KEY", "KSK-canary")]],
            &[&LOGIN[..2], &[("HW_USER_PASSWORD", "pw-canary ")]],
            &[&LOGIN[1..], &[("HW_DOMAIN_NAME", "acm")]],
        ];
        for (index, one) in different.iter().enumerate() {
            for other in &different[index + 1..] {
                assert_ne!(of(&key, one), of(&key, other), "{one:?} {other:?}");
            }
        }
        assert_ne!(of(&key, &[AK]), of(&[8; 32], &[AK]));
    }
}
