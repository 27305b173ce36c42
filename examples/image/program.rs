//! The programs that have an image: what each is, in its labels, and where it listens.

use jiff::Timestamp;

use super::archive::About;

/// One program.
pub struct Program {
    pub name: &'static str,
    pub description: &'static str,
    pub port: u16,
}

/// Both of them.
pub const PROGRAMS: [Program; 2] = [
    Program {
        name: "dws-operator",
        description: env!("CARGO_PKG_DESCRIPTION"),
        port: 8080,
    },
    Program {
        name: "dws-simulator",
        description: "The APIs of GaussDB(DWS) and IAM, to try dws-operator without an account",
        port: 18080,
    },
];

impl Program {
    /// What its image says of itself; `created` is the time of the commit, not of the build.
    pub fn about<'a>(
        &'a self,
        reference: &'a str,
        revision: &'a str,
        created: Timestamp,
        architecture: &'a str,
    ) -> About<'a> {
        About {
            program: self.name,
            description: self.description,
            port: self.port,
            reference,
            version: env!("CARGO_PKG_VERSION"),
            revision,
            source: env!("CARGO_PKG_REPOSITORY"),
            licenses: env!("CARGO_PKG_LICENSE"),
            created,
            architecture,
        }
    }
}
