//! Manifests, made once for each version of a descriptor and kept with their compressed form.

use std::{io::Write, sync::Arc};

use bytes::Bytes;
use domain::PresentationId;
use flate2::{Compression, write::GzEncoder};
use media::{dash, descriptor::Track, hls, selection::Selection, webvtt};

use crate::{digest::digest, path::Resource, presentation::Presentation};

/// A manifest ready to be sent.
pub struct Manifest {
    pub content_type: &'static str,
    pub plain: Bytes,
    pub gzip: Bytes,
    /// Strong entity tags: the two forms have different bytes.
    pub plain_tag: String,
    pub gzip_tag: String,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    presentation: PresentationId,
    version: u64,
    /// Only for manifests that list rungs.
    cap: Option<u32>,
    resource: &'static str,
    track: String,
}

pub struct Cache(moka::future::Cache<Key, Arc<Manifest>>);

const HLS: &str = "application/vnd.apple.mpegurl";

impl Cache {
    pub fn new(bytes: u64) -> Self {
        let weigh = |_: &Key, m: &Arc<Manifest>| {
            u32::try_from(m.plain.len() + m.gzip.len() + 512).unwrap_or(u32::MAX)
        };
        Self(moka::future::Cache::builder().max_capacity(bytes).weigher(weigh).build())
    }

    /// `None` when the presentation has no such manifest.
    pub async fn get(
        &self,
        id: PresentationId,
        presentation: &Arc<Presentation>,
        resource: Resource<'_>,
        cap: Option<u32>,
    ) -> Option<Arc<Manifest>> {
        let (name, track, cap) = match resource {
            Resource::Multivariant => ("main.m3u8", "", cap),
            Resource::Mpd => ("main.mpd", "", cap),
            Resource::StoryboardCues => ("storyboard.vtt", "", None),
            Resource::StoryboardPlaylist => ("storyboard/playlist.m3u8", "", None),
            Resource::Playlist(track) => ("playlist.m3u8", track, None),
            Resource::IframePlaylist(track) => ("iframes.m3u8", track, None),
            _ => return None,
        };
        let track = track.to_owned();
        let version = presentation.descriptor.version;
        let key = Key { presentation: id, version, cap, resource: name, track: track.clone() };
        let presentation = presentation.clone();
        let make = async move {
            let text = move || make(&presentation, name, &track, cap);
            tokio::task::spawn_blocking(text).await.ok().flatten().map(Arc::new)
        };
        self.0.optionally_get_with(key, make).await
    }
}

fn make(presentation: &Presentation, name: &str, track: &str, cap: Option<u32>) -> Option<Manifest> {
    let descriptor = &presentation.descriptor;
    let board = descriptor.storyboard.as_ref();
    let selection = Selection { cap, ..Selection::ALL };
    let find = |wanted: fn(&Track) -> bool| descriptor.tracks.iter().find(|t| t.id == track && wanted(t));
    let (content_type, text) = match name {
        "main.m3u8" => (HLS, hls::multivariant(descriptor, selection)),
        "main.mpd" => ("application/dash+xml", dash::mpd(descriptor, selection, presentation.written_at)),
        "storyboard.vtt" => ("text/vtt; charset=utf-8", webvtt::storyboard(board?)),
        "storyboard/playlist.m3u8" => (HLS, hls::image_playlist(board?)),
        "playlist.m3u8" => (HLS, hls::media_playlist(descriptor, find(|_| true)?)),
        "iframes.m3u8" => (HLS, hls::iframe_playlist(descriptor, find(Track::is_video)?)),
        _ => return None,
    };
    let plain = Bytes::from(text);
    let tag = digest(&[&plain]);
    let gzip = compress(&plain).unwrap_or_else(|| plain.clone());
    let gzip_tag = format!("\"{tag}-gz\"");
    Some(Manifest { content_type, plain, gzip, plain_tag: format!("\"{tag}\""), gzip_tag })
}

/// Never fails in memory, but the type cannot say so.
fn compress(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::default());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
