//! Places that only the server's own user may read: the database holds password hashes and the key that signs playback
//! tokens.

use std::{fs, io, path::Path};

/// Makes a directory, and those above it, for this user alone. One that is there already stays as it is.
pub fn directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes an empty file for this user alone, unless it is there already. SQLite takes one for a new database, and gives its
/// log the same permissions.
pub fn file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn others_may_not_read() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("a/b");
        directory(&place).unwrap();
        directory(&place).unwrap();
        let database = place.join("kinora.db");
        file(&database).unwrap();
        fs::write(&database, "kept").unwrap();
        file(&database).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&home.path().join("a")), mode(&place), mode(&database)], [0o700, 0o700, 0o600]);
        assert_eq!(fs::read_to_string(&database).unwrap(), "kept");
    }
}
