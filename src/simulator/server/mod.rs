//! The shell around the service: a port, the wall clock and a log on standard output.
//!
//! It knows sockets and time. It must not know DWS: every request goes to the service, and what the network does
//! with the answer (late, never, reset) is done here as the service says.

mod args;
mod connection;

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

pub use args::Args;

use super::{CONTROL_PREFIX as PREFIX, Delivery, HttpRequest, HttpResponse, Service};

/// The program: parses its command line, serves until SIGINT or SIGTERM, and ends with 0; a wrong flag is one
/// line and 2.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            say(&error.to_string());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let text = error.to_string();
            let line = text
                .lines()
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            return failed(line, 2);
        }
    };
    let prepared = match args.prepare() {
        Ok(prepared) => prepared,
        Err(line) => return failed(&line, 2),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string(), 1),
    };
    let code = match runtime.block_on(run(prepared)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => failed(&line, 1),
    };
    // Connections that hang on purpose are not waited for.
    runtime.shutdown_background();
    code
}

fn failed(line: &str, code: u8) -> ExitCode {
    // Nothing can be done about a closed standard error.
    let _ = writeln!(std::io::stderr(), "dws-simulator: {line}");
    ExitCode::from(code)
}

/// One text to standard output; a reader that has gone away ends nothing.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", text.trim_end());
    let _ = out.flush();
}

async fn run(prepared: args::Prepared) -> Result<(), String> {
    let listener = TcpListener::bind(prepared.listen)
        .await
        .map_err(|error| format!("--listen {}: {error}", prepared.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let banner = prepared.banner(address);
    let mut service = Service::new(prepared.settings, Timestamp::now());
    service.set_oddities(prepared.oddities);
    say(&banner);
    let shell = Shell::new(service, prepared.hang);
    let shared = Arc::clone(&shell.shared);
    // The line that a script waits for: connections are queued from here on.
    say(&format!("dws-simulator ready on http://{address}"));
    tokio::select! {
        () = shell.serve(listener) => {}
        () = narrate(&shared) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let service = shared.service.lock();
    say(&format!(
        "dws-simulator ends: {} requests, {} effects",
        service.request_count(),
        service.ledger().len()
    ));
    Ok(())
}

struct Shared {
    service: Mutex<Service>,
    changed: Notify,
    hang: Duration,
}

/// A service on a port.
pub struct Shell {
    shared: Arc<Shared>,
}

impl Shell {
    /// `hang`: after how long a connection that gets no answer is closed all the same.
    pub fn new(service: Service, hang: Duration) -> Self {
        let shared = Shared {
            service: Mutex::new(service),
            changed: Notify::new(),
            hang,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Looks at the service, or changes it, between two requests.
    pub fn with<T>(&self, look: impl FnOnce(&mut Service) -> T) -> T {
        look(&mut self.shared.service.lock())
    }

    /// A second handle to the same service.
    #[must_use]
    pub fn share(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Serves until the future is dropped; open connections go on then.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(connection::serve(stream, Arc::clone(&self.shared)));
                }
                // Out of descriptors, say: they come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

impl Shared {
    /// One exchange at the time of the wall clock.
    fn handle(&self, request: &HttpRequest) -> Delivery {
        let now = Timestamp::now();
        let delivery = {
            let mut service = self.service.lock();
            if request.path.starts_with(PREFIX) {
                Delivery::Answer(service.control(now, request))
            } else {
                service.handle(now, request)
            }
        };
        self.changed.notify_one();
        delivery
    }
}

/// Writes the log: a line for each call, and one for each thing that happens by itself, when it does.
async fn narrate(shared: &Shared) {
    loop {
        let (notes, next) = {
            let mut service = shared.service.lock();
            service.advance(Timestamp::now());
            (service.drain_notes(), service.next_event())
        };
        if !notes.is_empty() {
            let lines: Vec<String> = notes
                .iter()
                .map(|note| format!("{} {}", note.at.strftime("%H:%M:%S%.3f"), note.text))
                .collect();
            say(&lines.join("\n"));
        }
        let wait = next.map_or(Duration::from_hours(1), |next| {
            let wait = next.duration_since(Timestamp::now());
            Duration::try_from(wait)
                .unwrap_or_default()
                .max(Duration::from_millis(1))
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.changed.notified() => {}
        }
    }
}

/// Only loopback, unless somebody says otherwise.
fn is_local(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}

/// An answer that is not the service's: the request was too large to be looked at.
fn too_large() -> Delivery {
    Delivery::Answer(HttpResponse::empty(413))
}
