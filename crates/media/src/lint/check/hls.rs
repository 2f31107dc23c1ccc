//! The walk through an HLS presentation.

use std::{collections::BTreeMap, time::Duration};

use super::{Walk, media::Piece};
use crate::lint::{
    Answer, Place,
    hls::{
        MediaPlaylist, Multivariant, Playlist, Rendition, Role, Variables, across, multivariant::Variant,
        read, reload, truth,
    },
    http,
};

/// Playlists of one presentation that are read.
const MOST_PLAYLISTS: usize = 200;

impl Walk<'_> {
    pub fn hls(&mut self, answer: &Answer) {
        http::check(answer, http::Kind::Playlist, &mut self.report);
        match read(&answer.body, &answer.url, &Variables::new(), &mut self.report) {
            Some(Playlist::Media(playlist)) => {
                let rendition = self.rendition(Role::Variant, &answer.url, *playlist, false);
                self.watch(&[&rendition], &Variables::new());
            }
            Some(Playlist::Multivariant(all)) => self.multivariant(&all),
            None => {}
        }
    }

    fn multivariant(&mut self, all: &Multivariant) {
        // Each playlist once, by its absolute address; `known` leads from what is written to that.
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        let mut named: Vec<(Role, String)> = Vec::new();
        for (role, uri, line) in references(all) {
            let Some(url) = self.resolve(&all.url, uri, &Place::line(&all.url, line)) else { continue };
            if !named.iter().any(|(_, other)| *other == url) && named.len() < MOST_PLAYLISTS {
                named.push((role, url.clone()));
            }
            known.insert(uri.to_owned(), url);
        }
        let mut renditions = Vec::new();
        for (role, url) in named {
            match self.playlist(&url, &all.variables) {
                Some(Playlist::Media(playlist)) => {
                    renditions.push(self.rendition(role, &url, *playlist, all.independent));
                }
                Some(Playlist::Multivariant(_)) => {
                    let what = "a multivariant playlist names it, and it is one itself";
                    self.report.add(&crate::lint::rules::hls::TAG_MIXED, Place::whole(&url), what);
                }
                None => {}
            }
        }
        across::check(all, &known, &renditions, &mut self.report);
        // The first of each kind stands for the others.
        let growing: Vec<&Rendition> = [Role::Variant, Role::Audio, Role::Iframes]
            .into_iter()
            .filter_map(|role| renditions.iter().find(|r| r.role == role && !r.playlist.ended))
            .collect();
        self.watch(&growing, &all.variables);
    }

    fn rendition(&mut self, role: Role, url: &str, playlist: MediaPlaylist, independent: bool) -> Rendition {
        let mut pieces = Vec::with_capacity(playlist.segments.len());
        for segment in &playlist.segments {
            let place = Place::line(&playlist.url, segment.line);
            let opaque = segment.methods.iter().any(|m| m == "AES-128");
            // A key that encrypts whole segments encrypts the header, too.
            let map = segment.map.and_then(|n| playlist.maps.get(n)).filter(|_| !opaque);
            let header = map.and_then(|map| {
                let place = Place::line(&playlist.url, map.line);
                Some((self.resolve(&playlist.url, &map.uri, &place)?, map.range.clone()))
            });
            let address = self.resolve(&playlist.url, &segment.uri, &place);
            pieces.push(Piece {
                gap: segment.gap || address.is_none(),
                url: address.unwrap_or_default(),
                range: segment.range.clone(),
                header,
                opaque,
                cut: playlist.iframes_only,
            });
        }
        let media = self.load(&pieces, true);
        let rendition = Rendition { role, url: url.to_owned(), playlist, media };
        truth::check(&rendition, independent, &mut self.report);
        rendition
    }

    /// Loads playlists that grow twice more, a target duration apart.
    fn watch(&mut self, renditions: &[&Rendition], variables: &Variables) {
        let growing: Vec<&&Rendition> = renditions.iter().filter(|r| !r.playlist.ended).collect();
        if growing.is_empty() || !self.options.reload {
            return;
        }
        let target = growing.iter().filter_map(|r| r.playlist.target).max().unwrap_or(2).clamp(1, 30);
        let apart = Duration::from_secs(target);
        let mut last: Vec<MediaPlaylist> = growing.iter().map(|r| r.playlist.clone()).collect();
        for _ in 0..2 {
            if !self.pause(apart) {
                self.report.unchecked("there was no time left to load growing playlists again");
                return;
            }
            for (rendition, old) in growing.iter().zip(&mut last) {
                // What is wrong with the text itself was told at the first load.
                let Some(answer) = self.get(&rendition.url) else { return };
                let mut ignored = crate::lint::Report::default();
                let new = read(&answer.body, &rendition.playlist.url, variables, &mut ignored);
                if let Some(Playlist::Media(new)) = new {
                    reload::check(old, &new, &mut self.report);
                    *old = *new;
                }
            }
        }
        for (rendition, new) in growing.iter().zip(&last) {
            reload::stalled(&rendition.playlist, new, apart * 2, &mut self.report);
        }
    }
}

fn references(all: &Multivariant) -> Vec<(Role, &str, usize)> {
    fn of(role: Role) -> impl Fn(&Variant) -> (Role, &str, usize) {
        move |v| (role, v.uri.as_str(), v.line)
    }
    let mut out: Vec<(Role, &str, usize)> = all.variants.iter().map(of(Role::Variant)).collect();
    for rendition in &all.renditions {
        let role = match rendition.kind.as_str() {
            "AUDIO" => Role::Audio,
            "VIDEO" => Role::Video,
            _ => Role::Subtitles,
        };
        out.extend(rendition.uri.as_deref().map(|uri| (role, uri, rendition.line)));
    }
    out.extend(all.iframes.iter().map(of(Role::Iframes)));
    out.extend(all.images.iter().map(of(Role::Images)));
    out
}
