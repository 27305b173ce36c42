//! What can be wrong with a setting, and the one line that says so.
//!
//! Every message names the setting and what to write instead. It never repeats the value of a secret,
//! nor an address that may hold one.

use super::cli::variable_of;
use crate::dws::http;

/// A wrong or contradictory setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that cannot be read or is out of its limits.
    #[error("{setting}: {problem}; {mend}")]
    Invalid {
        /// Flag with its variable, or variable.
        setting: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        mend: String,
    },
    /// A setting that the others need.
    #[error("{setting}: not set; {mend}")]
    Missing {
        /// Flag with its variable, or variable.
        setting: String,
        /// What to set, and why.
        mend: String,
    },
    /// Two settings that exclude each other.
    #[error("{setting}: contradicts {other}; {mend}")]
    Contradiction {
        /// The setting to change.
        setting: String,
        /// What it contradicts.
        other: String,
        /// The ways out.
        mend: String,
    },
}

impl ConfigError {
    /// The setting at fault, as the message names it.
    pub fn setting(&self) -> &str {
        match self {
            Self::Invalid { setting, .. }
            | Self::Missing { setting, .. }
            | Self::Contradiction { setting, .. } => setting,
        }
    }

    /// A wrong value.
    pub fn invalid(
        setting: impl Into<String>,
        problem: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            setting: setting.into(),
            problem: problem.into(),
            mend: mend.into(),
        }
    }

    /// A setting that is not there.
    pub fn missing(setting: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Missing {
            setting: setting.into(),
            mend: mend.into(),
        }
    }
}

/// A flag as messages name it: with its variable.
pub fn flag(name: &str) -> String {
    format!("--{name} ({})", variable_of(name))
}

/// A value in quotes, in one line and not too long.
pub fn quoted(value: &str) -> String {
    let mut shown = value.chars().take(60).collect::<String>();
    if shown.len() < value.len() {
        shown.push_str("...");
    }
    format!("'{}'", printable(&shown))
}

/// Text without characters that break a line or a terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_debug());
            let plain = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    printable(&http::chain(error))
}
