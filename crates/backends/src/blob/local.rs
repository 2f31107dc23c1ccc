//! Objects as files of a local directory. A write goes to a file under `.tmp`, is synced, renamed into place, and the
//! folder is synced; unfinished uploads lie under `.staging` on the same file system.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use domain::Micros;
use futures::{StreamExt, stream::BoxStream};
use tokio::io::AsyncReadExt;

use super::{Entry, Error, Meta, Result, out_of_range};

const TEMPORARY: &str = ".tmp";
const STAGING: &str = ".staging";
/// One read of a streamed object.
const PIECE: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Local {
    root: PathBuf,
}

impl Local {
    pub fn open(root: &Path) -> Result<Self> {
        let name = root.display().to_string();
        let make = || -> io::Result<PathBuf> {
            fs::create_dir_all(root.join(STAGING))?;
            // Left over from writes that a crash cut off. Another process of this machine may be writing right now:
            // keep what is young.
            sweep(&root.join(TEMPORARY))?;
            fs::create_dir_all(root.join(TEMPORARY))?;
            fs::canonicalize(root)
        };
        Ok(Self { root: make().map_err(|e| Error::other(name, e))? })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, object: &str) -> PathBuf {
        self.root.join(object)
    }

    /// Where an unfinished upload grows.
    pub fn staging_path(&self, id: &str) -> PathBuf {
        self.root.join(STAGING).join(id)
    }

    fn temporary(&self) -> PathBuf {
        self.root.join(TEMPORARY).join(uuid::Uuid::now_v7().to_string())
    }

    pub async fn put(&self, object: &str, bytes: Bytes) -> Result<()> {
        let this = self.clone();
        blocking(object, move |object| {
            this.write(|file| file.write_all(&bytes), |tmp| this.install(tmp, object))
        })
        .await
    }

    pub async fn put_new(&self, object: &str, bytes: Bytes) -> Result<()> {
        let this = self.clone();
        blocking(object, move |object| {
            let target = this.path(object);
            let link = |tmp: &Path| {
                this.place_in_folder(&target, || fs::hard_link(tmp, &target))?;
                fs::remove_file(tmp)
            };
            this.write(|file| file.write_all(&bytes), link)
        })
        .await
    }

    pub async fn put_file(&self, object: &str, path: &Path) -> Result<u64> {
        let (this, path) = (self.clone(), path.to_owned());
        blocking(object, move |object| {
            // A link could lead anywhere, and what it leads to could change later.
            let meta = fs::symlink_metadata(&path)?;
            if !meta.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
            }
            if meta.dev() == fs::metadata(&this.root)?.dev() {
                File::open(&path)?.sync_all()?;
                this.install(&path, object)?;
            } else {
                let tmp = this.temporary();
                let copied = fs::copy(&path, &tmp).and_then(|_| File::open(&tmp)?.sync_all());
                copied
                    .and_then(|()| this.install(&tmp, object))
                    .inspect_err(|_| drop(fs::remove_file(&tmp)))?;
            }
            Ok(meta.len())
        })
        .await
    }

    /// Stores the `size` bytes that `source` gives.
    pub async fn put_from(&self, object: &str, size: u64, mut source: Box<dyn Read + Send>) -> Result<()> {
        let this = self.clone();
        blocking(object, move |object| {
            let copy = |file: &mut File| match io::copy(&mut source, file)? {
                copied if copied == size => Ok(()),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
            this.write(copy, |tmp| this.install(tmp, object))
        })
        .await
    }

    /// Gives the file another name. A repeated attempt finds it.
    pub async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let (this, source) = (self.clone(), self.path(from));
        let link = move |to: &str| {
            let target = this.path(to);
            match this.place_in_folder(&target, || fs::hard_link(&source, &target)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        };
        blocking(to, link).await
    }

    pub async fn get(&self, object: &str) -> Result<Bytes> {
        let path = self.path(object);
        blocking(object, move |_| fs::read(path).map(Bytes::from)).await
    }

    /// May give less than asked for at the end of the object.
    pub async fn range(&self, object: &str, range: Range<u64>) -> Result<Bytes> {
        let path = self.path(object);
        blocking(object, move |_| {
            let file = File::open(path)?;
            let end = range.end.min(file.metadata()?.len());
            let mut bytes = vec![0; end.saturating_sub(range.start) as usize];
            file.read_exact_at(&mut bytes, range.start)?;
            Ok(Bytes::from(bytes))
        })
        .await
    }

    /// The same, and the beginning of the object with it: its first `head` bytes, fewer when it is shorter.
    pub async fn range_and_head(&self, object: &str, range: Range<u64>, head: u64) -> Result<(Bytes, Bytes)> {
        let path = self.path(object);
        blocking(object, move |_| {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            let read = |range: Range<u64>| {
                let mut bytes = vec![0; range.end.min(size).saturating_sub(range.start) as usize];
                file.read_exact_at(&mut bytes, range.start).map(|()| Bytes::from(bytes))
            };
            Ok((read(range)?, read(0..head)?))
        })
        .await
    }

    pub async fn stream(
        &self,
        object: &str,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let path = self.path(object);
        let (file, size) = blocking(object, move |_| {
            let file = File::open(path)?;
            let meta = file.metadata()?;
            if meta.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, meta.len())) }
        })
        .await?;
        let range = range.unwrap_or(0..size);
        if range.end > size || range.start > range.end {
            return Err(out_of_range(object, &range));
        }
        let mut file = file;
        file.seek(SeekFrom::Start(range.start)).map_err(|e| Error::io(object, &e))?;
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(PIECE);
        let object = object.to_owned();
        let pieces = tokio_util::io::ReaderStream::with_capacity(file.take(range.end - range.start), PIECE);
        Ok(pieces.map(move |piece| piece.map_err(|e| Error::io(&object, &e))).boxed())
    }

    pub async fn head(&self, object: &str) -> Result<Meta> {
        let path = self.path(object);
        blocking(object, move |_| {
            let meta = fs::metadata(path)?;
            if meta.is_file() { Ok(Meta { size: meta.len() }) } else { Err(io::ErrorKind::NotFound.into()) }
        })
        .await
    }

    pub async fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        let this = self.clone();
        blocking(folder, move |folder| {
            let mut found = Vec::new();
            walk(&this.path(folder), folder, &mut found)?;
            Ok(found)
        })
        .await
    }

    pub async fn delete(&self, object: &str) -> Result<()> {
        let path = self.path(object);
        blocking(object, move |_| gone_is_fine(fs::remove_file(path))).await
    }

    pub async fn delete_prefix(&self, folder: &str) -> Result<u64> {
        let this = self.clone();
        blocking(folder, move |folder| {
            let mut found = Vec::new();
            walk(&this.path(folder), folder, &mut found)?;
            // Moved away first, so that nobody meets a half-deleted folder.
            let tomb = this.temporary();
            if fs::rename(this.path(folder), &tomb).is_ok() {
                fs::remove_dir_all(&tomb)?;
            }
            Ok(found.len() as u64)
        })
        .await
    }

    fn write(
        &self,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
        install: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let tmp = self.temporary();
        let written = File::create_new(&tmp).and_then(|mut file| {
            fill(&mut file)?;
            file.sync_all()
        });
        written.and_then(|()| install(&tmp)).inspect_err(|_| drop(fs::remove_file(&tmp)))
    }

    /// Renames a synced file to its place as an object.
    pub fn install(&self, from: &Path, object: &str) -> io::Result<()> {
        let target = self.path(object);
        self.place_in_folder(&target, || fs::rename(from, &target))
    }

    /// Runs `place`, which makes `target`, in its folder, creating the folder when it is missing, and syncs the folder.
    fn place_in_folder(&self, target: &Path, place: impl Fn() -> io::Result<()>) -> io::Result<()> {
        let folder = target.parent().unwrap_or(&self.root);
        // The folder may be removed by `delete_prefix` between its creation and its use.
        for _ in 0..5 {
            match place() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.make_folder(folder)?,
                other => return other.and_then(|()| sync_folder(folder)),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        // The new names must survive a power cut, too.
        for above in folder.ancestors().skip(1).take_while(|above| above.starts_with(&self.root)) {
            gone_is_fine(sync_folder(above))?;
        }
        Ok(())
    }
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(super) fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Runs file work off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    object: &str,
    work: impl FnOnce(&str) -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let name = object.to_owned();
    tokio::task::spawn_blocking(move || work(&name).map_err(|e| Error::io(&name, &e)))
        .await
        .map_err(|e| Error::unavailable(object, e))?
}

fn walk(folder: &Path, name: &str, found: &mut Vec<Entry>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let file = entry.file_name();
        let Some(file) = file.to_str().filter(|file| !file.starts_with('.')) else { continue };
        let object = if name.is_empty() { file.to_owned() } else { format!("{name}/{file}") };
        // Deleted while we look: not there.
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() {
            walk(&entry.path(), &object, found)?;
        } else if meta.is_file() {
            let modified =
                meta.mtime().saturating_mul(Micros::SECOND).saturating_add(meta.mtime_nsec() / 1000);
            found.push(Entry { object, size: meta.len(), modified: Micros(modified) });
        }
    }
    Ok(())
}

/// Removes temporary files and folders that nobody has touched for an hour.
fn sweep(folder: &Path) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let Ok(meta) = entry.metadata() else { continue };
        let age = meta.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
        if age.as_secs() < 3600 {
            continue;
        }
        let path = entry.path();
        gone_is_fine(if meta.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) })?;
    }
    Ok(())
}

/// Reads the next `size` bytes, fewer at the end; used for sending files to a service.
pub(super) fn read_piece(source: &mut impl Read, size: usize) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(size);
    Read::by_ref(source).take(size as u64).read_to_end(&mut piece)?;
    Ok(piece)
}
