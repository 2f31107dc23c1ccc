//! Reads of files that never hold up a thread of the runtime: what is in the page cache is taken at once, the rest by a thread
//! that may wait.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags};

/// At most `length` bytes from `at` on; fewer at the end, or when the page cache holds fewer.
pub async fn read_at(file: &Arc<File>, at: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; length];
    match at_once(file, &mut buffer, at) {
        Some(read) => {
            buffer.truncate(read);
            Ok(buffer.into())
        }
        None => {
            let file = file.clone();
            let waiting = tokio::task::spawn_blocking(move || {
                let read = file.read_at(&mut buffer, at)?;
                buffer.truncate(read);
                Ok(buffer.into())
            });
            waiting.await.map_err(io::Error::other)?
        }
    }
}

/// Are the first and the last byte of this part in the page cache? Then most likely all are.
pub fn is_near(file: &File, at: u64, length: usize) -> bool {
    let last = at + (length as u64).saturating_sub(1);
    let mut byte = [0];
    at_once(file, &mut byte, at).is_some() && at_once(file, &mut byte, last).is_some()
}

/// Brings a part of a file into the page cache.
pub async fn bring_near(file: &Arc<File>, at: u64, length: usize) -> io::Result<()> {
    let file = file.clone();
    let waiting = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; length];
        file.read_at(&mut buffer, at).map(drop)
    });
    waiting.await.map_err(io::Error::other)?
}

/// `None` when it would have to wait, or the file system cannot tell.
fn at_once(file: &File, buffer: &mut [u8], at: u64) -> Option<usize> {
    loop {
        let mut slices = [io::IoSliceMut::new(buffer)];
        match rustix::io::preadv2(file, &mut slices, at, ReadWriteFlags::NOWAIT) {
            Ok(read) => return Some(read),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}
