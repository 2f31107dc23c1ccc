//! Places in this process's memory.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::Micros;

use super::{Place, Taken};

/// Groups that nobody asks about again are looked for once there are twice as many as after the last look, and at least so many.
const LEAST: usize = 1024;

#[derive(Default)]
pub(super) struct Here(Mutex<Groups>);

#[derive(Default)]
struct Groups {
    places: HashMap<String, Vec<Place>>,
    /// Groups left by the last look for ended ones.
    left: usize,
}

impl Here {
    pub fn take(&self, group: &str, place: &Place, limit: usize, now: Micros) -> Taken {
        let mut groups = self.groups();
        groups.tidy(now);
        let places = groups.at(group, now);
        if let Some(own) = places.iter_mut().find(|own| own.holder == place.holder) {
            own.clone_from(place);
        } else if places.len() < limit {
            places.push(place.clone());
        } else {
            let mut full = places.clone();
            full.sort_by_key(|place| place.until);
            return Taken::Full(full);
        }
        Taken::Yes
    }

    pub fn renew(&self, group: &str, holder: &str, now: Micros, until: Micros) -> bool {
        let mut groups = self.groups();
        let found = groups.at(group, now).iter_mut().find(|place| place.holder == holder);
        found.map(|place| place.until = until).is_some()
    }

    pub fn leave(&self, group: &str, holder: &str) -> bool {
        let mut groups = self.groups();
        let Some(places) = groups.places.get_mut(group) else { return false };
        let before = places.len();
        places.retain(|place| place.holder != holder);
        places.len() < before
    }

    pub fn places(&self, group: &str, now: Micros) -> Vec<Place> {
        let mut places = self.groups().at(group, now).clone();
        places.sort_by_key(|place| place.until);
        places
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Groups {
    /// The places of a group that have not ended.
    fn at(&mut self, group: &str, now: Micros) -> &mut Vec<Place> {
        let places = self.places.entry(group.to_owned()).or_default();
        places.retain(|place| place.until > now);
        places
    }

    fn tidy(&mut self, now: Micros) {
        if self.places.len() < LEAST.max(2 * self.left) {
            return;
        }
        self.places.retain(|_, places| places.iter().any(|place| place.until > now));
        self.left = self.places.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_does_not_pile_up() {
        let here = Here::default();
        for n in 0..10 * LEAST {
            let now = Micros(n as i64);
            let place = Place { holder: "a".into(), note: String::new(), until: Micros(n as i64 + 5) };
            here.take(&n.to_string(), &place, 1, now);
        }
        assert!(here.groups().places.len() <= LEAST);
    }
}
