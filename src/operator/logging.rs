//! The log: text or JSON on standard error, levels by `RUST_LOG`.
//!
//! Some libraries print what they could not decode, whole answers of the API server among it, and those
//! can be Secrets. Their targets are held down here whatever `RUST_LOG` says.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::config::LogFormat;
use super::config_error::{ConfigError, quoted};

/// Levels where `RUST_LOG` is not set: ours at info, the libraries' only when something is wrong.
pub const DEFAULT_LEVELS: &str = "info,kube=warn,kube_client=warn,kube_runtime=warn,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,tokio_rustls=warn,h2=warn,tower=warn,axum=warn,rustls_platform_verifier=warn";

/// The levels that `RUST_LOG` (if set) asks for.
pub fn levels(rust_log: Option<&str>) -> Result<EnvFilter, ConfigError> {
    let asked = rust_log.map(str::trim).filter(|text| !text.is_empty());
    let text = match asked {
        None => DEFAULT_LEVELS.to_owned(),
        // A bare level is about us: without this, `debug` would drown it in the libraries' words.
        Some(text) if text.parse::<LevelFilter>().is_ok() => {
            DEFAULT_LEVELS.replacen("info", &text.to_lowercase(), 1)
        }
        Some(text) => text.to_owned(),
    };
    let refused = || {
        ConfigError::invalid(
            "RUST_LOG",
            format!(
                "{} is not a list of levels",
                quoted(rust_log.unwrap_or_default())
            ),
            "write a level (error, warn, info, debug, trace) or levels by module, such as info,dws_operator=debug",
        )
    };
    // A word alone that is no level would be taken for a module, and nothing else be written.
    let names_a_level =
        |part: &str| part.contains(['=', '[']) || part.trim().parse::<LevelFilter>().is_ok();
    if !text.split(',').any(names_a_level) {
        return Err(refused());
    }
    EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(text)
        .map_err(|_| refused())
}

/// Whether an event of a library may be written at all.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    allowed(metadata.target(), *metadata.level())
}

fn allowed(target: &str, level: Level) -> bool {
    let root = target.split("::").next().unwrap_or_default();
    match root {
        // kube-client 5.0 `client/mod.rs` writes whole answers that it cannot decode, at level warn.
        "kube_client" if target == "kube_client::client" => false,
        // Header blocks and frames at level trace.
        "h2" | "hyper" | "hyper_util" | "reqwest" | "rustls" | "tokio_rustls" | "kube_client"
        | "tower_http" => level <= Level::DEBUG,
        _ => true,
    }
}

/// Starts logging; called once.
pub fn start(format: LogFormat, levels: EnvFilter) {
    let filter = levels.and(filter_fn(is_discreet));
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    // An embedding program (a test) may have its own.
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_is_about_us() {
        let text = levels(Some("debug")).unwrap().to_string();
        assert!(text.contains("kube_client=warn"), "{text}");
        assert!(text.split(',').any(|part| part == "debug"), "{text}");
    }

    #[test]
    fn unset_and_empty_are_the_default() {
        let text = levels(None).unwrap().to_string();
        assert_eq!(levels(Some(" ")).unwrap().to_string(), text);
        assert!(text.split(',').any(|part| part == "info"), "{text}");
    }

    #[test]
    fn a_list_of_levels_is_taken_as_written() {
        let text = levels(Some("warn,dws_operator=trace")).unwrap().to_string();
        assert!(text.contains("dws_operator=trace"), "{text}");
        assert!(!text.contains("kube"), "{text}");
    }

    #[test]
    fn nonsense_names_the_variable() {
        for text in ["dws_operator=loud", "a=b=c", "verbose", "dws_operator,kube"] {
            let error = levels(Some(text)).unwrap_err();
            assert_eq!(error.setting(), "RUST_LOG");
        }
    }

    #[test]
    fn whole_answers_of_the_api_server_are_never_written() {
        assert!(!allowed("kube_client::client", Level::WARN));
        assert!(!allowed("kube_client::client", Level::TRACE));
        assert!(!allowed("hyper::proto::h1::io", Level::TRACE));
        assert!(allowed("kube_client::client::builder", Level::ERROR));
        assert!(allowed("dws_operator::controller", Level::TRACE));
    }
}
