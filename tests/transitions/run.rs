//! Runs the transitions of every field in every phase on the real API server, and judges each.

use std::ops::AddAssign;

use futures::stream::{self, StreamExt};
use kube::Client;
use serde_json::{Value, json};

use crate::changes::{ID, May, Place, may, place};
use crate::objects::{Answer, Manner, Objects};
use crate::refusals::{Why, judge};
use crate::schema::{Field, Shape, definition, fields};
use crate::support::Result;
use crate::support::control_plane::shared;
use crate::support::figures::figure;
use crate::values::{invalid, valid};

const KINDS: [&str; 2] = ["DwsCluster", "DwsSnapshot"];
/// Fields that are tried at the same time.
const SIDE_BY_SIDE: usize = 12;

/// How far the resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was asked for.
    Before,
    /// The first intent is written.
    Asked,
    /// The id is known.
    Known,
}

const PHASES: [Phase; 3] = [Phase::Before, Phase::Asked, Phase::Known];

impl Phase {
    fn status(self, kind: &str) -> Option<Value> {
        let cluster = kind == "DwsCluster";
        match self {
            Self::Before => None,
            Self::Asked => Some(json!({"operation": {
                "id": "7c1c0e3e-0b57-4f0e-9b0e-0d1a7d7c0001", "kind": if cluster { "Create" } else { "Snapshot" },
                "attempt": 1, "phase": "Intended", "intendedAt": "2026-11-25T08:30:00Z",
            }})),
            Self::Known if cluster => Some(json!({"clusterId": ID})),
            Self::Known => Some(json!({"snapshotId": ID})),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    accepted: usize,
    /// For a change that comes too late.
    late: usize,
    /// For a value.
    values: usize,
    round_trips: usize,
    created: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.late += other.late;
        self.values += other.values;
        self.round_trips += other.round_trips;
        self.created += other.created;
    }
}

/// Why a change from one allowed value to another must be refused, if it must.
fn refused(may: May, phase: Phase, from: Option<&Value>, to: Option<&Value>) -> Option<Why> {
    if phase == Phase::Before || from == to {
        return None;
    }
    let allowed = match may {
        May::Always => true,
        May::BeforeOnly => false,
        // Beside another id that is known, only that one.
        May::SetOnce => from.is_none() && (phase == Phase::Asked || to == Some(&json!(ID))),
        May::Up => match (from, to) {
            (Some(from), Some(to)) => to.as_i64() >= from.as_i64(),
            _ => true,
        },
    };
    (!allowed).then(|| Why::Change(may, from.cloned()))
}

/// One field in one phase.
struct Trial<'a> {
    objects: &'a Objects,
    client: &'a Client,
    namespace: &'a str,
    field: &'a Field,
    place: &'a Place,
    may: May,
    phase: Phase,
    count: Count,
    wrong: Vec<String>,
    made: usize,
}

impl Trial<'_> {
    async fn run(&mut self) -> Result<()> {
        let values = valid(self.field);
        let mut all: Vec<Option<&Value>> = vec![None];
        all.extend(values.iter().map(Some));
        for from in all.iter().copied() {
            let mut name = self.start(from).await?;
            for to in all.iter().copied().filter(|to| *to != from) {
                if let Some(why) = refused(self.may, self.phase, from, to) {
                    self.must_refuse(&name, from, to, &why).await?;
                    continue;
                }
                self.must_take(&name, from, to).await?;
                if refused(self.may, self.phase, to, from).is_some() {
                    self.objects.delete(&name).await?;
                    name = self.start(from).await?;
                    continue;
                }
                self.must_take(&name, to, from).await?;
                self.must_be_as_fresh(&name, from).await?;
            }
            // What is no value of the field is none in any phase, from none and from one.
            if from.is_none() || from == Some(&values[0]) {
                for (reason, value) in invalid(self.field) {
                    self.must_refuse(&name, from, Some(&value), &Why::Value(reason))
                        .await?;
                }
            }
            self.objects.delete(&name).await?;
        }
        if self.phase == Phase::Before {
            self.created_with_what_is_no_value().await?;
        }
        Ok(())
    }

    fn next(&mut self) -> String {
        self.made += 1;
        let name = format!(
            "t-{}-{}-{}",
            self.field.path.replace('.', "-"),
            self.phase as u8,
            self.made
        );
        name.to_lowercase()
    }

    fn wrong(&mut self, what: &str) {
        self.wrong.push(format!(
            "{} {} {:?}: {what}",
            self.place.kind, self.field.path, self.phase
        ));
    }

    /// An object with this value, so far on its way.
    async fn start(&mut self, value: Option<&Value>) -> Result<String> {
        let name = self.next();
        let stored = self.objects.apply(&name, &self.place.spec(value)).await;
        taken(stored, &format!("{} with {value:?}", self.field.path))?;
        if let Some(status) = self.phase.status(self.place.kind) {
            taken(
                self.objects.write_status(&name, &status).await,
                "the status",
            )?;
        }
        Ok(name)
    }

    async fn stored(&self, name: &str) -> Result<Value> {
        let plural = format!("{}s", self.place.kind.to_lowercase());
        let path = format!(
            "/apis/dws.huaweicloud.com/v1alpha1/namespaces/{}/{plural}/{name}",
            self.namespace
        );
        Ok(self
            .client
            .request(http::Request::get(path).body(Vec::new())?)
            .await?)
    }

    async fn must_take(
        &mut self,
        name: &str,
        from: Option<&Value>,
        to: Option<&Value>,
    ) -> Result<()> {
        self.count.accepted += 1;
        let spec = self.place.spec(to);
        match self.objects.apply(name, &spec).await {
            Ok(stored) if stored["spec"] == spec => {}
            Ok(stored) => self.wrong(&format!(
                "{from:?} -> {to:?} is stored as {}",
                stored["spec"]
            )),
            Err(refusal) => self.wrong(&format!("{from:?} -> {to:?} refused: {}", refusal.message)),
        }
        Ok(())
    }

    async fn must_refuse(
        &mut self,
        name: &str,
        from: Option<&Value>,
        to: Option<&Value>,
        why: &Why,
    ) -> Result<()> {
        match why {
            Why::Value(_) => self.count.values += 1,
            Why::Change(..) => self.count.late += 1,
        }
        let before = self.stored(name).await?;
        match self.objects.apply(name, &self.place.spec(to)).await {
            Ok(_) => {
                self.wrong(&format!(
                    "{from:?} -> {to:?} accepted, not refused for {why:?}"
                ));
                let _ = self.objects.apply(name, &self.place.spec(from)).await;
            }
            Err(refusal) => {
                if let Err(what) = judge(&refusal, self.field, why) {
                    self.wrong(&format!("{from:?} -> {to:?}: {what}"));
                }
                let after = self.stored(name).await?;
                if after != before {
                    self.wrong(&format!(
                        "{from:?} -> {to:?}: refused, and yet {before} became {after}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// There and back again is as if nothing had been.
    async fn must_be_as_fresh(&mut self, name: &str, value: Option<&Value>) -> Result<()> {
        self.count.round_trips += 1;
        let fresh = self.start(value).await?;
        let (come_back, made) = (self.stored(name).await?, self.stored(&fresh).await?);
        for part in ["spec", "status"] {
            if come_back[part] != made[part] {
                self.wrong(&format!(
                    "{part} {} came back as {}",
                    made[part], come_back[part]
                ));
            }
        }
        self.objects.delete(&fresh).await
    }

    async fn created_with_what_is_no_value(&mut self) -> Result<()> {
        for (reason, value) in invalid(self.field) {
            self.count.created += 1;
            let name = self.next();
            match self
                .objects
                .apply(&name, &self.place.spec(Some(&value)))
                .await
            {
                Ok(_) => self.wrong(&format!("created with {value}")),
                Err(refusal) => {
                    if let Err(what) = judge(&refusal, self.field, &Why::Value(reason)) {
                        self.wrong(&format!("created with {value}: {what}"));
                    }
                    if !self.objects.is_gone(&name).await? {
                        self.wrong(&format!("{name} is there although it was refused"));
                    }
                }
            }
        }
        Ok(())
    }
}

fn taken<T>(answer: Answer<T>, what: &str) -> Result<T> {
    answer.map_err(|refusal| anyhow::anyhow!("{what}: {}", refusal.message))
}

/// Runs one field in all phases; what was counted, and what was wrong.
async fn try_field(
    client: &Client,
    namespace: &str,
    kind: &'static str,
    field: &Field,
    may: May,
) -> Result<(Count, Vec<String>)> {
    let objects = Objects::new(client, namespace, kind, Manner::Update);
    let place = place(kind, &field.path);
    let (mut count, mut wrong) = (Count::default(), Vec::new());
    for phase in PHASES {
        let mut trial = Trial {
            objects: &objects,
            client,
            namespace,
            field,
            place: &place,
            may,
            phase,
            count: Count::default(),
            wrong: Vec::new(),
            made: 0,
        };
        trial.run().await?;
        count += trial.count;
        wrong.extend(trial.wrong);
    }
    Ok((count, wrong))
}

/// A client, and a namespace in which both kinds are served.
pub async fn served(prefix: &str) -> Result<(Client, String)> {
    let plane = shared().await?;
    for kind in KINDS {
        plane.apply_crds(&definition(kind).0).await?;
    }
    Ok((plane.client().await?, plane.namespace(prefix).await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_changes_as_its_schema_says() -> Result<()> {
    let (client, namespace) = served("transitions").await?;
    let version = client.apiserver_version().await?.git_version;
    let all: Vec<(&str, Field)> = KINDS
        .into_iter()
        .flat_map(|kind| fields(kind).into_iter().map(move |field| (kind, field)))
        .collect();
    let trials = all.iter().map(|(kind, field)| {
        let (client, namespace) = (&client, &namespace);
        async move { try_field(client, namespace, kind, field, may(kind, &field.path)).await }
    });
    let outcomes: Vec<_> = stream::iter(trials)
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let (mut total, mut wrong) = (Count::default(), Vec::new());
    for outcome in outcomes {
        let (count, found) = outcome?;
        total += count;
        wrong.extend(found);
    }
    let Count {
        accepted,
        late,
        values,
        round_trips,
        created,
    } = total;
    let transitions = accepted + late + values;
    figure(
        "transitions",
        &format!(
            "{transitions} transitions of {} fields on {version}: {accepted} accepted, {late} refused as too late, {values} for \
             their value; {round_trips} times there and back as fresh; {created} more creations refused",
            all.len()
        ),
    );
    assert!(
        wrong.is_empty(),
        "{} of {transitions}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(transitions >= 500 && round_trips >= 50, "{total:?}");
    Ok(())
}

/// The suite can fail: against expectations that are wrong, it says so.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_expectations_are_caught() -> Result<()> {
    let (client, namespace) = served("expectations").await?;
    let named = |path: &str| {
        let fields = fields("DwsCluster");
        fields.into_iter().find(|field| field.path == path).unwrap()
    };
    let mut wider = named("coordinatorCount");
    wider.shape = Shape::Number {
        least: 2,
        most: Some(21),
    };
    let mut narrower = named("keepLastManualSnapshots");
    narrower.shape = Shape::Number {
        least: 1,
        most: None,
    };
    let trials = [
        ("a fixed field that may change", named("port"), May::Always),
        (
            "a free field that is fixed",
            named("deletionPolicy"),
            May::BeforeOnly,
        ),
        ("a count that goes down", named("nodeCount"), May::Always),
        ("an id that is set twice", named("clusterId"), May::Always),
        ("a larger limit", wider, May::BeforeOnly),
        ("a smaller one", narrower, May::Always),
    ];
    let mut missed = Vec::new();
    for (what, field, may) in &trials {
        let tried = try_field(&client, &namespace, "DwsCluster", field, *may).await;
        let caught = match tried {
            Ok((_, wrong)) => !wrong.is_empty(),
            Err(error) => error.to_string().contains("is invalid: "),
        };
        if !caught {
            missed.push(*what);
        }
    }
    figure(
        "transitions",
        &format!(
            "{} of {} wrong expectations caught",
            trials.len() - missed.len(),
            trials.len()
        ),
    );
    assert!(missed.is_empty(), "not caught: {missed:?}");
    Ok(())
}
