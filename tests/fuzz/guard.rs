//! Target: where requests go.
//!
//! An administrator writes a region, a cloud or endpoints; a tenant writes a credentials Secret, ids and names in
//! manifests, and the service answers what it likes. Whatever a tenant writes, every request goes to a host of the
//! administrator's: the fixed endpoint, or `dws.` and `iam.` before a region of `[a-z0-9-]{1,32}` before the cloud.
//! It goes over https unless an endpoint with http was fixed and allowed, and its path is that of one operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use dws_operator::dws::call::{Call, CreateCluster, Restore};
use dws_operator::dws::clock::{Clock, SystemClock};
use dws_operator::dws::{Client, Credential, Settings};
use dws_operator::entropy::Entropy;
use dws_operator::observer::{Accounts, ObserverSettings};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;
use secrecy::SecretString;
use url::Url;

use super::echo::Network;
use super::engine::{Judgement, caught, fails, holds};

/// What a tenant may write, and what an administrator has written.
#[derive(Clone, Debug)]
struct Case {
    administrator: Settings,
    secret: BTreeMap<String, String>,
    ids: (String, String),
    names: (String, String),
}

/// Texts that would lead elsewhere in some reading of a URL.
fn hostile() -> impl Strategy<Value = String> {
    let trick = select(vec![
        "evil.example.net",
        "evil.example.net/",
        "evil.example.net#",
        "evil.example.net?",
        "evil.example.net:443",
        "@evil.example.net",
        "x@evil.example.net/",
        "https://evil.example.net",
        "//evil.example.net",
        "\\\\evil.example.net",
        "/../../evil",
        "..",
        ".",
        "%2e%2e",
        "%2f%2fevil.example.net",
        "%40evil.example.net",
        "a.evil.example.net",
        "eu-west-0.evil.example.net",
        "evil.example.net.",
        "evil\u{3002}example\u{3002}net",
        "xn--evil",
        "eu-west-0",
        "-",
        "a/b",
        "a?b=c",
        "a#b",
        "a%00b",
        "EU-WEST-0",
        "eu\u{2010}west",
        "[::1]",
        "127.0.0.1",
        "0x7f000001",
        "2130706433",
        "localhost",
        "",
        " ",
        "\t",
        "7d85f602-a948-4a30-afd4-e84f47471c15",
        "0123456789abcdef0123456789abcdef",
    ]);
    prop_oneof![
        4 => trick.prop_map(str::to_owned),
        1 => "[a-z0-9-]{1,36}",
        2 => "[a-z0-9.@:#?/%\\\\\\[\\] \t-]{0,30}",
        1 => "\\PC{0,20}",
    ]
}

fn cases() -> impl Strategy<Value = Case> {
    let cloud = prop::option::of(select(vec!["myhuaweicloud.com", "otc.example.com"]));
    let fixed = prop::option::weighted(
        0.4,
        select(vec![
            "https://dws.example.org",
            "http://10.0.0.8:18080",
            "https://[fd00::1]:8443/",
        ]),
    );
    let iam = prop::option::weighted(
        0.4,
        select(vec!["https://iam.example.org/v3", "http://10.0.0.8:18080"]),
    );
    let region = prop::option::weighted(0.8, select(vec!["eu-west-0", "cn-north-4"]));
    let administrator =
        (region, cloud, fixed, iam).prop_map(|(region, cloud, dws, iam)| Settings {
            region: region.map(str::to_owned),
            cloud: cloud.map(str::to_owned),
            dws_endpoint: dws.map(str::to_owned),
            auth_url: iam.map(str::to_owned),
            allow_insecure: true,
            ..Settings::default()
        });
    let key = select(vec![
        "HW_REGION_NAME",
        "HW_PROJECT_ID",
        "HW_PROJECT_NAME",
        "HW_CLOUD",
        "HW_AUTH_URL",
        "DWS_ENDPOINT",
        "HW_SECURITY_TOKEN",
        "HW_DOMAIN_NAME",
        "HW_USER_NAME",
        "HTTPS_PROXY",
        "hw_cloud",
    ]);
    let more = prop::collection::btree_map(key.prop_map(str::to_owned), hostile(), 0..5);
    let login = any::<bool>();
    (
        administrator,
        more,
        login,
        (hostile(), hostile()),
        (hostile(), hostile()),
    )
        .prop_map(|(administrator, mut secret, login, ids, names)| {
            let whole: &[(&str, &str)] = if login {
                &[
                    ("HW_DOMAIN_NAME", "d"),
                    ("HW_USER_NAME", "u"),
                    ("HW_USER_PASSWORD", "p"),
                ]
            } else {
                &[("HW_ACCESS_KEY", "AK"), ("HW_SECRET_KEY", "SK")]
            };
            for (key, value) in whole {
                secret
                    .entry((*key).to_owned())
                    .or_insert_with(|| (*value).to_owned());
            }
            Case {
                administrator,
                secret,
                ids,
                names,
            }
        })
}

fn calls(case: &Case) -> Vec<Call> {
    let (one, other) = (&case.names.0, &case.names.1);
    let (cluster_id, snapshot_id) = case.ids.clone();
    vec![
        Call::CreateCluster(CreateCluster {
            name: one.clone(),
            node_type: other.clone(),
            number_of_node: 3,
            vpc_id: one.clone(),
            subnet_id: other.clone(),
            security_group_id: one.clone(),
            availability_zone: Some(other.clone()),
            port: 8000,
            user_name: one.clone(),
            user_pwd: "p".into(),
            public_ip: None,
            number_of_cn: None,
            enterprise_project_id: Some(other.clone()),
        }),
        Call::RestartCluster {
            cluster_id: cluster_id.clone(),
        },
        Call::DeleteCluster {
            cluster_id: cluster_id.clone(),
            keep_last_manual_snapshot: 1,
        },
        Call::CreateSnapshot {
            name: one.clone(),
            cluster_id,
            description: Some(other.clone()),
        },
        Call::DeleteSnapshot {
            snapshot_id: snapshot_id.clone(),
        },
        Call::RestoreSnapshot {
            snapshot_id,
            restore: Restore {
                name: one.clone(),
                vpc_id: None,
                subnet_id: None,
                security_group_id: None,
                availability_zone: None,
                port: None,
                public_ip: None,
            },
        },
    ]
}

/// Where the requests of a tenant go: ours, or a broken variant.
type Send = fn(&Case) -> Vec<Url>;

const OURS: Send = |case| {
    let network = network();
    let settings = ObserverSettings {
        max_requests_per_second: 1_000_000.0,
        endpoint: case.administrator.clone(),
        ..ObserverSettings::default()
    };
    alone(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let accounts = Accounts::new(
            settings,
            None,
            network.clone(),
            clock.clone(),
            Entropy::seeded(1),
        );
        let data = case
            .secret
            .iter()
            .map(|(key, value)| (key.clone(), SecretString::from(value.as_str())))
            .collect();
        let Ok((account, _)) = accounts.from_secret("team", "account", "uid", "1", &data) else {
            return;
        };
        let _ = account.fresh_clusters().await;
        let _ = account.cluster(&case.ids.0).await;
        let _ = account.snapshot(&case.ids.1).await;
        for call in calls(case) {
            account
                .execute(&call, clock.now() + SignedDuration::from_secs(60))
                .await;
        }
    });
    seen(&network)
};

fn network() -> Arc<Network> {
    Arc::new(Network {
        token: "token".to_owned(),
        ..Network::default()
    })
}

fn seen(network: &Network) -> Vec<Url> {
    network.seen.lock().clone()
}

fn alone<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(work)
}

fn property(send: Send, operations: &Regex, case: &Case) -> Judgement {
    let administrator = &case.administrator;
    let cloud = administrator
        .cloud
        .as_deref()
        .unwrap_or("myhuaweicloud.com");
    for url in send(case) {
        let service = if url.path().starts_with("/v3/") {
            "iam"
        } else {
            "dws"
        };
        let fixed = if service == "iam" {
            &administrator.auth_url
        } else {
            &administrator.dws_endpoint
        };
        let host = url.host_str().unwrap_or_default();
        if let Some(fixed) = fixed {
            let fixed = Url::parse(fixed).unwrap();
            prop_assert_eq!(url.origin(), fixed.origin());
        } else {
            let region = host
                .strip_prefix(&format!("{service}."))
                .and_then(|rest| rest.strip_suffix(&format!(".{cloud}")));
            let is_region = |region: &str| {
                (1..=32).contains(&region.len())
                    && region
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            prop_assert!(region.is_some_and(is_region), "a request to {url}");
            prop_assert!(
                url.scheme() == "https" && url.port().is_none(),
                "a request to {url}"
            );
        }
        prop_assert!(
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none(),
            "{url}"
        );
        prop_assert!(
            operations.is_match(url.path()),
            "a request to {}",
            url.path()
        );
        let pairs = url.query_pairs().count();
        prop_assert!(
            pairs == usize::from(url.path() == "/v3/projects"),
            "a request to {url}"
        );
    }
    Ok(())
}

fn operations() -> Regex {
    let id = "[A-Za-z0-9-]{1,64}";
    Regex::new(&format!(
        "^(/v3/auth/tokens|/v3/projects|/v1[.]0/{id}/(clusters|snapshots)(/{id}(/(restart|resize|reset-password|actions))?)?)$"
    ))
    .unwrap()
}

#[test]
fn no_tenant_sends_a_request_elsewhere() {
    let operations = operations();
    let sent = std::cell::Cell::new(0_usize);
    holds(
        "URL guard",
        "tenants' Secrets, ids and names",
        3_000,
        &cases(),
        |case| {
            sent.set(sent.get() + OURS(&case).len());
            property(OURS, &operations, &case)
        },
    );
    assert!(
        sent.get() > 1_000,
        "only {} requests: the property says nothing",
        sent.get()
    );
}

/// The client of one account whose settings were put together some other way.
fn with(case: &Case, settings: &Settings) -> Vec<Url> {
    let network = network();
    let credential = Credential::AccessKey {
        access_key: "AK".to_owned(),
        secret_key: "SK".into(),
        security_token: None,
    };
    if let Ok(config) = settings.resolve() {
        let client = Client::new(config, credential, network.clone(), Arc::new(SystemClock));
        alone(async {
            let _ = client.list_clusters().await;
            let _ = client.cluster(&case.ids.0).await;
        });
    }
    seen(&network)
}

#[test]
fn broken_guards_are_caught() {
    let takes_the_cloud: Send = |case| {
        let settings = Settings {
            cloud: case.secret.get("HW_CLOUD").cloned(),
            region: Some("eu-west-0".into()),
            ..case.administrator.clone()
        };
        with(case, &settings)
    };
    let takes_the_endpoint: Send = |case| {
        let settings = Settings {
            dws_endpoint: case.secret.get("DWS_ENDPOINT").cloned(),
            region: Some("eu-west-0".into()),
            ..case.administrator.clone()
        };
        with(case, &settings)
    };
    let any_region: Send = |case| {
        let region = case
            .secret
            .get("HW_REGION_NAME")
            .map_or("eu-west-0", String::as_str);
        let cloud = case
            .administrator
            .cloud
            .as_deref()
            .unwrap_or("myhuaweicloud.com");
        Url::parse(&format!("https://dws.{region}.{cloud}/v1.0/p/clusters"))
            .into_iter()
            .collect()
    };
    let joins_the_id: Send = |case| {
        let base = Url::parse("https://dws.eu-west-0.myhuaweicloud.com/v1.0/p/clusters/").unwrap();
        let own = case.administrator.cloud.is_none() && case.administrator.dws_endpoint.is_none();
        base.join(&case.ids.0).into_iter().filter(|_| own).collect()
    };
    let operations = operations();
    let fails = |send: Send| fails(&cases(), |case| property(send, &operations, &case));
    caught(
        "URL guard",
        &[
            ("the cloud of a Secret is taken", fails(takes_the_cloud)),
            (
                "the endpoint of a Secret is taken",
                fails(takes_the_endpoint),
            ),
            ("a region is not looked at", fails(any_region)),
            ("an id is joined to the address", fails(joins_the_id)),
        ],
    );
}
