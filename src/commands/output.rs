//! Where commands put what they have to say: standard output, standard error, files.

use std::io::{self, Write};
use std::path::Path;

use super::{Ending, Stop, file};

/// Prints `text` as it is. A reader that has seen enough (`| head`) is no failure.
pub(super) fn print(text: &str) -> Ending {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Stop::failed(error)),
        _ => Ok(()),
    }
}

/// Says what is wrong on standard error.
pub(super) fn complain(message: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(io::stderr().lock(), "knowbe4-exporter: {}", message.trim_end());
}

/// Says on standard output what a command has done, or on standard error when standard output is what it wrote.
pub(super) fn report(written_to: &Path, text: &str) -> Ending {
    if !file::is_stdout(written_to) {
        return print(text);
    }
    // Nobody is left to tell if standard error is closed.
    let _ = io::stderr().lock().write_all(text.as_bytes());
    Ok(())
}

/// Writes a file, or what else is there ([`mod@file`]).
pub(super) fn replace(path: &Path, contents: &[u8], executable: bool) -> Ending {
    replace_with(path, executable, |out| out.write_all(contents))
}

/// The same, written piece by piece.
pub(super) fn replace_with(
    path: &Path,
    executable: bool,
    write: impl FnOnce(&mut file::Out) -> io::Result<()>,
) -> Ending {
    file::put(path, executable, write).map_err(|error| Stop::said(format!("{}: {error}", path.display())))
}

/// Columns side by side, each as wide as its widest cell; the first row is the heading.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
