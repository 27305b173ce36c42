//! The oddities, each by itself, with what kind it is of.

use dws_operator::simulator::{
    BodyStyle, Busy, Count, Empty, NoFailure, NotFound, Oddities, Redistribution, Timestamps,
};

/// One oddity.
#[derive(Clone)]
pub struct Odd {
    pub kind: &'static str,
    pub name: String,
    pub oddities: Oddities,
    /// The first of each call of a scenario is refused with this code, so that the style of refusals matters.
    pub refused: Option<&'static str>,
    /// It passes after a while.
    pub passes: bool,
}

fn odd(kind: &'static str, name: impl Into<String>, set: impl FnOnce(&mut Oddities)) -> Odd {
    let mut oddities = Oddities::default();
    set(&mut oddities);
    Odd {
        kind,
        name: name.into(),
        oddities,
        refused: None,
        passes: false,
    }
}

/// All of them.
pub fn all() -> Vec<Odd> {
    let mut all = Vec::new();
    for seconds in [10.0, 60.0, 240.0] {
        all.push(odd(
            "late views",
            format!("lists late by {seconds} s"),
            |o| o.list_lag = seconds,
        ));
        all.push(odd(
            "late views",
            format!("details late by {seconds} s"),
            |o| o.detail_lag = seconds,
        ));
        all.push(odd(
            "late views",
            format!("views back and forth over {seconds} s"),
            |o| {
                o.list_lag = seconds;
                o.detail_lag = seconds;
                o.lag_varies = true;
            },
        ));
    }

    all.push(odd("counts", "a count as text", |o| o.count = Count::Text));
    for count in [Count::Absent, Count::OneMore, Count::OneMissing] {
        let mut one = odd("counts", format!("{count:?} for a while"), |o| {
            o.count = count;
        });
        one.passes = true;
        all.push(one);
    }
    all.push(odd("counts", "node numbers as numbers", |o| {
        o.resize_numbers = true;
        o.resize_status_short = true;
    }));

    for style in [
        BodyStyle::Modern,
        BodyStyle::Legacy,
        BodyStyle::Both,
        BodyStyle::Base64,
        BodyStyle::Iam,
        BodyStyle::Gateway,
    ] {
        for code in ["DWS.0011", "DWS.7023"] {
            let mut one = odd("error bodies", format!("{code} in style {style:?}"), |o| {
                o.errors = style;
            });
            one.refused = Some(code);
            all.push(one);
        }
    }
    all.push(odd("error bodies", "refusals in a 200", |o| {
        o.refusal_in_200 = true;
    }));
    for busy in [Busy::Conflict, Busy::Forbidden, Busy::Internal] {
        all.push(odd(
            "error bodies",
            format!("busy for a minute more, said as {busy:?}"),
            |o| {
                o.busy = busy;
                o.busy_after_task = 60.0;
            },
        ));
    }

    for not_found in [
        NotFound::Forbidden,
        NotFound::Unauthorized,
        NotFound::NotFound,
    ] {
        for style in [
            BodyStyle::Modern,
            BodyStyle::Legacy,
            BodyStyle::Base64,
            BodyStyle::Iam,
        ] {
            all.push(odd(
                "not-founds",
                format!("{not_found:?} in style {style:?}"),
                |o| {
                    o.not_found = not_found;
                    o.errors = style;
                    o.deleted_is_unknown = true;
                    o.detail_lag = 20.0;
                },
            ));
        }
    }
    all.push(odd("not-founds", "what is being deleted is hidden", |o| {
        o.deleting_hidden = true;
    }));
    all.push(odd(
        "not-founds",
        "what was deleted is shown for ten minutes",
        |o| o.deleted_shown = 600.0,
    ));
    all.push(odd("not-founds", "a second deletion is accepted", |o| {
        o.delete_again_accepted = true;
    }));

    for times in [
        Timestamps::NoZone,
        Timestamps::Fraction,
        Timestamps::FractionNoZone,
    ] {
        all.push(odd("words", format!("times as {times:?}"), |o| {
            o.timestamps = times;
        }));
    }
    for empty in [Empty::Absent, Empty::Empty] {
        all.push(odd("words", format!("nothing as {empty:?}"), |o| {
            o.empty = empty;
            o.no_failure = NoFailure::Object;
            o.idle_progress_object = true;
        }));
    }
    all.push(odd("words", "newer words and fields", |o| {
        o.newer_words = true;
        o.extra_fields = true;
        o.unknown_fields = true;
        o.bare_host = true;
        o.success_code = true;
    }));
    all.push(odd("words", "unknown words, empty bodies", |o| {
        o.unknown_words = true;
        o.empty_body = true;
        o.no_failure = NoFailure::Nulls;
    }));
    for redistribution in [
        Redistribution::Task,
        Redistribution::Waiting,
        Redistribution::Skipped,
    ] {
        all.push(odd(
            "words",
            format!("redistribution as {redistribution:?}, after a snapshot"),
            |o| {
                o.redistribution = redistribution;
                o.resize_snapshots_first = true;
            },
        ));
    }
    all.push(odd(
        "words",
        "a resize offline, a snapshot that is being restored",
        |o| {
            o.offline_resize = true;
            o.snapshot_restoring = true;
            o.keep_too_large_refused = true;
        },
    ));
    all
}
