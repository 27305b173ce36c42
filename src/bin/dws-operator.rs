//! The operator. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    dws_operator::operator::main()
}
