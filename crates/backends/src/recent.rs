//! The most recently used of something, in bounded memory: two generations of a map, of which the older is forgotten.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{PoisonError, RwLock},
};

/// Holds between `capacity` and twice as many entries of those used last.
pub struct Recent<K, V> {
    capacity: usize,
    maps: RwLock<[HashMap<K, V>; 2]>,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, maps: RwLock::default() }
    }

    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        {
            let maps = self.maps.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(value) = maps[0].get(key) {
                return Some(value.clone());
            }
            maps[1].get(key)?;
        }
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        let (key, value) = maps[1].remove_entry(key)?;
        self.put(&mut maps, key, value.clone());
        Some(value)
    }

    pub fn insert(&self, key: K, value: V) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps[1].remove(&key);
        self.put(&mut maps, key, value);
    }

    pub fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.iter_mut().for_each(|map| drop(map.remove(key)));
    }

    fn put(&self, maps: &mut [HashMap<K, V>; 2], key: K, value: V) {
        if maps[0].len() >= self.capacity {
            maps[1] = std::mem::take(&mut maps[0]);
        }
        maps[0].insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let recent = Recent::new(10);
        recent.insert(0, "kept");
        for n in 1..1000 {
            recent.insert(n, "other");
            assert_eq!(recent.get(&0), Some("kept"), "{n}");
        }
        let held = (0..1000).filter(|n| recent.get(n).is_some()).count();
        assert!((10..=20).contains(&held), "{held}");
        recent.remove(&0);
        assert_eq!(recent.get(&0), None);
    }
}
