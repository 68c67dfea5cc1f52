//! Files that commands write: what is there is respected.
//!
//! A symbolic link is followed. What is no regular file (a pipe, a device) is written to as it is. A regular file is
//! replaced whole, so that its readers see the old or the new one, and keeps owner, group and mode. `-` is standard
//! output.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// What is written to.
pub(super) type Out = BufWriter<Box<dyn Write>>;

/// The most links that are followed, as Linux has it.
const MOST_LINKS: usize = 40;

/// Whether the path means standard output.
pub(super) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Writes what `write` writes to `path`; a new file may be `executable`.
pub(super) fn put(
    path: &Path,
    executable: bool,
    write: impl FnOnce(&mut Out) -> io::Result<()>,
) -> io::Result<()> {
    if is_stdout(path) {
        return match filled(Box::new(io::stdout()), write) {
            // A reader that has seen enough (`| head`) is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        };
    }
    let path = followed(path)?;
    match fs::metadata(&path) {
        Ok(there) if there.is_file() => replace(&path, Some(&there), executable, write),
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => filled(Box::new(OpenOptions::new().write(true).open(&path)?), write),
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(&path, None, executable, write),
        Err(error) => Err(error),
    }
}

fn filled(to: Box<dyn Write>, write: impl FnOnce(&mut Out) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(to);
    write(&mut out)?;
    out.flush()
}

/// Where a link leads, also when nothing is there yet.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or_else(|| Path::new("")).join(target),
            // No link, or nothing at all.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// By a file beside it that takes its place.
fn replace(
    path: &Path,
    there: Option<&Metadata>,
    executable: bool,
    write: impl FnOnce(&mut Out) -> io::Result<()>,
) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    // node_exporter's textfile collector reads what ends in .prom.
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    // Left behind by a run that was killed. A new file follows no link that somebody laid there.
    let _ = fs::remove_file(&temporary);
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let kept = match there {
        Some(there) => keep(&file, there),
        None if executable => file.set_permissions(Permissions::from_mode(0o755)),
        None => Ok(()),
    };
    if kept.is_err() {
        // The owner can't be kept by a new file: only the old one has it.
        fs::remove_file(&temporary)?;
        return filled(
            Box::new(OpenOptions::new().write(true).truncate(true).open(path)?),
            write,
        );
    }
    let done = filled(Box::new(file.try_clone()?), write)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    done
}

/// Gives the new file owner, group and mode of the old one.
fn keep(file: &File, there: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (there.uid(), there.gid()) {
        fchown(file, Some(there.uid()), Some(there.gid()))?;
    }
    // After the owner, whose change takes some bits away.
    file.set_permissions(Permissions::from_mode(there.mode() & 0o7777))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::process::Command;

    use super::*;

    fn write(path: &Path, text: &str) -> io::Result<()> {
        put(path, false, |out| out.write_all(text.as_bytes()))
    }

    #[test]
    fn links_are_followed_and_owner_and_mode_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("real/file"), folder.path().join("link"));
        fs::create_dir(folder.path().join("real")).expect("made");
        symlink("real/file", &link).expect("linked");
        write(&link, "first").expect("written");
        assert_eq!(
            fs::read_to_string(&file).expect("read"),
            "first",
            "a link that leads nowhere yet"
        );

        fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("set");
        // Only root can give files away.
        let root = fs::metadata(&file).expect("there").uid() == 0;
        if root {
            std::os::unix::fs::chown(&file, Some(1234), Some(4321)).expect("given");
        }
        write(&link, "second").expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        let there = fs::metadata(&file).expect("there");
        assert_eq!(there.mode() & 0o7777, 0o640);
        assert!(!root || (there.uid(), there.gid()) == (1234, 4321));
        assert_eq!(fs::read_to_string(&file).expect("read"), "second");
        assert_eq!(
            fs::read_dir(folder.path().join("real"))
                .expect("a folder")
                .count(),
            1,
            "nothing is left beside it"
        );

        symlink("loop", folder.path().join("loop")).expect("linked");
        assert!(write(&folder.path().join("loop"), "x").is_err());
        assert!(write(folder.path(), "x").is_err());
    }

    #[test]
    fn a_failed_writing_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        write(&file, "old").expect("written");
        let failed = put(&file, false, |out| {
            out.write_all(b"new")?;
            Err(io::Error::other("no"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&file).expect("read"), "old");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn pipes_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .expect("mkfifo")
                .success()
        );
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe)
        });
        write(&pipe, "through").expect("written");
        assert_eq!(reader.join().expect("joined").expect("read"), "through");
        assert!(fs::metadata(&pipe).expect("there").file_type().is_fifo());

        let null = folder.path().join("null");
        symlink("/dev/null", &null).expect("linked");
        for path in [Path::new("/dev/null"), &null] {
            write(path, "gone").expect("written");
            assert!(
                fs::metadata("/dev/null")
                    .expect("there")
                    .file_type()
                    .is_char_device()
            );
        }
        assert!(write(Path::new("/dev/full"), "x").is_err());
    }
}
