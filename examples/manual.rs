//! Writes man pages and shell completions, made of the same grammar as `--help`:
//!
//! ```sh
//! cargo run --example manual DIR
//! ```

use std::path::PathBuf;
use std::{env, fs, io};

use clap_complete::Shell;
use knowbe4_exporter::cli;

fn main() -> io::Result<()> {
    let folder = env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other("usage: manual DIR"))?;
    let (pages, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&pages)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(cli::grammar(), &pages)?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut cli::grammar(), "knowbe4-exporter", &completions)?;
    }
    Ok(())
}
