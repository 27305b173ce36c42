//! Programs as a user calls them (kubectl, helm), and waiting. It knows nothing of the operator.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::support::Result;

/// A program and where it is.
#[derive(Clone, Debug)]
pub struct Program(pub PathBuf);

impl Program {
    /// Runs it to its end; what it printed. An error bears the arguments and its last words.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        self.run_with(args, "")
    }

    /// Runs it beside the caller until that lets go of it.
    pub fn start(&self, args: &[&str]) -> Result<Running> {
        let mut child = Command::new(&self.0)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} {}", self.0.display(), args.join(" ")))?;
        let output = child.stdout.take().context("no output")?;
        Ok(Running {
            child,
            output: BufReader::new(output),
        })
    }

    /// What it printed on both streams, however it ended.
    pub fn says(&self, args: &[&str]) -> Result<String> {
        let output = Command::new(&self.0).args(args).output()?;
        let both = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&both).into_owned())
    }

    /// The same as [`Self::run`], with something on its input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Result<String> {
        let shown = || format!("{} {}", self.0.display(), args.join(" "));
        let mut child = Command::new(&self.0)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(shown)?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that reads nothing and has ended already is no failure of ours.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().with_context(shown)?;
        anyhow::ensure!(
            output.status.success(),
            "{}: {}",
            shown(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A program that runs, and ends with this.
pub struct Running {
    child: Child,
    // Held: it may say more, and ends where nobody could read that.
    output: BufReader<ChildStdout>,
}

impl Running {
    /// The next line that it prints.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is something, at most `limit`. `what` names it in the error, which
/// ends with what `probe` said last.
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<std::result::Result<T, String>>,
) -> Result<T> {
    let begin = Instant::now();
    loop {
        let last = match probe()? {
            Ok(found) => return Ok(found),
            Err(last) => last,
        };
        anyhow::ensure!(
            begin.elapsed() < limit,
            "{what}: not within {} s; last seen: {last}",
            limit.as_secs()
        );
        sleep(Duration::from_millis(200));
    }
}
