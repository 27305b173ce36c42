//! Writes the generated files: the CRDs, also into the chart, their reference pages, the tables of settings in
//! `docs/configuration.md` and of the chart's values, and the health script in Argo CD's configuration. That they are up to
//! date is tested by `tests/generated.rs` and by `make test`.

mod files;
mod reference;
mod values;

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, content) in files::all()? {
        let path = root.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == content) {
            println!("{name}: as it was");
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, content)?;
        println!("{name}: written");
    }
    Ok(())
}
