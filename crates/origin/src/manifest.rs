//! Manifests, made once for each version of a descriptor and kept with their compressed form.

use std::sync::Arc;

use api::Text;
use domain::PresentationId;
use media::{dash, descriptor::Track, hls, resource::Resource, selection::Selection, webvtt};

use crate::presentation::Presentation;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    presentation: PresentationId,
    version: u64,
    /// Only for manifests that list rungs.
    cap: Option<u32>,
    resource: &'static str,
    track: String,
}

pub struct Cache(moka::future::Cache<Key, Arc<Text>>);

const HLS: &str = "application/vnd.apple.mpegurl";

impl Cache {
    pub fn new(bytes: u64) -> Self {
        let weigh = |_: &Key, m: &Arc<Text>| u32::try_from(m.size() + 512).unwrap_or(u32::MAX);
        Self(moka::future::Cache::builder().max_capacity(bytes).weigher(weigh).build())
    }

    /// `None` when the presentation has no such manifest.
    pub async fn get(
        &self,
        id: PresentationId,
        presentation: &Arc<Presentation>,
        resource: Resource<'_>,
        cap: Option<u32>,
    ) -> Option<Arc<Text>> {
        let (name, track, cap) = match resource {
            Resource::Multivariant => ("main.m3u8", "", cap),
            Resource::Mpd | Resource::LowMpd => ("main.mpd", "", cap),
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

fn make(presentation: &Presentation, name: &str, track: &str, cap: Option<u32>) -> Option<Text> {
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
    Some(Text::new(content_type, text))
}
