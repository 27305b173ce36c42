//! Writes the generated files: the CRDs, also into the chart, their reference pages, the table of the
//! chart's values. `--check` writes nothing and fails where a file differs from what would be written.

mod files;
mod reference;
mod values;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => {
            eprintln!("unknown argument {other}: write --check or nothing");
            return ExitCode::from(2);
        }
    };
    match run(check) {
        Ok(differing) if check && differing > 0 => {
            eprintln!("{differing} files differ from the types: run make generate");
            ExitCode::FAILURE
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The number of files that differed.
fn run(check: bool) -> Result<usize, Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut differing = 0;
    for (name, content) in files::all()? {
        let path = root.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == content) {
            println!("{name}: as it was");
            continue;
        }
        differing += 1;
        if check {
            println!("{name}: differs");
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, content)?;
        println!("{name}: written");
    }
    Ok(differing)
}
