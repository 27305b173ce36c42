//! The process harness: our programs start with a clean environment, are watched through their
//! log, stopped and ended, and do not outlive the test.

mod support;

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use support::Result;
use support::guard::{is_running, wait_until};
use support::process::{Process, free_port, program};

const SOON: Duration = Duration::from_secs(20);

/// Prints what it is told to, answers SIGTERM politely, and stays.
const POLITE: &str = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done";

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[tokio::test]
async fn a_log_line_is_waited_for_and_a_polite_end_too() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut process = Process::spawn(&shell(POLITE), &directory.path().join("log"))?;
    assert_eq!(process.wait_for_log("read", 0, SOON).await?, "ready");
    let position = process.log_position();
    let again = process
        .wait_for_log("ready", position, Duration::from_millis(200))
        .await;
    assert!(
        again.is_err(),
        "it was printed before that position: {again:?}"
    );
    process.terminate()?;
    assert_eq!(process.wait_for_log("bye", position, SOON).await?, "bye");
    assert_eq!(process.wait_exit(SOON).await?.code(), Some(7));
    Ok(())
}

#[tokio::test]
async fn a_program_that_ends_early_says_how_with_its_last_lines() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut process = Process::spawn(
        &shell("echo no account >&2; exit 2"),
        &directory.path().join("log"),
    )?;
    let error = process
        .wait_for_log("ready", 0, SOON)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("exit status: 2") && error.contains("no account"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn pause_and_kill_9_need_no_consent() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut process = Process::spawn(
        &shell("i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"),
        &directory.path().join("log"),
    )?;
    process.wait_for_log("3", 0, SOON).await?;
    process.pause()?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let paused = process.log_position();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(
        process.log_position(),
        paused,
        "a paused process prints nothing"
    );
    process.resume()?;
    process.wait_for_log("", paused, SOON).await?;
    process.pause()?;
    let pid = process.pid();
    assert!(!process.kill_9()?.success(), "killed while it is paused");
    assert!(!is_running(pid));
    Ok(())
}

#[tokio::test]
async fn dropped_is_gone_and_kept_is_not() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("log");
    let dropped = Process::spawn(&shell(POLITE), &log)?;
    let pid = dropped.pid();
    drop(dropped);
    assert!(!is_running(pid));

    let mut kept = Process::spawn(&shell(POLITE), &log)?;
    kept.wait_for_log("ready", 0, SOON).await?;
    let pid = kept.keep()?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(is_running(pid), "kept");
    Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status()?;
    assert!(wait_until(SOON, || !is_running(pid)));
    Ok(())
}

#[test]
fn a_program_inherits_no_account_cluster_or_proxy() -> Result<()> {
    let command = program("dws-operator")?;
    let removed: Vec<_> = command
        .get_envs()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name)
        .collect();
    for (name, _) in std::env::vars() {
        let decides = name.starts_with("HW_")
            || name.starts_with("KUBE")
            || name.to_lowercase().ends_with("_proxy");
        assert_eq!(
            removed.iter().any(|&it| it == name.as_str()),
            decides,
            "{name}"
        );
    }
    assert!(
        std::path::Path::new(command.get_program()).exists(),
        "{command:?}"
    );
    Ok(())
}

#[test]
fn a_free_port_can_be_bound() -> Result<()> {
    TcpListener::bind(("127.0.0.1", free_port()?))?;
    Ok(())
}
