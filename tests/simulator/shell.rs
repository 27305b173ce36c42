//! The program itself: a port, the wall clock, and a network that does what it is told.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{Sim, sign};

struct Program {
    child: Child,
    address: String,
    lines: BufReader<std::process::ChildStdout>,
}

impl Program {
    fn start(flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dws-simulator"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HW_")) {
            command.env_remove(name);
        }
        command
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        while address.is_empty() {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "it ended before it was ready"
            );
            if let Some(rest) = line.trim().strip_prefix("dws-simulator ready on http://") {
                rest.clone_into(&mut address);
            }
        }
        Self {
            child,
            address,
            lines,
        }
    }

    /// Sends one request on a connection of its own and gives everything that comes back.
    fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        let length = body.len();
        write!(
            text,
            "Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .unwrap();
        stream.write_all(text.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> String {
        let host = vec![("Host".to_owned(), self.address.clone())];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.raw(method, &format!("/__sim/{path}"), &host, &body)
            .unwrap()
    }

    /// Signed, at the time of the wall clock.
    fn signed(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let sim = Sim::new();
        let settings = sim.service.settings();
        let mut request = dws_operator::simulator::HttpRequest {
            method: method.to_owned(),
            path: path.replace("{p}", &sim.project),
            query: String::new(),
            headers: vec![("Host".to_owned(), self.address.clone())],
            body: body.as_bytes().to_vec(),
        };
        sign(
            &mut request,
            &settings.access_key,
            &settings.secret_key,
            Timestamp::now(),
        );
        self.raw(method, &request.path, &request.headers, body)
    }

    /// Ends it by SIGTERM and gives its status and the rest of its log.
    fn end(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let mut log = String::new();
        self.lines.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

/// A test that fails leaves no program behind.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_serves_logs_and_ends() {
    let program = Program::start(&["--speed", "2000"]);
    let answer = program
        .signed(
            "POST",
            "/v1.0/{p}/clusters",
            &Sim::create_body("dws-1").to_string(),
        )
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let date = answer
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("date: "));
    assert!(date.unwrap().ends_with(" GMT"), "{answer}");
    assert_eq!(
        answer.matches("ate: ").count(),
        1,
        "one clock, the service's: {answer}"
    );
    // Wrong signatures are told in the gateway's style.
    let host = vec![("Host".to_owned(), program.address.clone())];
    let denied = program.raw("GET", "/v1.0/p/clusters", &host, "").unwrap();
    assert!(
        denied.starts_with("HTTP/1.1 401") && denied.contains("APIGW.0301"),
        "{denied}"
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    while !program
        .control("GET", "clusters", &Value::Null)
        .contains("\"AVAILABLE\"")
    {
        assert!(Instant::now() < deadline, "not up");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (code, log) = program.end();
    assert_eq!(code, Some(0));
    assert!(log.contains("POST   create_cluster  dws-1"), "{log}");
    assert!(log.contains("creates 3 nodes, "), "{log}");
    assert!(
        log.contains("cluster \"dws-1\" AVAILABLE"),
        "a line for what happens by itself: {log}"
    );
    assert!(
        log.contains("dws-simulator ends: 2 requests, 1 effects"),
        "{log}"
    );
    assert!(!log.contains("Dws2017demo"), "{log}");
}

#[test]
fn the_network_does_what_it_is_told() {
    let program = Program::start(&["--speed", "1000", "--hang", "500ms"]);
    let create = |name: &str| {
        program.signed(
            "POST",
            "/v1.0/{p}/clusters",
            &Sim::create_body(name).to_string(),
        )
    };
    let fault = |fault: Value| {
        let answer = program.control("POST", "faults", &fault);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    let effects = || {
        program
            .control("GET", "ledger", &Value::Null)
            .matches("\"effect\":")
            .count()
    };

    fault(json!({"kind": "lost_before"}));
    let error = create("dws-1").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    assert_eq!(effects(), 0);

    fault(json!({"kind": "lost_after"}));
    let error = create("dws-1").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    assert_eq!(effects(), 1);

    fault(json!({"kind": "lost_after", "hang": true}));
    let begin = Instant::now();
    assert_eq!(create("dws-2").unwrap(), "", "closed without an answer");
    assert!(begin.elapsed() >= Duration::from_millis(500));
    assert_eq!(effects(), 2);

    fault(json!({"kind": "slow", "after": 0.3}));
    let begin = Instant::now();
    assert!(create("dws-3").unwrap().starts_with("HTTP/1.1 200"));
    assert!(begin.elapsed() >= Duration::from_millis(300));

    fault(json!({"kind": "late", "after": 0.3, "status": 504}));
    assert!(create("dws-4").unwrap().starts_with("HTTP/1.1 504"));
    assert_eq!(effects(), 3);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(effects(), 4);
    let (code, log) = program.end();
    assert_eq!(code, Some(0));
    assert!(
        log.contains("late: create_cluster is executed now"),
        "{log}"
    );
    assert!(
        log.contains("reset") && log.contains("[fault: lost_before]"),
        "{log}"
    );
}

#[test]
fn a_wrong_flag_is_one_line_and_two() {
    for flags in [
        &["--speeed", "1"][..],
        &["--speed", "-1"],
        &["--listen", "0.0.0.0:0"],
        &["--listen", "nowhere"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_dws-simulator"))
            .args(flags)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.trim().lines().count(), 1, "{text}");
        assert!(text.starts_with("dws-simulator: "), "{text}");
    }
}
