//! A local file in its stored form, encrypted while it is read.

use std::{
    fs::File,
    io::{self, Read},
};

use bytes::{Buf, BytesMut};

use super::{
    key::ObjectKey,
    layout::{self, BLOCK, HEADER},
};

pub(super) struct SealedFile {
    file: File,
    key: ObjectKey,
    object: String,
    /// The next block to read.
    block: u64,
    /// Stored bytes not yet taken.
    ready: BytesMut,
}

impl SealedFile {
    pub fn new(file: File, key: ObjectKey, object: &str) -> Self {
        let mut ready = BytesMut::with_capacity(BLOCK as usize + HEADER);
        ready.extend_from_slice(&key.header);
        Self { file, key, object: object.to_owned(), block: 0, ready }
    }
}

impl Read for SealedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() && self.block < layout::blocks(self.key.length) {
            let mut plain = vec![0; layout::held(self.block, self.key.length)];
            // A file that became shorter is an error here; one that grew is stored as it was.
            self.file.read_exact(&mut plain)?;
            let sealed = self.key.seal(&self.object, self.block, &plain, &mut self.ready);
            sealed.map_err(io::Error::other)?;
            self.block += 1;
        }
        let count = into.len().min(self.ready.len());
        self.ready.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}
