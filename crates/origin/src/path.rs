//! Media URLs: `/media/{token}/{presentation}/…`. What is not exactly one of ours is nothing.

use domain::PresentationId;

use crate::Asked;

/// Longest path that is looked at: a token may have 1,024 characters.
const MAX_LEN: usize = 1280;

/// A media URL, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaPath<'a> {
    pub token: &'a str,
    pub presentation: PresentationId,
    pub resource: Resource<'a>,
    /// What the resource is told by: the path within the presentation.
    pub rest: &'a str,
    path: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource<'a> {
    Multivariant,
    Mpd,
    StoryboardCues,
    StoryboardPlaylist,
    Sheet(usize),
    Playlist(&'a str),
    IframePlaylist(&'a str),
    Init(&'a str),
    Segment(&'a str, usize),
    /// Of an event that goes on: segment, and part in it.
    Part(&'a str, usize, usize),
    Iframe(&'a str, usize),
}

impl<'a> MediaPath<'a> {
    /// From the path of a request, as it was sent. No URL of ours needs percent-encoding, so none is undone.
    pub fn parse(path: &'a str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_');
        if path.len() > MAX_LEN || !path.bytes().all(allowed) {
            return None;
        }
        let (token, rest) = path.strip_prefix("/media/")?.split_once('/')?;
        let (presentation, rest) = rest.split_once('/')?;
        Some(Self {
            token,
            presentation: presentation.parse().ok()?,
            resource: Resource::parse(rest)?,
            rest,
            path,
        })
    }

    /// The request for something of an event.
    pub fn asked(&self, query: Option<&str>, max_height: Option<u32>) -> Asked {
        Asked {
            presentation: self.presentation,
            path: self.path.to_owned(),
            rest: self.rest.to_owned(),
            query: query.map(str::to_owned),
            max_height,
        }
    }
}

impl<'a> Resource<'a> {
    fn parse(rest: &'a str) -> Option<Self> {
        match rest {
            "main.m3u8" => return Some(Self::Multivariant),
            "main.mpd" => return Some(Self::Mpd),
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
                            (None, Some((n, part))) => Self::Part(track, number(n)?, number(part)?),
                            (None, None) => Self::Segment(track, number(name)?),
                        }
                    }
                })
            }
        }
    }

    /// For metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Multivariant | Self::Mpd => "manifest",
            Self::Playlist(_) | Self::IframePlaylist(_) => "playlist",
            Self::StoryboardCues | Self::StoryboardPlaylist | Self::Sheet(_) => "storyboard",
            Self::Init(_) => "init",
            Self::Segment(..) => "segment",
            Self::Part(..) => "part",
            Self::Iframe(..) => "iframe",
        }
    }
}

/// A number with one spelling only: no sign, no leading zeros, at most nine digits.
fn number(text: &str) -> Option<usize> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: &str = "0192f0c1-7e5a-7b3c-8d4e-5f6a7b8c9d0e";

    fn parse(rest: &str) -> Option<Resource<'_>> {
        Resource::parse(rest)
    }

    #[test]
    fn our_urls_are_understood() {
        let path = format!("/media/abc.def/{PID}/v1080p/12.m4s");
        let parsed = MediaPath::parse(&path).unwrap();
        assert_eq!((parsed.token, parsed.resource), ("abc.def", Resource::Segment("v1080p", 12)));
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
        let upper = PID.to_uppercase();
        for path in [
            String::new(),
            "/media/".into(),
            format!("/media/t/{upper}/main.m3u8"),
            format!("/media/t/{{{PID}}}/main.m3u8"),
            format!("/media/t/{PID}/%6dain.m3u8"),
            format!("/media/t/{PID}//main.m3u8"),
            format!("/media/t/x/../{PID}/main.m3u8"),
            format!("/media/{}/{PID}/main.m3u8", "a".repeat(1300)),
            format!("/other/t/{PID}/main.m3u8"),
        ] {
            assert_eq!(MediaPath::parse(&path), None, "{path}");
        }
    }
}
