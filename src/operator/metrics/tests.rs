//! What the text of `/metrics` says after something was told.

use super::*;

fn view(credentials: &str, age: f64, circuit: Option<&'static str>) -> AccountView {
    AccountView {
        credentials: credentials.into(),
        region: "eu-west-101".into(),
        project: "p1".into(),
        list_age_seconds: age,
        circuit,
    }
}

#[test]
fn every_metric_bears_the_prefix_and_shows() {
    let metrics = Metrics::new();
    metrics.reconciled("DwsCluster", "in_sync");
    metrics.changed("Create", "accepted");
    metrics.status_written("DwsSnapshot");
    metrics.event_failed();
    metrics.queue(7, 3);
    metrics.set_leader(true);
    metrics.lease_failed();
    metrics.called("list_clusters", "ok", Duration::from_millis(30));
    metrics.became_ready("DwsCluster", 700.0);
    metrics.on_scrape(|metrics| {
        metrics.set_resources(&[ResourceCount {
            kind: "DwsCluster",
            reason: "Available".into(),
            count: 4,
        }]);
        metrics.set_accounts(&[view("own", 12.5, Some("Throttled"))]);
    });
    let text = metrics.render().unwrap();
    for line in [
        "dws_operator_reconciles_total{kind=\"DwsCluster\",outcome=\"in_sync\"} 1",
        "dws_operator_changing_calls_total{operation=\"Create\",result=\"accepted\"} 1",
        "dws_operator_status_writes_total{kind=\"DwsSnapshot\"} 1",
        "dws_operator_event_failures_total 1",
        "dws_operator_queue_waiting 7",
        "dws_operator_leader 1",
        "dws_operator_lease_failures_total 1",
        "dws_operator_remote_calls_total{operation=\"list_clusters\",result=\"ok\"} 1",
        "dws_operator_until_ready_seconds_bucket{le=\"900.0\",kind=\"DwsCluster\"} 1",
        "dws_operator_resources{kind=\"DwsCluster\",reason=\"Available\"} 4",
        "dws_operator_last_list_age_seconds{credentials=\"own\",region=\"eu-west-101\",project=\"p1\"} 12.5",
        "dws_operator_circuit_open{credentials=\"own\",region=\"eu-west-101\",project=\"p1\",reason=\"Throttled\"} 1",
        "dws_operator_circuit_open{credentials=\"own\",region=\"eu-west-101\",project=\"p1\",reason=\"CredentialsInvalid\"} 0",
        "dws_operator_build_info{version=",
        "dws_operator_process_resident_memory_bytes ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("dws_operator_"), "{line}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn two_accounts_of_one_project_are_shown_apart() {
    let metrics = Metrics::new();
    metrics.set_accounts(&[
        view("team/old", 90.0, Some("CredentialsInvalid")),
        view("team/new", 5.0, None),
    ]);
    let text = metrics.render().unwrap();
    let of = |name| format!("{{credentials=\"team/{name}\",region=\"eu-west-101\",project=\"p1\"");
    for line in [
        format!("last_list_age_seconds{}}} 90.0", of("old")),
        format!("last_list_age_seconds{}}} 5.0", of("new")),
        format!("{},reason=\"CredentialsInvalid\"}} 1", of("old")),
        format!("{},reason=\"CredentialsInvalid\"}} 0", of("new")),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_is_gone_is_no_longer_shown() {
    let metrics = Metrics::new();
    metrics.set_accounts(&[view("team/old", 1.0, None)]);
    metrics.set_accounts(&[view("team/new", 1.0, None)]);
    let text = metrics.render().unwrap();
    assert!(!text.contains("team/old"), "{text}");
}
