//! The figures that a suite reports (counts, times): printed at once as `figure: <suite>: <text>`
//! and kept in `target/figures/<suite>`, which `make test` empties first and prints at its end.
//!
//! It depends on nothing, so that unit tests of the library can bring it in by path.

use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;
use std::path::Path;

/// Reports one figure of a suite. A figure that cannot be kept fails no test.
pub fn figure(suite: &str, text: &str) {
    println!("figure: {suite}: {text}");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/figures");
    let file: String = suite
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let kept = create_dir_all(&directory)
        .and_then(|()| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(directory.join(file))
        })
        // One write, so that tests that run side by side do not mix their lines.
        .and_then(|mut file| file.write_all(format!("{suite}: {text}\n").as_bytes()));
    if let Err(error) = kept {
        eprintln!("figure of {suite} not kept: {error}");
    }
}
