//! The program as a shell sees it: exit codes, and one line that names what is wrong.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

/// Runs it with an environment of its own.
fn run(args: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dws-operator"))
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const KEYS: [(&str, &str); 3] = [
    ("HW_REGION_NAME", "eu-west-101"),
    ("HW_ACCESS_KEY", "AKCANARY"),
    ("HW_SECRET_KEY", "sk-canary"),
];

fn assert_refused(args: &[&str], environment: &[(&str, &str)], part: &str) {
    let output = run(args, environment);
    let said = text(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{args:?} {environment:?}: {said}"
    );
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    assert!(
        said.starts_with("error: ") && said.contains(part),
        "{args:?}: {said}"
    );
    assert!(
        !said.contains("canary") && !said.contains("CANARY"),
        "{said}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_arguments_are_refused_in_one_line() {
    let rows: [(&[&str], &str); 13] = [
        (&[], "subcommand"),
        (&["start"], "'start'"),
        (&["run", "--poll-intervall=5s"], "--poll-interval"),
        (&["run", "--secret-key=sk-canary"], "HW_SECRET_KEY"),
        (&["run", "--leader-election=perhaps"], "--leader-election"),
        (&["run", "--lease-name=My Lease"], "--lease-name"),
        (&["run", "--listen"], "--listen"),
        (&["run", "--listen=a", "--listen=b"], "--listen"),
        (
            &["run", "--poll-interval=60"],
            "--poll-interval (DWS_OPERATOR_POLL_INTERVAL)",
        ),
        (&["run", "--concurrency=0"], "--concurrency"),
        (&["run", "--ca-bundle=/nonexistent/ca.pem"], "--ca-bundle"),
        (&["run", "--log-format=xml"], "--log-format"),
        (&["crd", "extra"], "'extra'"),
    ];
    for (args, part) in rows {
        assert_refused(args, &KEYS, part);
    }
}

#[test]
fn wrong_variables_are_refused_in_one_line() {
    let rows = [
        (
            "DWS_OPERATOR_POLL_INTERVAL",
            "soon",
            "DWS_OPERATOR_POLL_INTERVAL",
        ),
        (
            "DWS_OPERATOR_MAX_REQUESTS_PER_SECOND",
            "0",
            "--max-requests-per-second",
        ),
        (
            "DWS_OPERATOR_NAMESPACE",
            "good,B@d",
            "DWS_OPERATOR_NAMESPACE",
        ),
        (
            "DWS_OPERATOR_ALLOW_INSECURE_ENDPOINTS",
            "perhaps",
            "--allow-insecure-endpoints",
        ),
        ("HW_REGION_NAME", "", "HW_REGION_NAME"),
        ("HW_SECRET_KEY", "", "HW_SECRET_KEY"),
        ("HW_ACCESS_KEY", "", "HW_ACCESS_KEY"),
        ("DWS_ENDPOINT", "http://127.0.0.1:1", "DWS_ENDPOINT"),
        (
            "HW_AUTH_URL",
            "https://u:sk-canary@iam.example.com",
            "HW_AUTH_URL",
        ),
        ("RUST_LOG", "dws_operator=loud", "RUST_LOG"),
    ];
    for (name, value, part) in rows {
        let environment = [&KEYS[..], &[(name, value)]].concat();
        assert_refused(&["run"], &environment, part);
    }
}

#[test]
fn a_flag_wins_over_its_variable() {
    let environment = [&KEYS[..], &[("DWS_OPERATOR_LISTEN", "127.0.0.1:0")]].concat();
    assert_refused(&["run", "--listen=nowhere"], &environment, "'nowhere'");
}

#[test]
fn a_variable_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let output = Command::new(env!("CARGO_BIN_EXE_dws-operator"))
        .arg("run")
        .env_clear()
        .env("HW_SECRET_KEY", std::ffi::OsStr::from_bytes(b"canary\xff"))
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("HW_SECRET_KEY") && !said.contains("canary"),
        "{said}"
    );
}

#[test]
fn a_port_that_is_taken_names_the_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_refused(&["run", "--listen", &address], &KEYS, "--listen");
}

#[test]
fn no_way_to_kubernetes_names_the_variable() {
    let environment = [
        &KEYS[..],
        &[
            ("KUBECONFIG", "/nonexistent/kubeconfig"),
            ("DWS_OPERATOR_LISTEN", "127.0.0.1:0"),
        ],
    ]
    .concat();
    assert_refused(&["run"], &environment, "KUBECONFIG");
}

#[test]
fn a_certificate_that_none_can_read_names_the_flag() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(file.path(), pem).unwrap();
    let path = file.path().to_str().unwrap();
    let args = ["run", "--listen=127.0.0.1:0", "--ca-bundle", path];
    assert_refused(&args, &KEYS, "--ca-bundle");
}

/// The developer's or the node's proxy is for the world outside; only a kubeconfig can name one.
#[test]
fn a_proxy_of_the_environment_is_not_asked_for_kubernetes() {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};
    let (server, proxy) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    for listener in [&server, &proxy] {
        listener.set_nonblocking(true).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    let file = format!(
        r#"{{"current-context": "c", "contexts": [{{"name": "c", "context": {{"cluster": "c", "user": "u"}}}}],
            "clusters": [{{"name": "c", "cluster": {{"server": "http://{}"}}}}],
            "users": [{{"name": "u", "user": {{}}}}]}}"#,
        server.local_addr().unwrap()
    );
    std::fs::write(&kubeconfig, file).unwrap();
    let log = directory.path().join("log");
    let mut operator = Command::new(env!("CARGO_BIN_EXE_dws-operator"))
        .args(["run", "--listen", "127.0.0.1:0"])
        .env_clear()
        .envs(KEYS)
        .env("KUBECONFIG", &kubeconfig)
        .env(
            "HTTPS_PROXY",
            format!("http://{}", proxy.local_addr().unwrap()),
        )
        .env(
            "https_proxy",
            format!("http://{}", proxy.local_addr().unwrap()),
        )
        .stderr(std::fs::File::create(&log).unwrap())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let mut asked = false;
    while !asked && begin.elapsed() < Duration::from_secs(20) {
        asked = server.accept().is_ok();
        if operator.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    operator.kill().ok();
    operator.wait().unwrap();
    assert!(asked, "{}", std::fs::read_to_string(&log).unwrap());
    assert!(proxy.accept().is_err(), "the proxy was asked");
}

#[test]
fn the_definitions_parse() {
    use serde::Deserialize;
    let output = run(&["crd"], &[]);
    assert!(output.status.success() && output.stderr.is_empty());
    let yaml = text(&output.stdout);
    let kinds = serde_yaml_ng::Deserializer::from_str(&yaml)
        .map(|document| serde_json::Value::deserialize(document).unwrap())
        .map(|crd| {
            assert_eq!(crd["kind"], "CustomResourceDefinition");
            crd["spec"]["names"]["kind"].as_str().unwrap().to_owned()
        })
        .collect::<Vec<_>>();
    assert_eq!(kinds, ["DwsCluster", "DwsSnapshot"]);
}

#[test]
fn the_version_is_the_packages() {
    let output = run(&["--version"], &[]);
    assert!(output.status.success());
    let version = concat!("dws-operator ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(text(&output.stdout), version);
}

#[test]
fn the_help_names_every_flag_and_variable() {
    for help in ["--help", "-h"] {
        let output = run(&["run", help], &[("DWS_OPERATOR_LISTEN", "canary")]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        for flag in dws_operator::operator::cli::run_flags() {
            assert!(
                said.contains(&format!("--{flag} ")) || said.contains(&format!("--{flag}[")),
                "--{flag}"
            );
            assert!(
                said.contains(&dws_operator::operator::cli::variable_of(&flag)),
                "--{flag}"
            );
        }
        for variable in dws_operator::operator::variables::VARIABLES {
            assert!(said.contains(variable.name), "{}", variable.name);
        }
        assert!(!said.contains("canary"), "the help shows a value");
    }
    let output = run(&["--help"], &[]);
    assert!(text(&output.stdout).contains("crd"));
}
