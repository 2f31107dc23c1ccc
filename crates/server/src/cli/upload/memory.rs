//! Remembering where an upload lives, so that it goes on after Ctrl-C, a restart, or on another day: one small file for
//! each in the user's state directory (XDG Base Directory: `$XDG_STATE_HOME`, else `~/.local/state`).

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Which file goes where; an upload is only continued when all of it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    pub server: String,
    pub path: PathBuf,
    pub size: u64,
    /// Nanoseconds since the Unix epoch.
    pub modified: u128,
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub url: String,
    pub video: String,
}

#[derive(Serialize, Deserialize)]
struct Note {
    key: Key,
    upload: Upload,
}

/// The state directory of this program; `None` where there is no home.
pub fn directory() -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = from("XDG_STATE_HOME").or_else(|| from("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("kinora/uploads"))
}

fn file(directory: &Path, key: &Key) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    directory.join(format!("{:016x}.json", hasher.finish()))
}

/// The upload of exactly this file to exactly this server.
pub fn recall(directory: &Path, key: &Key) -> Option<Upload> {
    let note: Note = serde_json::from_slice(&fs::read(file(directory, key)).ok()?).ok()?;
    (note.key == *key).then_some(note.upload)
}

pub fn remember(directory: &Path, key: &Key, upload: &Upload) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let target = file(directory, key);
    let new = target.with_extension(format!("{}.new", std::process::id()));
    fs::write(&new, serde_json::to_vec(&Note { key: key.clone(), upload: upload.clone() })?)?;
    fs::rename(new, target)
}

pub fn forget(directory: &Path, key: &Key) {
    // One that stays is found out by the next command: the server does not know it any more.
    let _ = fs::remove_file(file(directory, key));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_file_is_continued() {
        let dir = tempfile::tempdir().unwrap();
        let key = Key { server: "http://a/".into(), path: "/film.mp4".into(), size: 9, modified: 7 };
        let upload = Upload { url: "http://a/api/v1/uploads/1".into(), video: "v".into() };
        assert_eq!(recall(dir.path(), &key), None);
        remember(dir.path(), &key, &upload).unwrap();
        assert_eq!(recall(dir.path(), &key), Some(upload));
        assert_eq!(recall(dir.path(), &Key { modified: 8, ..key.clone() }), None);
        assert_eq!(recall(dir.path(), &Key { server: "http://b/".into(), ..key.clone() }), None);
        forget(dir.path(), &key);
        assert_eq!(recall(dir.path(), &key), None);
    }
}
