//! What is held: small bodies in memory, the others in files, each kind with its own bound. The page cache is the memory of
//! files.

mod disk;
pub mod policy;

use std::{
    collections::HashMap,
    fs::File,
    hash::{BuildHasher, RandomState},
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use domain::{Micros, edges::Fill};

use disk::Disk;
pub use disk::Draft;
use policy::Policy;

use crate::{
    freshness::Freshness,
    key::Key,
    object::{About, Filed, Head, Held, Object},
};

/// Readers of different keys seldom meet at one lock.
const SHARDS: usize = 16;
/// What an entry of the index takes besides its body and head, roughly.
const OVERHEAD: u64 = 1024;

/// Everything that is held.
pub struct Store {
    memory: Tier,
    files: Tier,
    disk: Disk,
    /// Mutable answers that were checked before this are to be asked for again.
    trusted_since: AtomicI64,
}

/// One kind of place with its bound.
struct Tier {
    shards: [RwLock<HashMap<Key, Arc<Object>>>; SHARDS],
    hasher: RandomState,
    /// Taken for every change, and before the shard.
    policy: Mutex<Policy<Key>>,
    evicted: AtomicU64,
}

impl Store {
    /// Opens the directory with what it still holds. Blocks.
    pub fn open(dir: &Path, memory_bytes: u64, disk_bytes: u64) -> io::Result<Self> {
        let store = Self {
            memory: Tier::new(memory_bytes),
            files: Tier::new(disk_bytes),
            disk: Disk::open(dir)?,
            trusted_since: AtomicI64::new(0),
        };
        for object in store.disk.load()? {
            store.take_in(object);
        }
        Ok(store)
    }

    /// Counts as a use.
    pub fn get(&self, key: &Key) -> Option<Arc<Object>> {
        let object = self.memory.get(key).or_else(|| self.files.get(key))?;
        object.uses.add();
        Some(object)
    }

    pub fn trusted_since(&self) -> Micros {
        Micros(self.trusted_since.load(Ordering::Relaxed))
    }

    /// See [`Edge::distrust`](crate::Edge::distrust).
    pub fn distrust(&self, now: Micros) {
        self.trusted_since.fetch_max(now.0, Ordering::Relaxed);
    }

    /// Blocks.
    pub fn draft(&self) -> io::Result<Draft> {
        self.disk.draft()
    }

    /// See [`Edge::give`](crate::Edge::give).
    pub fn give(&self) -> io::Result<()> {
        self.disk.give()
    }

    /// Blocks.
    pub fn take_back(&self) -> io::Result<()> {
        self.disk.take_back()
    }

    /// Are bodies kept in files?
    pub fn keeps_files(&self) -> bool {
        !self.disk.is_given()
    }

    /// Holds a body that was written to a draft. Blocks.
    pub fn keep_file(
        &self,
        draft: Draft,
        key: Key,
        head: Head,
        freshness: Freshness,
        now: Micros,
    ) -> io::Result<Arc<Object>> {
        Ok(self.take_in(self.disk.keep(draft, key, head, freshness, now)?))
    }

    /// Writes a small body down as well, so that it outlives a restart. Blocks.
    pub fn keep_small_file(&self, object: &Object, bytes: &[u8], now: Micros) -> io::Result<Arc<Object>> {
        let mut draft = self.disk.draft()?;
        draft.append(bytes)?;
        self.keep_file(draft, object.key.clone(), object.head.clone(), object.freshness, now)
    }

    pub fn keep_memory(&self, key: Key, head: Head, freshness: Freshness, body: Bytes) -> Arc<Object> {
        let length = body.len() as u64;
        self.take_in(Object::new(key, head, freshness, length, Held::Memory(body)))
    }

    /// Puts a file's small body into memory, for the next who ask.
    pub fn promote(&self, object: &Object, body: Bytes) {
        let (key, head) = (object.key.clone(), object.head.clone());
        self.take_in(Object::new(key, head, object.freshness, object.length, Held::Memory(body)));
    }

    fn take_in(&self, object: Object) -> Arc<Object> {
        let object = Arc::new(object);
        let (tier, size) = match &object.body {
            Held::Memory(bytes) => (&self.memory, bytes.len() as u64 + OVERHEAD),
            Held::File(filed) => (&self.files, filed.disk_bytes),
        };
        self.discard(tier.insert(object.clone(), size));
        object
    }

    /// Gives what is held a new head, wherever it is held.
    pub fn refresh(&self, key: &Key, head: &Head, freshness: Freshness) {
        for tier in [&self.memory, &self.files] {
            tier.replace(key, |old| old.with(old.head.refreshed(head), freshness));
        }
    }

    /// Removes what is about something; gives how many. Walks through everything.
    pub fn purge(&self, what: &About) -> u64 {
        let gone = [&self.memory, &self.files].map(|tier| tier.remove_all(|object| object.is_about(what)));
        let count = gone.iter().map(Vec::len).sum::<usize>() as u64;
        gone.into_iter().for_each(|gone| self.discard(gone));
        count
    }

    /// Removes a very object, if it is still held.
    pub fn forget(&self, object: &Arc<Object>) {
        for tier in [&self.memory, &self.files] {
            self.discard(tier.remove_same(object));
        }
    }

    pub fn opened(&self, filed: &Filed) -> Option<Arc<File>> {
        self.disk.opened(filed)
    }

    /// Blocks.
    pub fn reopen(&self, filed: &Filed, length: u64) -> io::Result<Arc<File>> {
        self.disk.reopen(filed, length)
    }

    /// Memory, files.
    pub fn fill(&self) -> [Fill; 2] {
        [self.memory.fill(), self.files.fill()]
    }

    fn discard(&self, gone: Vec<Arc<Object>>) {
        for object in gone {
            if let Held::File(filed) = &object.body {
                self.disk.remove(filed);
            }
        }
    }
}

impl Tier {
    fn new(capacity: u64) -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            policy: Mutex::new(Policy::new(capacity)),
            evicted: AtomicU64::new(0),
        }
    }

    fn shard(&self, key: &Key) -> &RwLock<HashMap<Key, Arc<Object>>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    fn policy(&self) -> MutexGuard<'_, Policy<Key>> {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &Key) -> Option<Arc<Object>> {
        self.shard(key).read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn put(&self, object: Arc<Object>) -> Option<Arc<Object>> {
        let mut shard = self.shard(&object.key).write().unwrap_or_else(PoisonError::into_inner);
        // The key of the map is replaced with the value: it is the object's own.
        shard.insert(object.key.clone(), object)
    }

    fn take(&self, key: &Key) -> Option<Arc<Object>> {
        self.shard(key).write().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    /// Gives what had to go, and what was replaced.
    fn insert(&self, object: Arc<Object>, size: u64) -> Vec<Arc<Object>> {
        let mut policy = self.policy();
        let keys = policy.insert(object.key.clone(), size, object.uses.clone());
        let replaced = self.put(object);
        let evicted: Vec<_> = keys.iter().filter_map(|key| self.take(key)).collect();
        self.evicted.fetch_add(evicted.len() as u64, Ordering::Relaxed);
        evicted.into_iter().chain(replaced).collect()
    }

    fn replace(&self, key: &Key, change: impl Fn(&Object) -> Object) {
        let _policy = self.policy();
        if let Some(old) = self.get(key) {
            self.put(Arc::new(change(&old)));
        }
    }

    fn remove_same(&self, object: &Arc<Object>) -> Vec<Arc<Object>> {
        let mut policy = self.policy();
        if !self.get(&object.key).is_some_and(|held| Arc::ptr_eq(&held, object)) {
            return Vec::new();
        }
        policy.remove(&object.key);
        self.take(&object.key).into_iter().collect()
    }

    fn remove_all(&self, chosen: impl Fn(&Object) -> bool) -> Vec<Arc<Object>> {
        let mut policy = self.policy();
        let mut gone = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            gone.extend(shard.extract_if(|_, object| chosen(object)).map(|(_, object)| object));
        }
        for object in &gone {
            policy.remove(&object.key);
        }
        gone
    }

    fn fill(&self) -> Fill {
        let policy = self.policy();
        let evicted = self.evicted.load(Ordering::Relaxed);
        Fill { objects: policy.len() as u64, bytes: policy.bytes(), room: policy.capacity(), evicted }
    }
}
