//! Child processes and directories that do not outlive this process, however it ends.
//!
//! Destructors run neither after SIGKILL nor for statics, and `PR_SET_PDEATHSIG` would need
//! `unsafe` and Linux. So each is watched by a small `sh` that reads a pipe whose other end only we
//! hold: whatever ends us closes it, and the watcher then kills or removes what it watches. It
//! sits in a process group of its own, so Ctrl-C in a terminal does not reach it before its work.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::Result;

/// Starts the program in place of the shell (so its pid and exit status are the child's own),
/// beside a watcher. The watcher shares the program's process group, which keeps the number `$$`
/// from being given to another process: the kill cannot hit a stranger.
const WATCH_PROCESS: &str = r#"
exec 3<&0 </dev/null
(
    trap '' HUP INT QUIT TERM
    while read -r word; do [ "$word" = keep ] && exit 0; done <&3
    kill -9 $$
) >/dev/null 2>&1 &
exec "$@" 3<&-
"#;

/// Removes a directory once the pipe closes. Processes that write to it are being killed at the
/// same moment by their own watchers, so it looks again until the directory stays away.
const WATCH_DIRECTORY: &str = r#"
trap '' HUP INT QUIT TERM
while read -r word; do [ "$word" = keep ] && exit 0; done
tries=0
while [ $tries -lt 100 ]; do
    rm -rf -- "$1"
    sleep 0.1
    [ -e "$1" ] || exit 0
    tries=$((tries + 1))
done
"#;

/// A child process that is killed when this value is dropped or this process ends.
pub struct GuardedProcess {
    child: Child,
    lifeline: Option<ChildStdin>,
    log: PathBuf,
}

impl GuardedProcess {
    /// Starts `command` with both output streams appended to `log` and nothing on its input.
    /// Program, arguments, environment and working directory are taken from it.
    pub fn spawn(command: &Command, log: &Path) -> Result<Self> {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| log.display().to_string())?;
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", WATCH_PROCESS, "guarded"])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            shell.current_dir(directory);
        }
        let mut child = shell
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let lifeline = child.stdin.take();
        Ok(Self {
            child,
            lifeline,
            log: log.to_owned(),
        })
    }

    /// The program's own process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal. An error means that the process is gone. One that stops it has stopped it: its threads
    /// run on for a moment otherwise, long enough for an answer on a busy machine.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("no process id")?;
        kill_process(pid, signal)
            .with_context(|| format!("signal to process {}", self.child.id()))?;
        if signal == Signal::STOP {
            let stopped = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            waitid(WaitId::Pid(pid), stopped).context("waiting until it stands still")?;
        }
        Ok(())
    }

    /// How it ended, if it did.
    pub fn exit(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// If it ended: how, and its last words.
    pub fn ended(&mut self) -> Result<Option<String>> {
        let status = self.exit()?;
        Ok(status.map(|status| format!("ended ({status}); its log ends:\n{}", tail(&self.log()))))
    }

    /// Kills it (SIGKILL, stopped processes too) and waits until it is gone.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    /// Where its output goes.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// All that it has printed so far.
    pub fn log(&self) -> String {
        let mut text = Vec::new();
        let read = File::open(&self.log).and_then(|mut file| file.read_to_end(&mut text));
        read.map_or_else(
            |error| error.to_string(),
            |_| String::from_utf8_lossy(&text).into_owned(),
        )
    }

    /// Lets it run on after us, and gives its process id.
    pub fn keep(mut self) -> Result<u32> {
        keep(self.lifeline.take())?;
        Ok(self.child.id())
    }
}

impl Drop for GuardedProcess {
    fn drop(&mut self) {
        // Without a lifeline it was meant to be kept.
        if self.lifeline.take().is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A new temporary directory that is removed when this value is dropped or this process ends.
pub struct GuardedDirectory {
    path: PathBuf,
    watcher: Child,
    lifeline: Option<ChildStdin>,
}

impl GuardedDirectory {
    /// Makes one whose name begins with `prefix`, readable by this user alone.
    pub fn new(prefix: &str) -> Result<Self> {
        let made = tempfile::Builder::new().prefix(prefix).tempdir()?;
        // The watcher starts while `made` still removes the directory if that fails.
        let mut watcher = Command::new("/bin/sh")
            .args(["-c", WATCH_DIRECTORY, "guarded"])
            .arg(made.path())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let lifeline = watcher.stdin.take();
        Ok(Self {
            path: made.keep(),
            watcher,
            lifeline,
        })
    }

    /// Its place.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it, and gives its place.
    pub fn keep(mut self) -> Result<PathBuf> {
        keep(self.lifeline.take())?;
        Ok(self.path.clone())
    }
}

impl Drop for GuardedDirectory {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.watcher.wait();
    }
}

/// The last lines of a log, for an error message.
pub fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn keep(lifeline: Option<ChildStdin>) -> Result<()> {
    lifeline.context("already let go")?.write_all(b"keep\n")?;
    Ok(())
}

/// Whether a process of that id runs. One that ended and whose parent has not asked for its exit
/// status (a container without an init) does not run.
pub fn is_running(pid: u32) -> bool {
    let state = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output();
    match state {
        Ok(output) => {
            let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            !state.is_empty() && !state.starts_with('Z')
        }
        Err(_) => false,
    }
}

/// Waits until `gone` says so, at most `limit`, without a runtime.
pub fn wait_until(limit: Duration, mut gone: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while !gone() {
        if begin.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}
