//! The DWS and IAM APIs on one port, for trying things without an account, and for tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    dws_operator::simulator::server::main()
}
