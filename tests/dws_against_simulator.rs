//! The client against the simulator, over real sockets: both were written from the API reference and share
//! no type, so what one of them misread shows here. Every credential, every operation, every oddity of the
//! bodies.

#![allow(clippy::unwrap_used, clippy::panic)] // A helper that fails is a test that fails.

#[path = "support/figures.rs"]
mod figures;

use std::sync::Arc;
use std::time::Duration;

use dws_operator::dws::answer::{Answer, Class, Failure, Meaning};
use dws_operator::dws::call::{Call, CreateCluster, Restore};
use dws_operator::dws::clock::SystemClock;
use dws_operator::dws::http::{HttpOptions, HttpTransport};
use dws_operator::dws::{Client, Credential, Settings};
use dws_operator::simulator::server::Shell;
use dws_operator::simulator::{
    BodyStyle, Busy, Count, Empty, NoFailure, NotFound, Oddities, Service, Settings as Simulated,
    Timestamps,
};
use jiff::Timestamp;

/// An hour of the service in 36 ms.
const SPEED: f64 = 100_000.0;

struct Stage {
    shell: Shell,
    url: String,
    http: HttpTransport,
    simulated: Simulated,
}

impl Stage {
    async fn new(oddities: Oddities) -> Self {
        let simulated = Simulated {
            speed: SPEED,
            automated_snapshots: None,
            ..Simulated::default()
        };
        let mut service = Service::new(simulated.clone(), Timestamp::now());
        service.set_oddities(oddities);
        let shell = Shell::new(service, Duration::from_secs(5));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(shell.share().serve(listener));
        let http = HttpTransport::new(&HttpOptions::default()).unwrap();
        Self {
            shell,
            url,
            http,
            simulated,
        }
    }

    fn client(&self, credential: Credential, by_name: bool) -> Client {
        let settings = Settings {
            region: Some(self.simulated.region.clone()),
            project_id: (!by_name).then(|| self.simulated.project_id.clone()),
            auth_url: Some(format!("{}/v3", self.url)),
            dws_endpoint: Some(self.url.clone()),
            allow_insecure: true,
            ..Settings::default()
        };
        let account = settings.resolve().unwrap();
        Client::new(
            account,
            credential,
            Arc::new(self.http.clone()),
            Arc::new(SystemClock),
        )
    }

    fn access_key(&self) -> Credential {
        Credential::AccessKey {
            access_key: self.simulated.access_key.clone(),
            secret_key: self.simulated.secret_key.clone().into(),
            security_token: None,
        }
    }

    fn credentials(&self) -> [Credential; 3] {
        let temporary = self.simulated.temporary_key.clone().unwrap();
        [
            self.access_key(),
            Credential::AccessKey {
                access_key: temporary.access_key,
                secret_key: temporary.secret_key.into(),
                security_token: temporary.security_token.map(Into::into),
            },
            Credential::Password {
                domain_name: self.simulated.domain.clone(),
                user_name: self.simulated.user.clone(),
                password: self.simulated.password.clone().into(),
            },
        ]
    }

    fn effects(&self) -> usize {
        self.shell.with(|service| service.ledger().len())
    }
}

fn soon() -> Timestamp {
    Timestamp::now()
        .checked_add(Duration::from_secs(20))
        .unwrap()
}

fn create(name: &str) -> Call {
    let id = |n: u8| format!("85b20d7e-9eb7-4b2a-98f3-3c8843ea357{n}");
    Call::CreateCluster(CreateCluster {
        name: name.into(),
        node_type: "dws.d1.xlarge".into(),
        number_of_node: 3,
        vpc_id: id(1),
        subnet_id: id(2),
        security_group_id: id(3),
        availability_zone: None,
        port: 8000,
        user_name: "dbadmin".into(),
        user_pwd: "Canary-Passw0rd1".into(),
        public_ip: None,
        number_of_cn: None,
        enterprise_project_id: None,
    })
}

fn accepted(answer: Answer) -> Option<String> {
    match answer {
        Answer::Accepted { id } => id,
        other => panic!("{other:?}"),
    }
}

fn refused(answer: Answer) -> Failure {
    match answer {
        Answer::Refused(failure) => failure,
        other => panic!("{other:?}"),
    }
}

/// Reads until the cluster is at rest.
async fn settled(client: &Client, id: &str) -> dws_operator::dws::model::Cluster {
    for _ in 0..500 {
        let cluster = client.cluster(id).await.unwrap();
        let up = ["AVAILABLE", "ACTIVE"].contains(&cluster.status.as_str());
        if up && cluster.task_status.is_none() && cluster.action_progress.is_empty() {
            return cluster;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{id} does not settle");
}

/// What a busy service refuses is sent again, and nothing else.
async fn patiently(client: &Client, call: &Call) -> Option<String> {
    for _ in 0..500 {
        match client.execute(call, soon()).await {
            Answer::Refused(failure) if failure.meaning == Meaning::Busy => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            answer => return accepted(answer),
        }
    }
    panic!("busy for ever: {call:?}");
}

async fn gone(client: &Client, id: &str) -> Failure {
    for _ in 0..500 {
        match client.cluster(id).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(failure) => return failure,
        }
    }
    panic!("{id} does not go");
}

/// All thirteen operations; ends with nothing left.
async fn life(client: &Client, name: &str, counted: bool) {
    assert!(!client.node_types().await.unwrap().is_empty());
    let call = create(name);
    let id = accepted(client.execute(&call, soon()).await).unwrap();
    let cluster = settled(client, &id).await;
    assert_eq!(
        (cluster.name.as_str(), cluster.node_count, cluster.port),
        (name, Some(3), Some(8000))
    );
    assert!(cluster.created_at.is_some() && cluster.failed_reasons.is_none());
    assert!(!cluster.endpoints.is_empty());
    let list = client.list_clusters().await.unwrap();
    assert_eq!((list.items.len(), list.complete), (1, counted));
    assert!(list.service_time.is_some());

    let taken = refused(client.execute(&call, soon()).await);
    assert_eq!((taken.meaning, taken.http), (Meaning::NameTaken, Some(409)));
    assert_eq!(taken.field, Some("spec.clusterName"));

    let snapshot = Call::CreateSnapshot {
        name: "snap-1".into(),
        cluster_id: id.clone(),
        description: Some("d".into()),
    };
    let snapshot_id = patiently(client, &snapshot).await.unwrap();
    settled(client, &id).await;
    let taken = client.snapshot(&snapshot_id).await.unwrap();
    assert_eq!(
        (taken.name.as_str(), taken.cluster_id.as_deref()),
        ("snap-1", Some(id.as_str()))
    );
    assert!(taken.started_at.is_some());
    let list = client.list_snapshots().await.unwrap();
    assert_eq!((list.items.len(), list.complete), (1, counted));

    let grow = Call::ResizeCluster {
        cluster_id: id.clone(),
        count: 3,
    };
    patiently(client, &grow).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(settled(client, &id).await.node_count, Some(6));
    let restart = Call::RestartCluster {
        cluster_id: id.clone(),
    };
    patiently(client, &restart).await;
    settled(client, &id).await;
    let password = Call::ResetPassword {
        cluster_id: id.clone(),
        new_password: "Canary-Passw0rd2".into(),
    };
    patiently(client, &password).await;
    let weak = Call::ResetPassword {
        cluster_id: id.clone(),
        new_password: "weak".into(),
    };
    assert_eq!(
        refused(client.execute(&weak, soon()).await).meaning,
        Meaning::BadPassword
    );

    let restore = Call::RestoreSnapshot {
        snapshot_id: snapshot_id.clone(),
        restore: Restore {
            name: format!("{name}-2"),
            vpc_id: None,
            subnet_id: None,
            security_group_id: None,
            availability_zone: None,
            port: None,
            public_ip: None,
        },
    };
    let restored = patiently(client, &restore).await.unwrap();
    settled(client, &restored).await;
    let delete = Call::DeleteSnapshot {
        snapshot_id: snapshot_id.clone(),
    };
    patiently(client, &delete).await;
    assert_eq!(
        client.snapshot(&snapshot_id).await.unwrap_err().meaning,
        Meaning::Absent
    );
    for id in [id, restored] {
        let delete = Call::DeleteCluster {
            cluster_id: id.clone(),
            keep_last_manual_snapshot: 0,
        };
        patiently(client, &delete).await;
        assert_eq!(gone(client, &id).await.meaning.class(), Class::Absent);
    }
    let list = client.list_clusters().await.unwrap();
    assert_eq!((list.items.len(), list.complete), (0, counted));
}

#[tokio::test]
async fn every_credential_leads_through_a_whole_life() {
    let stage = Stage::new(Oddities::default()).await;
    let mut lives = 0;
    for credential in stage.credentials() {
        for by_name in [false, true] {
            let client = stage.client(credential.clone(), by_name);
            assert_eq!(
                client.project_id().await.unwrap(),
                stage.simulated.project_id
            );
            life(&client, "dws-life", true).await;
            lives += 1;
        }
    }
    // Create, snapshot, resize, restart, password, restore, and three deletions.
    assert_eq!(stage.effects(), lives * 9);
    let text = format!(
        "{lives} whole lives against the simulator, {} effects",
        lives * 9
    );
    figures::figure("dws-client", &text);
}

#[tokio::test]
async fn every_oddity_leads_through_a_whole_life() {
    let styles = [
        BodyStyle::Modern,
        BodyStyle::Legacy,
        BodyStyle::Both,
        BodyStyle::Base64,
        BodyStyle::Iam,
        BodyStyle::Gateway,
    ];
    let counts = [Count::Number, Count::Text, Count::Absent];
    let times = [
        Timestamps::Zulu,
        Timestamps::NoZone,
        Timestamps::Fraction,
        Timestamps::FractionNoZone,
    ];
    let empties = [Empty::Null, Empty::Absent, Empty::Empty];
    let none = [NoFailure::AsEmpty, NoFailure::Object, NoFailure::Nulls];
    let busy = [Busy::Conflict, Busy::Forbidden, Busy::Internal];
    let absent = [
        NotFound::Forbidden,
        NotFound::Unauthorized,
        NotFound::NotFound,
    ];
    let lives = (0..12).map(|n: usize| async move {
        let odd = n % 2 == 1;
        let oddities = Oddities {
            errors: styles[n % 6],
            count: counts[n % 3],
            timestamps: times[n % 4],
            empty: empties[(n / 2) % 3],
            no_failure: none[(n / 3) % 3],
            busy: busy[(n / 2) % 3],
            not_found: absent[(n / 4) % 3],
            resize_numbers: odd,
            resize_status_short: odd,
            idle_progress_object: odd,
            bare_host: odd,
            unknown_fields: odd,
            extra_fields: odd,
            newer_words: n % 4 == 2,
            success_code: odd,
            empty_body: n.is_multiple_of(3),
            deleted_is_unknown: odd,
            ..Oddities::default()
        };
        let counted = oddities.count != Count::Absent;
        let stage = Stage::new(oddities).await;
        let credential = stage.credentials()[n % 3].clone();
        life(&stage.client(credential, odd), "dws-odd", counted).await;
        assert_eq!(stage.effects(), 9, "{n}");
    });
    let mut done = 0;
    for life in lives {
        life.await;
        done += 1;
    }
    let text = format!("{done} odd lives against the simulator");
    figures::figure("dws-client", &text);
}

#[tokio::test]
async fn a_wrong_credential_is_told_from_an_absent_cluster() {
    for style in [
        BodyStyle::Modern,
        BodyStyle::Legacy,
        BodyStyle::Base64,
        BodyStyle::Iam,
    ] {
        let oddities = Oddities {
            errors: style,
            not_found: NotFound::Unauthorized,
            ..Oddities::default()
        };
        let stage = Stage::new(oddities).await;
        let mut wrong = stage.access_key();
        if let Credential::AccessKey { secret_key, .. } = &mut wrong {
            *secret_key = "wrong".into();
        }
        let unknown = "7d85f602-a948-4a30-afd4-e84f47471c15";
        let failure = stage
            .client(wrong, false)
            .cluster(unknown)
            .await
            .unwrap_err();
        assert_eq!(
            (failure.meaning, failure.http),
            (Meaning::Unauthenticated, Some(401))
        );
        for credential in stage.credentials() {
            let failure = stage
                .client(credential, false)
                .cluster(unknown)
                .await
                .unwrap_err();
            assert_eq!(
                (failure.meaning, failure.http),
                (Meaning::Absent, Some(401)),
                "{style:?}"
            );
        }
    }
}
