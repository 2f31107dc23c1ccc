//! What a presentation consists of under URLs, by the path within it: the names that manifests tell.

/// Something that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource<'a> {
    Multivariant,
    Mpd,
    /// The same; of an event of low latency with the segment that is being made, for players that can take it part by part.
    LowMpd,
    /// What time it is, for players that count the distance from the present.
    Clock,
    StoryboardCues,
    StoryboardPlaylist,
    Sheet(u32),
    Playlist(&'a str),
    IframePlaylist(&'a str),
    Init(&'a str),
    Segment(&'a str, u32),
    /// Of an event that goes on: segment, and part in it.
    Part(&'a str, u32, u32),
    /// A segment of an event as its parts, one after another as they come into being.
    Chunks(&'a str, u32),
    Iframe(&'a str, u32),
}

impl<'a> Resource<'a> {
    /// `None`: nothing of ours has this name. No name needs percent-encoding, so none is undone.
    pub fn parse(rest: &'a str) -> Option<Self> {
        match rest {
            "main.m3u8" => return Some(Self::Multivariant),
            "main.mpd" => return Some(Self::Mpd),
            "low.mpd" => return Some(Self::LowMpd),
            "time.txt" => return Some(Self::Clock),
            "storyboard.vtt" => return Some(Self::StoryboardCues),
            _ => {}
        }
        match rest.split_once('/')? {
            ("storyboard", "playlist.m3u8") => Some(Self::StoryboardPlaylist),
            ("storyboard", file) => file.strip_suffix(".jpg").and_then(number).map(Self::Sheet),
            (track, file) => {
                let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
                if track.is_empty() || track.len() > 32 || !track.bytes().all(sound) {
                    return None;
                }
                Some(match file {
                    "playlist.m3u8" => Self::Playlist(track),
                    "iframes.m3u8" => Self::IframePlaylist(track),
                    "init.mp4" => Self::Init(track),
                    _ => {
                        let name = file.strip_suffix(".m4s")?;
                        match (name.strip_prefix('i'), name.split_once('.')) {
                            (Some(n), _) => Self::Iframe(track, number(n)?),
                            (None, Some((n, "chunks"))) => Self::Chunks(track, number(n)?),
                            (None, Some((n, part))) => Self::Part(track, number(n)?, number(part)?),
                            (None, None) => Self::Segment(track, number(name)?),
                        }
                    }
                })
            }
        }
    }

    /// The track that it is of.
    pub fn track(&self) -> Option<&'a str> {
        match self {
            Self::Playlist(track)
            | Self::IframePlaylist(track)
            | Self::Init(track)
            | Self::Segment(track, _)
            | Self::Part(track, ..)
            | Self::Chunks(track, _)
            | Self::Iframe(track, _) => Some(track),
            Self::Multivariant
            | Self::Mpd
            | Self::LowMpd
            | Self::Clock
            | Self::StoryboardCues
            | Self::StoryboardPlaylist
            | Self::Sheet(_) => None,
        }
    }

    /// For metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Multivariant | Self::Mpd | Self::LowMpd => "manifest",
            Self::Playlist(_) | Self::IframePlaylist(_) => "playlist",
            Self::StoryboardCues | Self::StoryboardPlaylist | Self::Sheet(_) => "storyboard",
            Self::Init(_) => "init",
            Self::Clock => "clock",
            Self::Segment(..) | Self::Chunks(..) => "segment",
            Self::Part(..) => "part",
            Self::Iframe(..) => "iframe",
        }
    }
}

/// A number with one spelling only: no sign, no leading zeros, at most nine digits.
pub fn number(text: &str) -> Option<u32> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rest: &str) -> Option<Resource<'_>> {
        Resource::parse(rest)
    }

    #[test]
    fn our_names_are_understood() {
        assert_eq!(parse("v1080p/12.m4s"), Some(Resource::Segment("v1080p", 12)));
        assert_eq!(parse("main.m3u8"), Some(Resource::Multivariant));
        assert_eq!(parse("main.mpd"), Some(Resource::Mpd));
        assert_eq!(parse("storyboard.vtt"), Some(Resource::StoryboardCues));
        assert_eq!(parse("storyboard/playlist.m3u8"), Some(Resource::StoryboardPlaylist));
        assert_eq!(parse("storyboard/1.jpg"), Some(Resource::Sheet(1)));
        assert_eq!(parse("a0/playlist.m3u8"), Some(Resource::Playlist("a0")));
        assert_eq!(parse("v360p/iframes.m3u8"), Some(Resource::IframePlaylist("v360p")));
        assert_eq!(parse("v360p/init.mp4"), Some(Resource::Init("v360p")));
        assert_eq!(parse("v360p/i7.m4s"), Some(Resource::Iframe("v360p", 7)));
        assert_eq!(parse("v360p/12.3.m4s"), Some(Resource::Part("v360p", 12, 3)));
        assert_eq!(parse("v360p/12.chunks.m4s"), Some(Resource::Chunks("v360p", 12)));
        assert_eq!(parse("low.mpd"), Some(Resource::LowMpd));
        assert_eq!(parse("time.txt"), Some(Resource::Clock));
    }

    #[test]
    fn anything_else_is_nothing() {
        for rest in [
            "",
            "/",
            "main.m3u8/",
            "Main.m3u8",
            "v1/",
            "/0.m4s",
            "v1/0.m4s/",
            "v1/00.m4s",
            "v1/01.m4s",
            "v1/-1.m4s",
            "v1/1.mp4",
            "v1/.m4s",
            "v1/i.m4s",
            "v1/ii1.m4s",
            "v1/1..m4s",
            "v1/.1.m4s",
            "v1/1.02.m4s",
            "v1/1.2.3.m4s",
            "v1/1.2.chunks.m4s",
            "V1/1.m4s",
            "v_1/1.m4s",
            "../v1/1.m4s",
            "v1/../1.m4s",
            "v1/9999999999.m4s",
            "storyboard/x.jpg",
            "storyboard/0.png",
            "..",
        ] {
            assert_eq!(parse(rest), None, "{rest:?}");
        }
    }
}
