//! Files of bodies. A file is the body, then what is known of it as JSON, then how long that is. It gets its name when it is
//! complete, so that whatever else is found at start can go.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use backends::recent::Recent;
use domain::Micros;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    freshness::Freshness,
    key::Key,
    object::{Filed, Head, Held, Object},
};

/// The end of every complete file; other forms get other words.
const MAGIC: &[u8; 8] = b"KINOEDG1";
/// Largest description of a body.
const MAX_DESCRIPTION: u64 = 64 << 10;
/// What a file takes is counted in blocks of this size.
const BLOCK: u64 = 4096;
/// Files kept open.
const OPEN: usize = 256;
/// Bytes read at once when a file is checked.
const CHECK: usize = 1 << 20;

/// Most edges of one machine that share a directory: each has a part of its own.
const MAX_NEIGHBOURS: usize = 64;

/// A directory of bodies.
pub struct Disk {
    dir: PathBuf,
    /// The part is ours as long as this is held.
    lock: File,
    /// The part is somebody else's now: its files are read as long as they are there.
    given: AtomicBool,
    serial: AtomicU64,
    open: Recent<Box<str>, Arc<File>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    key: Key,
    status: u16,
    headers: Vec<(String, String)>,
    tags: Box<[Box<str>]>,
    freshness: Freshness,
    length: u64,
    crc: u32,
    written: Micros,
}

/// A body that is being written.
pub struct Draft {
    path: PathBuf,
    pub file: Arc<File>,
    length: u64,
    crc: crc32fast::Hasher,
    kept: bool,
}

impl Disk {
    /// Takes a part of the directory that no other running edge has, and removes what was not finished.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let (dir, lock) = claim(dir)?;
        let drafts = dir.join("drafts");
        match fs::remove_dir_all(&drafts) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&drafts)?,
        }
        for n in 0..=255u8 {
            fs::create_dir_all(dir.join(hex::encode([n])))?;
        }
        let disk = Self {
            dir,
            lock,
            given: AtomicBool::new(false),
            serial: AtomicU64::new(0),
            open: Recent::new(OPEN),
        };
        Ok(disk)
    }

    /// Leaves the part to the edge that comes next: from now on nothing in it is changed from here.
    pub fn give(&self) -> io::Result<()> {
        self.given.store(true, Ordering::SeqCst);
        self.lock.unlock()
    }

    /// Takes the part back, unless another edge has it. Blocks.
    pub fn take_back(&self) -> io::Result<()> {
        self.lock.try_lock()?;
        self.given.store(false, Ordering::SeqCst);
        Ok(())
    }

    pub fn is_given(&self) -> bool {
        self.given.load(Ordering::SeqCst)
    }

    /// Every whole body in the directory, oldest first. Removes what is none. Blocks.
    pub fn load(&self) -> io::Result<Vec<Object>> {
        let mut found = Vec::new();
        for n in 0..=255u8 {
            for entry in fs::read_dir(self.dir.join(hex::encode([n])))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                match describe(&entry.path()) {
                    Ok((description, size)) => found.push((name, description, size)),
                    Err(error) => {
                        tracing::warn!(name, %error, "a file of the cache is broken and goes");
                        remove(&entry.path());
                    }
                }
            }
        }
        found.sort_by_key(|(_, description, _)| description.written);
        let last =
            found.iter().filter_map(|(name, ..)| u64::from_str_radix(name.rsplit_once('-')?.1, 16).ok());
        self.serial.store(last.max().map_or(0, |last| last + 1), Ordering::Relaxed);
        let whole = found.into_iter().filter_map(|(name, description, size)| {
            let object = object(&name, description, size);
            if object.is_none() {
                remove(&self.path(&name));
            }
            object
        });
        Ok(whole.collect())
    }

    /// A file for a body that begins to arrive. Blocks.
    pub fn draft(&self) -> io::Result<Draft> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let of = if self.is_given() { format!("{}-", std::process::id()) } else { String::new() };
        let path = self.dir.join("drafts").join(format!("{of}{serial:x}"));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Draft { path, file: Arc::new(file), length: 0, crc: crc32fast::Hasher::new(), kept: false })
    }

    /// Gives the draft its name. Blocks.
    pub fn keep(
        &self,
        mut draft: Draft,
        key: Key,
        head: Head,
        freshness: Freshness,
        now: Micros,
    ) -> io::Result<Object> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::digest(key.text());
        let name = format!("{}-{serial:x}", hex::encode(&hash[..16]));
        let crc = draft.crc.clone().finalize();
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let description = Description {
            status: head.status.as_u16(),
            headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            tags: head.tags.clone(),
            key: key.clone(),
            freshness,
            length: draft.length,
            crc,
            written: now,
        };
        let mut end = serde_json::to_vec(&description)?;
        let size = end.len() as u64;
        if size > MAX_DESCRIPTION {
            return Err(io::Error::other("too much is told of a body"));
        }
        end.extend_from_slice(&size.to_be_bytes());
        end.extend_from_slice(MAGIC);
        draft.file.write_all_at(&end, draft.length)?;
        fs::rename(&draft.path, self.path(&name))?;
        draft.kept = true;
        let disk_bytes = blocks(draft.length + end.len() as u64);
        self.open.insert(name.as_str().into(), draft.file.clone());
        let filed = Filed { name: name.into(), disk_bytes, crc, doubtful: AtomicBool::new(false) };
        Ok(Object::new(key, head, freshness, draft.length, Held::File(Arc::new(filed))))
    }

    /// The file, if it is open.
    pub fn opened(&self, filed: &Filed) -> Option<Arc<File>> {
        if filed.is_doubtful() { None } else { self.open.get(&filed.name) }
    }

    /// Opens the file, and checks it when it is read for the first time since the start. Blocks.
    pub fn reopen(&self, filed: &Filed, length: u64) -> io::Result<Arc<File>> {
        if let Some(file) = self.opened(filed) {
            return Ok(file);
        }
        let file = File::open(self.path(&filed.name))?;
        if filed.is_doubtful() {
            if checksum(&file, length)? != filed.crc {
                return Err(io::Error::other("the file is not what was written"));
            }
            filed.doubtful.store(false, Ordering::Relaxed);
        }
        let file = Arc::new(file);
        self.open.insert(filed.name.clone(), file.clone());
        Ok(file)
    }

    /// Blocks, for as long as it takes to forget a file.
    pub fn remove(&self, filed: &Filed) {
        self.open.remove(&filed.name);
        if !self.is_given() {
            remove(&self.path(&filed.name));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name.get(..2).unwrap_or("00")).join(name)
    }
}

impl Draft {
    /// Blocks.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.crc.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            remove(&self.path);
        }
    }
}

fn claim(dir: &Path) -> io::Result<(PathBuf, File)> {
    for number in 0..MAX_NEIGHBOURS {
        let part = dir.join(number.to_string());
        fs::create_dir_all(&part)?;
        let lock = File::create(part.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => return Ok((part, lock)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other(format!("{MAX_NEIGHBOURS} edges already share {}", dir.display())))
}

fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK) * BLOCK
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a file of the cache could not be removed");
    }
}

/// What the end of a file says, and the file's size.
fn describe(path: &Path) -> io::Result<(Description, u64)> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let tail = (MAGIC.len() + 8) as u64;
    let mut end = [0; 16];
    file.seek(SeekFrom::Start(size.checked_sub(tail).ok_or_else(broken)?))?;
    file.read_exact(&mut end)?;
    let (told, magic) = end.split_at(8);
    let told = u64::from_be_bytes(told.try_into().map_err(|_| broken())?);
    if magic != MAGIC || told > MAX_DESCRIPTION {
        return Err(broken());
    }
    let length = size.checked_sub(tail + told).ok_or_else(broken)?;
    file.seek(SeekFrom::Start(length))?;
    let mut json = vec![0; usize::try_from(told).map_err(|_| broken())?];
    file.read_exact(&mut json)?;
    let description: Description = serde_json::from_slice(&json)?;
    if description.length == length { Ok((description, size)) } else { Err(broken()) }
}

fn object(name: &str, told: Description, size: u64) -> Option<Object> {
    let mut headers = HeaderMap::new();
    for (name, value) in told.headers {
        headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    let status = StatusCode::from_u16(told.status).ok()?;
    let head = Head { status, headers, length: Some(told.length), tags: told.tags };
    let doubtful = AtomicBool::new(true);
    let filed = Filed { name: name.into(), disk_bytes: blocks(size), crc: told.crc, doubtful };
    Some(Object::new(told.key, head, told.freshness, told.length, Held::File(Arc::new(filed))))
}

fn checksum(file: &File, length: u64) -> io::Result<u32> {
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; CHECK];
    let mut at = 0;
    while at < length {
        let most = usize::try_from(length - at).unwrap_or(CHECK).min(CHECK);
        let read = file.read_at(&mut buffer[..most], at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hasher.update(&buffer[..read]);
        at += read as u64;
    }
    Ok(hasher.finalize())
}
