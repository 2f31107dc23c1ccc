//! Where a process keeps its log. Two processes on one data directory have a log each.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// Processes on one data directory that may receive beats.
const MOST: u32 = 64;

/// A log's directory, ours until this is dropped or the process ends.
#[derive(Debug)]
pub struct Home {
    pub dir: PathBuf,
    /// The log's name: made once, kept beside it.
    pub node: String,
    _lock: File,
}

/// The first directory below `dir` that nobody uses. After a restart that is the one from before.
pub fn claim(dir: &Path) -> io::Result<Home> {
    for number in 0..MOST {
        let dir = dir.join(number.to_string());
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(dir.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => return Ok(Home { node: name(&dir)?, dir, _lock: lock }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other(format!("{MOST} processes keep logs of beats below {} already", dir.display())))
}

fn name(dir: &Path) -> io::Result<String> {
    let path = dir.join("node");
    match fs::read_to_string(&path) {
        Ok(text) if Uuid::parse_str(text.trim()).is_ok() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // The rows in the database are found by it: it must be whole, and last.
    let (node, draft) = (Uuid::now_v7().to_string(), dir.join("node.new"));
    fs::write(&draft, &node)?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, &path)?;
    File::open(dir)?.sync_all()?;
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_a_log_and_finds_it_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = claim(dir.path()).unwrap();
        let second = claim(dir.path()).unwrap();
        assert_ne!((&first.dir, &first.node), (&second.dir, &second.node));
        let (place, node) = (first.dir.clone(), first.node.clone());
        drop(first);
        let again = claim(dir.path()).unwrap();
        assert_eq!((again.dir, again.node), (place, node));
    }
}
