//! Our own programs (`dws-operator`, `dws-simulator`) as child processes: started with a clean
//! environment, watched through their log, killed, stopped, continued and ended politely.
//!
//! It knows their names and nothing of what they say.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::Signal;

use super::guard::{GuardedProcess, tail};
use super::{Result, eventually};

/// Environment that would turn a program under test to the developer's own accounts, cluster or
/// proxy. What a test needs of it, it sets itself.
const NOT_INHERITED: [&str; 5] = ["HW_", "DWS_", "OS_", "KUBE", "RUST_LOG"];

/// One of our programs, running. It ends when this value is dropped, or with this process.
pub struct Process {
    name: String,
    inner: GuardedProcess,
}

impl Process {
    /// `dws-operator`, not started yet: add arguments and environment, then [`Process::spawn`].
    pub fn operator() -> Result<Command> {
        program("dws-operator")
    }

    /// `dws-simulator`, not started yet.
    pub fn simulator() -> Result<Command> {
        program("dws-simulator")
    }

    /// Starts it; both output streams are appended to `log`, so a restart continues the file.
    pub fn spawn(command: &Command, log: &Path) -> Result<Self> {
        let name = Path::new(command.get_program())
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            name,
            inner: GuardedProcess::spawn(command, log)?,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.inner.pid()
    }

    /// All that it (and any earlier one with the same file) has printed.
    pub fn log(&self) -> String {
        self.inner.log()
    }

    /// Where that stands.
    pub fn log_path(&self) -> &Path {
        self.inner.log_path()
    }

    /// How many bytes it has printed: the `from` of a later [`Process::wait_for_log`].
    pub fn log_position(&self) -> usize {
        self.log().len()
    }

    /// Waits for a log line that contains `text`, from byte `from` of the log on, and returns it.
    /// Fails with the end of the log when the time is over or the program ended without the line.
    pub async fn wait_for_log(
        &mut self,
        text: &str,
        from: usize,
        limit: Duration,
    ) -> Result<String> {
        let begin = std::time::Instant::now();
        loop {
            // Asked before the log is read: a line printed just before the end is still found.
            let ended = self.inner.exit()?;
            let log = self.log();
            if let Some(line) = log
                .get(from..)
                .unwrap_or_default()
                .lines()
                .find(|line| line.contains(text))
            {
                return Ok(line.to_owned());
            }
            if let Some(status) = ended {
                bail!(
                    "{} ended ({status}) without printing {text:?}; its log ends:\n{}",
                    self.name,
                    tail(&log)
                );
            }
            if begin.elapsed() > limit {
                bail!(
                    "{} did not print {text:?} within {} s; its log ends:\n{}",
                    self.name,
                    limit.as_secs(),
                    tail(&log)
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL, at once: no handler of the program runs.
    pub fn kill_9(mut self) -> Result<ExitStatus> {
        self.inner.kill()
    }

    /// SIGTERM, as Kubernetes sends it; then wait with [`Process::wait_exit`].
    pub fn terminate(&self) -> Result<()> {
        self.inner.signal(Signal::TERM)
    }

    /// SIGSTOP: it stands still, connections open.
    pub fn pause(&self) -> Result<()> {
        self.inner.signal(Signal::STOP)
    }

    /// SIGCONT: it goes on.
    pub fn resume(&self) -> Result<()> {
        self.inner.signal(Signal::CONT)
    }

    /// How it ended, if it did.
    pub fn exit(&mut self) -> Result<Option<ExitStatus>> {
        self.inner.exit()
    }

    /// Waits until it has ended by itself.
    pub async fn wait_exit(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        let inner = &mut self.inner;
        eventually(&what, limit, || std::future::ready(inner.exit())).await
    }

    /// Lets it run on after this process, and gives its process id.
    pub fn keep(self) -> Result<u32> {
        self.inner.keep()
    }
}

/// The binary of this package by that name, with an environment that decides nothing for it.
pub fn program(name: &str) -> Result<Command> {
    let mut command = Command::new(binary(name)?);
    for (variable, _) in std::env::vars_os() {
        if is_stripped(&variable) {
            command.env_remove(variable);
        }
    }
    Ok(command)
}

fn is_stripped(variable: &OsString) -> bool {
    let name = variable.to_string_lossy().to_uppercase();
    NOT_INHERITED.iter().any(|prefix| name.starts_with(prefix)) || name.ends_with("_PROXY")
}

/// Integration tests know the path from cargo; an example looks beside itself, where cargo puts the
/// binaries of the same profile.
fn binary(name: &str) -> Result<PathBuf> {
    let told = match name {
        "dws-operator" => option_env!("CARGO_BIN_EXE_dws-operator"),
        "dws-simulator" => option_env!("CARGO_BIN_EXE_dws-simulator"),
        _ => None,
    };
    if let Some(path) = told {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let profile = own
        .ancestors()
        .nth(2)
        .context("no directory above this program")?;
    let path = profile.join(name);
    if !path.exists() {
        bail!(
            "{} is missing: run 'cargo build --bins' (with this program's profile) first",
            path.display()
        );
    }
    Ok(path)
}

/// A TCP port of the loopback interface that was free a moment ago. Another process can take it
/// before it is used, so who starts a server on it tries again with another one.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
