//! Which tracks of a presentation manifests show, and how they belong together.

use crate::{
    codec::{Codecs, Family},
    descriptor::{Descriptor, Track, TrackKind},
    measure,
};

/// What a player may see. Two equal selections of one descriptor make the same manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Selection {
    /// The largest short side.
    pub cap: Option<u32>,
    /// Codecs that the player decodes. A set that would leave no pictures, or no sound, is no restriction of them.
    pub codecs: Option<Codecs>,
}

impl Selection {
    /// Nothing is held back.
    pub const ALL: Self = Self { cap: None, codecs: None };

    /// Video tracks with something to show: best first within each codec, and the codec that everything plays first. When
    /// nothing lies within the cap, the smallest track is left, of the standard range if there is one.
    pub fn video(self, descriptor: &Descriptor) -> Vec<&Track> {
        let short = |t: &Track| match t.kind {
            TrackKind::Video { width, height, .. } => width.min(height),
            TrackKind::Audio { .. } => 0,
        };
        let mut all = self.decodable(descriptor, |t| t.is_video());
        all.sort_by_key(|t| order(t));
        let shown: Vec<&Track> =
            all.iter().copied().filter(|t| self.cap.is_none_or(|cap| short(t) <= cap)).collect();
        if !shown.is_empty() {
            return shown;
        }
        all.into_iter().min_by_key(|t| (short(t), t.range())).into_iter().collect()
    }

    /// May this track of the descriptor be played? What is above the cap is refused, not only hidden.
    pub fn permits(self, descriptor: &Descriptor, track: &Track) -> bool {
        self.cap.is_none()
            || !track.is_video()
            || self.video(descriptor).iter().any(|shown| shown.id == track.id)
    }

    /// Audio tracks with something to play, the default one first.
    pub fn audio(self, descriptor: &Descriptor) -> Vec<&Track> {
        let mut tracks = self.decodable(descriptor, |t| !t.is_video());
        tracks.sort_by_key(|t| !t.default);
        tracks
    }

    fn decodable(self, descriptor: &Descriptor, wanted: fn(&Track) -> bool) -> Vec<&Track> {
        let there = |t: &&Track| wanted(t) && t.extents.iter().any(|e| !e.segments.is_empty());
        let all: Vec<&Track> = descriptor.tracks.iter().filter(there).collect();
        let decodes = |t: &&Track| self.codecs.is_none_or(|set| t.family().is_some_and(|f| set.has(f)));
        let left: Vec<&Track> = all.iter().copied().filter(decodes).collect();
        if left.is_empty() { all } else { left }
    }
}

/// Families in the order of [`Family::ALL`], codecs that are not known last.
fn order(track: &Track) -> (bool, Option<Family>) {
    (track.family().is_none(), track.family())
}

/// Sound that is there in several codecs: one language, one content.
#[derive(Debug, Clone)]
pub struct Programme<'a> {
    /// For people, unlike all others.
    pub name: String,
    /// One for each codec that it is there in.
    pub tracks: Vec<&'a Track>,
}

impl<'a> Programme<'a> {
    /// The track of a family; where it is not there in that codec, the one that the most players decode.
    pub fn of(&self, family: Option<Family>) -> Option<&'a Track> {
        let exact = self.tracks.iter().find(|t| t.family() == family);
        exact.or_else(|| self.tracks.iter().min_by_key(|t| order(t))).copied()
    }
}

/// Programmes in the order of their first tracks. Tracks of different codecs are one programme when language and label are
/// the same.
pub fn programmes<'a>(audio: &[&'a Track]) -> Vec<Programme<'a>> {
    let mut list: Vec<Vec<&'a Track>> = Vec::new();
    for track in audio {
        let same = |other: &&Track| (&other.language, &other.label) == (&track.language, &track.label);
        let free = |tracks: &&mut Vec<&Track>| tracks.iter().all(|t| same(t) && t.family() != track.family());
        match list.iter_mut().find(free) {
            Some(tracks) => tracks.push(track),
            None => list.push(vec![track]),
        }
    }
    list.iter_mut().for_each(|tracks| tracks.sort_by_key(|t| order(t)));
    let first: Vec<&Track> = list.iter().filter_map(|tracks| tracks.first().copied()).collect();
    let names = measure::labels(&first);
    list.into_iter().zip(names).map(|(tracks, name)| Programme { name, tracks }).collect()
}

/// The families of tracks, each once, what everything plays first.
pub fn families(tracks: &[&Track]) -> Vec<Option<Family>> {
    let mut keys: Vec<_> = tracks.iter().map(|t| order(t)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().map(|(_, family)| family).collect()
}
