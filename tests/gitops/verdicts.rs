//! Flux' kstatus and the health script for Argo CD, over every recorded object.

use std::path::Path;

use serde_json::{Value, json};

use crate::recorded::{object, situations};
use crate::situation::{Argo, Flux};
use crate::support::Result;
use crate::support::figures::figure;
use crate::witness::{health, is_missing, script};

#[test]
fn every_recorded_object_is_taken_for_what_it_is() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let all = situations();
    let objects: Vec<Value> = all.iter().map(object).collect();
    let said = health(&script(), &objects)?;
    let (mut flux, mut argo, mut wrong) = (0, 0, Vec::new());
    for (one, said) in all.iter().zip(&said) {
        let expected = format!("{:?}", one.flux);
        if said.kstatus.status == expected {
            flux += 1;
        } else {
            wrong.push(format!(
                "{}: kstatus says {:?}, not {expected}",
                one.name, said.kstatus
            ));
        }
        let expected = format!("{:?}", one.argo);
        if said.argo.status == expected {
            argo += 1;
        } else {
            wrong.push(format!(
                "{}: the script says {:?}, not {expected}",
                one.name, said.argo
            ));
        }
    }
    figure(
        "gitops",
        &format!(
            "{} objects, kstatus {flux} as expected, Lua {argo} as expected",
            all.len()
        ),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Whoever looks at Argo CD reads why.
#[test]
fn a_health_that_is_not_healthy_says_why() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let all = situations();
    let objects: Vec<Value> = all.iter().map(object).collect();
    for ((one, object), said) in all.iter().zip(&objects).zip(health(&script(), &objects)?) {
        assert!(!said.argo.message.is_empty(), "{}", one.name);
        let words = object["status"]["conditions"].to_string();
        let reason = said.argo.message.split(": ").next().unwrap_or_default();
        let told = words.contains(reason) || one.name.ends_with("new") || one.name == "edited";
        assert!(told, "{}: {}", one.name, said.argo.message);
    }
    Ok(())
}

/// What the conditions are for: without them, or without what the schema fills in, kstatus is wrong.
#[test]
fn kstatus_would_be_wrong_without_what_we_write() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let named = |name: &str| {
        let all = situations();
        object(all.iter().find(|one| one.name == name).unwrap())
    };
    let mut bare = named("new");
    bare.as_object_mut().unwrap().remove("status");
    let mut failed = named("creation-failed");
    keep(&mut failed, &["Ready", "Synced"]);
    let mut resizing = named("resizing");
    keep(&mut resizing, &["Ready", "Synced"]);
    let mut edited = named("edited");
    edited["status"]
        .as_object_mut()
        .unwrap()
        .remove("observedGeneration");
    let said = health(&script(), &[bare, failed, resizing, edited])?;
    let kstatus: Vec<&str> = said.iter().map(|one| one.kstatus.status.as_str()).collect();
    assert_eq!(kstatus, ["Current", "InProgress", "Current", "Current"]);
    Ok(())
}

fn keep(object: &mut Value, kinds: &[&str]) {
    let conditions = object["status"]["conditions"].as_array_mut().unwrap();
    conditions.retain(|one| kinds.contains(&one["type"].as_str().unwrap()));
}

/// The judge can fail: scripts as one would write them at first are caught by the recorded objects.
#[test]
fn naive_health_scripts_are_caught() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let shipped = std::fs::read_to_string(script())?;
    let naive = [
        // Ready alone, as most scripts do.
        "for _, one in ipairs((obj.status or {}).conditions or {}) do if one.type == 'Ready' then \
         if one.status == 'True' then return {status = 'Healthy', message = one.reason} end \
         return {status = 'Degraded', message = one.reason} end end \
         return {status = 'Progressing', message = 'Waiting: for conditions'}"
            .to_owned(),
        shipped.replace(
            " or obj.status.observedGeneration ~= obj.metadata.generation",
            "",
        ),
        shipped.replace("stalled ~= nil and", "false and"),
        shipped.replace("reconciling ~= nil and", "false and"),
        shipped.replace("synced.reason == \"Paused\"", "false"),
        shipped.replace("and (ready.status == \"True\" or nothing_made)", ""),
        shipped.replace("why = synced", "why = ready"),
        shipped.replace("  ServiceUnavailable = true,\n", ""),
        shipped.replace("  Restarting = true,\n", ""),
    ];
    let all = situations();
    let objects: Vec<Value> = all.iter().map(object).collect();
    let directory = tempfile::tempdir()?;
    for (number, text) in naive.iter().enumerate() {
        assert_ne!(*text, shipped, "variant {number} changes nothing");
        let path = directory.path().join(format!("{number}.lua"));
        std::fs::write(&path, text)?;
        let said = health(Path::new(&path), &objects)?;
        let wrong = all
            .iter()
            .zip(&said)
            .filter(|(one, said)| said.argo.status != format!("{:?}", one.argo))
            .count();
        assert!(wrong > 0, "variant {number} is not caught");
    }
    figure(
        "gitops",
        &format!(
            "{} of {} naive health scripts caught",
            naive.len(),
            naive.len()
        ),
    );
    Ok(())
}

/// A script that fails, or that says what Argo CD does not know, is an error and no verdict.
#[test]
fn a_broken_script_is_no_verdict() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("broken.lua");
    for text in [
        "return obj.nothing.there",
        "return 'Healthy'",
        "return {status = 'Fine'}",
        "return string.len('x')",
    ] {
        std::fs::write(&path, text)?;
        assert!(
            health(
                &path,
                &[json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}})]
            )
            .is_err(),
            "{text}"
        );
    }
    Ok(())
}

/// Each verdict is met, so that none is there for nothing.
#[test]
fn every_verdict_is_expected_somewhere() {
    let all = situations();
    for flux in [
        Flux::Current,
        Flux::InProgress,
        Flux::Failed,
        Flux::Terminating,
    ] {
        assert!(all.iter().any(|one| one.flux == flux), "{flux:?}");
    }
    for argo in [
        Argo::Healthy,
        Argo::Progressing,
        Argo::Degraded,
        Argo::Suspended,
        Argo::Unknown,
    ] {
        assert!(all.iter().any(|one| one.argo == argo), "{argo:?}");
    }
}
