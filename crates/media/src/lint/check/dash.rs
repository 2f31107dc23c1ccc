//! The walk through a DASH presentation.

use std::time::Duration;

use super::{Walk, media::Piece};
use crate::lint::{
    Answer, Place, Report, Want,
    dash::{
        Manifest, Representation, Set,
        addressing::Addressing,
        manifest::{self, Period},
        reload,
        truth::{self, Played},
    },
    http,
    mp4::boxes::{Context, children},
    mp4::fragments::Index,
    rules::dash as rules,
};

impl Walk<'_> {
    pub fn dash(&mut self, answer: &Answer) {
        http::check(answer, http::Kind::Manifest, &mut self.report);
        let Some(manifest) = manifest::read(&answer.body, &answer.url, &mut self.report) else { return };
        for period in &manifest.periods {
            for set in &period.sets {
                let mut played = Vec::new();
                for representation in &set.representations {
                    let media = self.representation(&manifest, period, set, representation);
                    played.push(Played { representation, media });
                }
                truth::check(&manifest, period, set, &played, &mut self.report);
            }
        }
        if manifest.dynamic && manifest.update_period.is_some() {
            self.updates(manifest);
        }
    }

    /// Loads the media of a representation, as far as its segments can be listed.
    fn representation(
        &mut self,
        manifest: &Manifest,
        period: &Period,
        set: &Set,
        representation: &Representation,
    ) -> Vec<crate::lint::loaded::Loaded> {
        let place = &representation.place;
        let mut base = manifest.url.clone();
        for step in [&manifest.base, &period.base, &set.base, &representation.base].into_iter().flatten() {
            let Some(next) = self.resolve(&base, step, place) else { return Vec::new() };
            base = next;
        }
        let template = match &representation.addressing {
            Addressing::Template(template) | Addressing::List(template) => template,
            Addressing::Base { index, initialization } => {
                let ranges = (index.clone(), initialization.clone());
                self.indexed(&base, ranges, place);
                return Vec::new();
            }
            Addressing::None => {
                self.report.unchecked("representations of one file without an index were not looked into");
                return Vec::new();
            }
        };
        if template.open {
            let why = "segments of a dynamic presentation with @duration follow from the time of day: they were not fetched";
            self.report.unchecked(why);
        }
        let header = template.initialization.as_ref().and_then(|(url, range)| {
            let url = if url.is_empty() { base.clone() } else { self.resolve(&base, url, place)? };
            Some((url, range.clone()))
        });
        let mut pieces = Vec::with_capacity(template.entries.len());
        for entry in &template.entries {
            let url = if entry.url.is_empty() {
                Some(base.clone())
            } else {
                self.resolve(&base, &entry.url, place)
            };
            pieces.push(Piece {
                gap: url.is_none(),
                url: url.unwrap_or_default(),
                range: entry.range.clone(),
                header: header.clone(),
                ..Piece::default()
            });
        }
        self.load(&pieces, true)
    }

    /// One file with a `sidx` (the on-demand profile): the index is where it is said to be, and each subsegment it lists
    /// is one.
    fn indexed(
        &mut self,
        url: &str,
        (index, initialization): (Option<std::ops::Range<u64>>, Option<std::ops::Range<u64>>),
        place: &Place,
    ) {
        let Some(range) = index else {
            self.report
                .unchecked("representations whose SegmentBase tells no indexRange were not looked into");
            return;
        };
        let want = Want { range: Some(range.clone()), ..Want::whole(url) };
        let Some(answer) = self.fetch(&[want]).pop().flatten() else { return };
        let mut context = Context { url, report: &mut self.report };
        let boxes = children("", &answer.body, range.start, &mut context);
        let found = boxes.first().filter(|b| &b.kind == b"sidx" && b.size == range.end - range.start);
        let Some(told) = found.and_then(|sidx| Index::read(sidx, &mut context)) else {
            let what = format!("bytes {} to {} are not exactly a sidx", range.start, range.end);
            self.report.add(&rules::INDEX_RANGE, place.clone(), what);
            return;
        };
        let mut at = range.end.saturating_add(told.first_offset);
        let header = initialization.map(|range| (url.to_owned(), Some(range)));
        let mut pieces = Vec::new();
        for (size, _) in &told.references {
            let end = at.saturating_add(u64::from(*size));
            let range = Some(at..end);
            pieces.push(Piece { url: url.to_owned(), range, header: header.clone(), ..Piece::default() });
            at = end;
        }
        // Their samples are checked as they are read.
        self.load(&pieces, false);
    }

    /// Loads a dynamic manifest twice more.
    fn updates(&mut self, first: Manifest) {
        if !self.options.reload {
            return;
        }
        let apart = first.update_period.unwrap_or(0).clamp(1_000_000, 10_000_000);
        let (url, mut old) = (first.url.clone(), first);
        for _ in 0..2 {
            if !self.pause(Duration::from_micros(apart.unsigned_abs())) {
                self.report.unchecked("there was no time left to load the manifest again");
                return;
            }
            let Some(answer) = self.get(&url) else { return };
            // What is wrong with the manifest itself was told at the first load.
            let mut ignored = Report::default();
            let Some(new) = manifest::read(&answer.body, &url, &mut ignored) else { return };
            reload::check(&old, &new, &mut self.report);
            old = new;
        }
    }
}
