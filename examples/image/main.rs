//! Makes the images: `make image` calls it with programs that are built already.
//!
//! It runs no container engine and asks nothing of the network or the clock, so the same programs and the
//! same commit give the same bytes.

mod archive;
mod elf;
mod program;
mod root;
mod sbom;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

/// Makes the images of this project from programs that are built already.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the files of the image into a directory
    Root {
        /// The program, statically linked; its name is the image's
        #[arg(long)]
        binary: PathBuf,
        #[arg(long)]
        to: PathBuf,
    },
    /// Writes the image and its bill of materials, and prints its name, sizes and digest
    Archive(Archive),
}

#[derive(Args)]
struct Archive {
    /// The program, statically linked; its name is the image's
    #[arg(long)]
    binary: PathBuf,
    /// `repository:tag`
    #[arg(long)]
    reference: String,
    /// The commit
    #[arg(long)]
    revision: String,
    /// Its time, in seconds since 1970
    #[arg(long)]
    epoch: i64,
    /// What `cargo cyclonedx` says, as JSON
    #[arg(long)]
    cyclonedx: PathBuf,
    /// What `cargo tree` lists as linked
    #[arg(long)]
    crates: PathBuf,
    /// The version of the compiler
    #[arg(long)]
    rust: String,
    /// Name and version of the libc that is linked
    #[arg(long)]
    libc: String,
    /// The version of the crate with the certificate authorities
    #[arg(long)]
    authorities: String,
    /// `<to>/<program>.tar` and `<to>/<program>.cdx.json`
    #[arg(long)]
    to: PathBuf,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Root { binary, to } => write_root(&binary, &to),
        Command::Archive(args) => write_archive(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What the program is, its file and its processor.
fn read(binary: &Path) -> anyhow::Result<(&'static program::Program, Vec<u8>, &'static str)> {
    let name = binary.file_name().unwrap_or_default().to_string_lossy();
    let program = program::PROGRAMS
        .iter()
        .find(|program| program.name == name)
        .with_context(|| format!("{name} has no image"))?;
    let bytes = std::fs::read(binary).with_context(|| binary.display().to_string())?;
    let architecture = elf::architecture(&bytes)
        .map_err(|wrong| anyhow::anyhow!("{}: {wrong}", binary.display()))?;
    Ok((program, bytes, architecture))
}

fn write_root(binary: &Path, to: &Path) -> anyhow::Result<()> {
    let (program, bytes, _) = read(binary)?;
    root::write(&root::entries(program.name, bytes), to)
        .with_context(|| to.display().to_string())?;
    Ok(())
}

fn write_archive(args: &Archive) -> anyhow::Result<()> {
    let (program, bytes, architecture) = read(&args.binary)?;
    let created = Timestamp::from_second(args.epoch)?;
    let about = program.about(&args.reference, &args.revision, created, architecture);
    let image = archive::build(&about, &root::entries(program.name, bytes))?;
    image.fits().map_err(anyhow::Error::msg)?;
    let told =
        |path: &Path| std::fs::read_to_string(path).with_context(|| path.display().to_string());
    let toolchain = sbom::Toolchain {
        rust: args.rust.clone(),
        libc: args.libc.clone(),
        authorities: args.authorities.clone(),
    };
    let bill = sbom::complete(
        serde_json::from_str(&told(&args.cyclonedx)?)?,
        &told(&args.crates)?,
        &about,
        &image.digest,
        &toolchain,
    )
    .map_err(anyhow::Error::msg)?;

    std::fs::create_dir_all(&args.to)?;
    let file = |kind: &str| args.to.join(format!("{}.{kind}", program.name));
    std::fs::write(file("tar"), &image.archive)?;
    std::fs::write(file("cdx.json"), format!("{bill:#}\n"))?;
    println!(
        "{} ({architecture})\n  digest      {}\n  unpacked    {} bytes\n  compressed  {} bytes\n  \
         archive     {}\n  SBOM        {}, {} components",
        args.reference,
        image.digest,
        image.unpacked,
        image.compressed,
        file("tar").display(),
        file("cdx.json").display(),
        bill["components"].as_array().map_or(0, Vec::len),
    );
    Ok(())
}
