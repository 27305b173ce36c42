//! SIGTERM and SIGINT: the first asks to stop, the second ends the process at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Listens from now on; `stop` is cancelled by the first signal.
pub fn listen(stop: CancellationToken) -> io::Result<()> {
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(obey(terminate, interrupt, stop));
    Ok(())
}

async fn obey(mut terminate: Signal, mut interrupt: Signal, stop: CancellationToken) {
    let name = next(&mut terminate, &mut interrupt).await.0;
    info!(
        signal = name,
        "stopping: no new work; what is in flight ends and is stored (a second signal ends at once)"
    );
    stop.cancel();
    let (name, code) = next(&mut terminate, &mut interrupt).await;
    warn!(signal = name, "stopped at once by a second signal");
    std::process::exit(code);
}

/// The signal and the exit code that shells use for it.
async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> (&'static str, i32) {
    tokio::select! {
        _ = terminate.recv() => ("SIGTERM", 143),
        _ = interrupt.recv() => ("SIGINT", 130),
    }
}
