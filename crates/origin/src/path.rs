//! Media URLs: `/media/{token}/{presentation}/…`. What is not exactly one of ours is nothing.

use domain::PresentationId;
use media::resource::Resource;

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

#[cfg(test)]
mod tests {
    use super::*;

    const PID: &str = "0192f0c1-7e5a-7b3c-8d4e-5f6a7b8c9d0e";

    #[test]
    fn our_urls_are_understood() {
        let path = format!("/media/abc.def/{PID}/v1080p/12.m4s");
        let parsed = MediaPath::parse(&path).unwrap();
        assert_eq!((parsed.token, parsed.resource), ("abc.def", Resource::Segment("v1080p", 12)));
    }

    #[test]
    fn anything_else_is_nothing() {
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
