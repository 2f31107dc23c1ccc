//! The append log of beats: numbered segment files in one directory. What was committed survives the process and the machine.
//!
//! One writer appends records and commits many of them with one `fdatasync`. A tail that a death left torn is cut off when the
//! log is opened; nothing in it was acknowledged. A failed write leaves the file as it was before.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::record::{FRAME_BYTES, Record, framed};

/// First bytes of each segment; the last is the format's version.
const MAGIC: &[u8; 8] = b"KBEATS\n1";
const SUFFIX: &str = ".beats";

/// A place between two records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub segment: u64,
    /// Bytes from the segment's beginning.
    pub byte: u64,
}

/// A segment file.
#[derive(Debug, Clone)]
pub struct Segment {
    pub number: u64,
    pub path: PathBuf,
    pub bytes: u64,
    /// When it was last written to.
    pub modified: SystemTime,
}

/// The end of the log that is written to.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    /// `None` after a failure that leaves unclear what the file holds: the next commit begins another.
    file: Option<File>,
    end: Position,
    pending: Vec<u8>,
    segment_bytes: u64,
}

impl Log {
    /// Opens the log in `dir`, which exists, and cuts off what is torn.
    pub fn open(dir: &Path, segment_bytes: u64) -> io::Result<Self> {
        let mut log = Self {
            dir: dir.to_owned(),
            file: None,
            end: Position::default(),
            pending: Vec::new(),
            segment_bytes,
        };
        let Some(last) = segments(dir)?.pop() else { return Ok(log) };
        log.end = Position { segment: last.number, byte: 0 };
        let bytes = fs::read(&last.path)?;
        let whole = whole(&bytes);
        if whole < bytes.len() as u64 {
            let torn = bytes.len() as u64 - whole;
            tracing::warn!(segment = %last.path.display(), torn, "the log of beats ended in the middle of a record, cut off");
        }
        // One whose header is torn has nothing in it: its number is not used again.
        if whole >= MAGIC.len() as u64 {
            let mut file = OpenOptions::new().write(true).open(&last.path)?;
            file.set_len(whole)?;
            file.sync_all()?;
            file.seek(SeekFrom::End(0))?;
            log.file = Some(file);
            log.end.byte = whole;
        }
        Ok(log)
    }

    /// Takes a record for the next commit.
    pub fn append(&mut self, record: &Record) {
        record.write(&mut self.pending);
    }

    /// Where the next record begins, as far as committed.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Writes what was appended since the last time and waits until it is on the disk. After an error nothing of it is in the log.
    pub fn commit(&mut self) -> io::Result<Position> {
        let pending = std::mem::take(&mut self.pending);
        let written = self.write(&pending);
        // The buffer is used again, unless one great commit has blown it up.
        self.pending = pending;
        self.pending.clear();
        self.pending.shrink_to(1 << 20);
        written.map(|()| self.end)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.file.is_none() || self.end.byte >= self.segment_bytes {
            self.begin()?;
        }
        let Some(mut file) = self.file.take() else { return Err(io::Error::other("no segment is open")) };
        let written = file.write_all(bytes);
        let is_written = written.is_ok();
        if let Err(error) = written.and_then(|()| file.sync_data()) {
            // Nothing behind the last commit may be found by readers. A file that failed to sync is not written to again: it is
            // not known what the disk holds of it.
            match self.cut_back(&mut file) {
                Ok(()) if !is_written => self.file = Some(file),
                Ok(()) => {}
                Err(cut) => {
                    tracing::error!(%cut, "the log of beats could not be cut back after a failed write")
                }
            }
            return Err(error);
        }
        self.file = Some(file);
        self.end.byte += bytes.len() as u64;
        Ok(())
    }

    fn cut_back(&self, file: &mut File) -> io::Result<()> {
        file.set_len(self.end.byte)?;
        file.sync_all()?;
        file.seek(SeekFrom::Start(self.end.byte)).map(|_| ())
    }

    /// Begins the next segment.
    fn begin(&mut self) -> io::Result<()> {
        self.file = None;
        let number = self.end.segment + 1;
        let path = path(&self.dir, number);
        match create(&self.dir, &path) {
            Ok(file) => self.file = Some(file),
            Err(error) => {
                // On a full disk this comes again and again.
                let _ = fs::remove_file(&path);
                return Err(error);
            }
        }
        self.end = Position { segment: number, byte: MAGIC.len() as u64 };
        Ok(())
    }
}

fn create(dir: &Path, path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(MAGIC)?;
    file.sync_all()?;
    File::open(dir)?.sync_all()?;
    Ok(file)
}

/// The segments in `dir`, oldest first.
pub fn segments(dir: &Path) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let number =
            name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(|digits| digits.parse().ok());
        if let Some(number) = number {
            let about = entry.metadata()?;
            let modified = about.modified()?;
            found.push(Segment { number, path: entry.path(), bytes: about.len(), modified });
        }
    }
    found.sort_by_key(|segment| segment.number);
    Ok(found)
}

/// Gives each record of a segment with the place behind it.
pub fn read(segment: &Segment, mut each: impl FnMut(Position, Record)) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(usize::try_from(segment.bytes).unwrap_or_default());
    File::open(&segment.path)?.read_to_end(&mut bytes)?;
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else { return Ok(()) };
    while let Some(payload) = framed(rest) {
        rest = &rest[FRAME_BYTES + payload.len()..];
        let behind = Position { segment: segment.number, byte: (bytes.len() - rest.len()) as u64 };
        match Record::read(payload) {
            Some(record) => each(behind, record),
            None => tracing::warn!(?behind, "a record of beats of another version is passed over"),
        }
    }
    Ok(())
}

/// Removes segments that are wholly before `done` and either older than `keep` or beyond `keep_bytes` together, oldest first.
/// Gives how many bytes of segments remain.
pub fn tidy(dir: &Path, done: Position, keep: Duration, keep_bytes: u64, now: SystemTime) -> io::Result<u64> {
    let found = segments(dir)?;
    let mut left: u64 = found.iter().map(|segment| segment.bytes).sum();
    for segment in found {
        let old = now.duration_since(segment.modified).is_ok_and(|age| age > keep);
        if segment.number < done.segment && (old || left > keep_bytes) {
            fs::remove_file(&segment.path)?;
            left -= segment.bytes;
        }
    }
    Ok(left)
}

/// How many bytes of a segment are whole.
fn whole(bytes: &[u8]) -> u64 {
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else { return 0 };
    while let Some(payload) = framed(rest) {
        rest = &rest[FRAME_BYTES + payload.len()..];
    }
    (bytes.len() - rest.len()) as u64
}

fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:012}{SUFFIX}"))
}

#[cfg(test)]
mod tests {
    use domain::{Micros, PresentationId};
    use uuid::Uuid;

    use super::*;
    use crate::beat::{Beat, What};

    fn record(seq: u32) -> Record {
        let beats = vec![Beat { seq, age_ms: 0, edge: "edge".into(), what: What::End }];
        Record { received: Micros(1), session: Uuid::nil(), presentation: PresentationId(Uuid::nil()), beats }
    }

    fn found(dir: &Path) -> Vec<u32> {
        let mut seen = Vec::new();
        for segment in segments(dir).unwrap() {
            read(&segment, |_, record| seen.push(record.beats[0].seq)).unwrap();
        }
        seen
    }

    #[test]
    fn what_was_committed_is_found_again_in_order_and_over_segments() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), 200).unwrap();
        for seq in 0..20 {
            log.append(&record(seq));
            if seq % 2 == 1 {
                log.commit().unwrap();
            }
        }
        log.append(&record(99));
        drop(log);
        assert_eq!(found(dir.path()), (0..20).collect::<Vec<_>>());
        assert!(segments(dir.path()).unwrap().len() > 3);
        let mut log = Log::open(dir.path(), 200).unwrap();
        log.append(&record(20));
        log.commit().unwrap();
        assert_eq!(found(dir.path()).last(), Some(&20));
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_cut_and_written_on() {
        let whole = tempfile::tempdir().unwrap();
        let mut log = Log::open(whole.path(), 1 << 20).unwrap();
        let mut ends = vec![];
        for seq in 0..4 {
            log.append(&record(seq));
            ends.push(log.commit().unwrap().byte);
        }
        let bytes = fs::read(path(whole.path(), 1)).unwrap();
        let mut altered = bytes.clone();
        *altered.last_mut().unwrap() ^= 1;
        let mut zeroes = bytes.clone();
        zeroes.extend([0; 100]);
        let mut cases: Vec<(Vec<u8>, usize)> = (0..=bytes.len())
            .map(|cut| (bytes[..cut].to_vec(), ends.iter().filter(|end| **end <= cut as u64).count()))
            .collect();
        cases.extend([(altered, 3), (zeroes, 4)]);
        for (bytes, left) in cases {
            let dir = tempfile::tempdir().unwrap();
            fs::write(path(dir.path(), 1), &bytes).unwrap();
            let mut log = Log::open(dir.path(), 1 << 20).unwrap();
            assert_eq!(found(dir.path()), (0..left as u32).collect::<Vec<_>>(), "{} bytes", bytes.len());
            log.append(&record(77));
            log.commit().unwrap();
            drop(log);
            let mut wanted: Vec<u32> = (0..left as u32).collect();
            wanted.push(77);
            assert_eq!(found(dir.path()), wanted, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind_and_the_log_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), 1 << 20).unwrap();
        log.append(&record(0));
        log.commit().unwrap();
        // A full disk, as far as a process can make one: a file that takes no byte.
        log.file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
        log.append(&record(1));
        assert!(log.commit().is_err());
        log.append(&record(2));
        log.commit().unwrap();
        assert_eq!(found(dir.path()), [0, 2]);
    }

    #[test]
    fn only_what_is_rolled_up_and_old_or_too_much_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), 1).unwrap();
        for seq in 0..5 {
            log.append(&record(seq));
            log.commit().unwrap();
        }
        let day = Duration::from_secs(86_400);
        let now = SystemTime::now();
        let done = Position { segment: 3, byte: 0 };
        tidy(dir.path(), done, day, u64::MAX, now).unwrap();
        assert_eq!(found(dir.path()), [0, 1, 2, 3, 4]);
        tidy(dir.path(), done, day, u64::MAX, now + 2 * day).unwrap();
        assert_eq!(found(dir.path()), [2, 3, 4]);
        tidy(dir.path(), Position { segment: 9, byte: 0 }, day, 100, now).unwrap();
        assert_eq!(found(dir.path()), [4]);
    }
}
