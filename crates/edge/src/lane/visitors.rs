//! How many connections an address has.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use api::address::address_key;

/// Counts connections, all of them and those of each address. Cheap to clone.
#[derive(Clone)]
pub struct Visitors(Arc<Inner>);

struct Inner {
    /// 0: no limit.
    most: u32,
    counts: Mutex<HashMap<String, u32>>,
    present: AtomicU64,
}

/// A connection that counts until this is dropped.
pub struct Visit(Visitors, Option<String>);

impl Visitors {
    pub fn new(most: u32) -> Self {
        Self(Arc::new(Inner { most, counts: Mutex::default(), present: AtomicU64::new(0) }))
    }

    /// `None` when the address has as many as it may.
    pub fn admit(&self, address: IpAddr) -> Option<Visit> {
        if self.0.most == 0 {
            return Some(Visit::new(self, None));
        }
        let key = address_key(address);
        let mut counts = self.counts();
        let count = counts.entry(key.clone()).or_default();
        if *count >= self.0.most {
            metrics::counter!("kinora_edge_cut_off_total", "why" => "connections").increment(1);
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Visit::new(self, Some(key)))
    }

    /// Open connections.
    pub fn present(&self) -> u64 {
        self.0.present.load(Ordering::Relaxed)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    fn new(visitors: &Visitors, key: Option<String>) -> Self {
        visitors.0.present.fetch_add(1, Ordering::Relaxed);
        Self(visitors.clone(), key)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.0.present.fetch_sub(1, Ordering::Relaxed);
        let Some(key) = self.1.take() else { return };
        let mut counts = self.0.counts();
        if let Some(count) = counts.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_and_no_more() {
        let visitors = Visitors::new(2);
        let (one, two) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = visitors.admit(one).unwrap();
        let _second = visitors.admit(one).unwrap();
        assert!(visitors.admit(one).is_none() && visitors.admit(two).is_some());
        assert_eq!(visitors.present(), 2);
        drop(first);
        assert!(visitors.admit(one).is_some());
        assert_eq!(visitors.counts().len(), 1);
    }
}
