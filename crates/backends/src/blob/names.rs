//! The one place that makes object names, and the rule for which names are allowed at all.

use domain::{PresentationId, SourceId, VideoId, artwork::Format, revocation::Revocation};

use super::{Error, Result};

/// Longest object name in bytes: S3 allows 1,024, and a configured prefix stands before it.
pub const MAX_LENGTH: usize = 700;

/// The original file as delivered.
pub fn master(source: SourceId) -> String {
    format!("masters/{source}/original")
}

/// Everything of one source.
pub fn masters(source: SourceId) -> String {
    format!("masters/{source}")
}

/// All revocations of playback tokens.
pub fn revocations() -> String {
    "revoked".into()
}

pub fn revocation(revocation: &Revocation) -> String {
    format!("revoked/{revocation}")
}

/// The revocation in the name of an object.
pub fn revocation_of(object: &str) -> Option<Revocation> {
    object.strip_prefix("revoked/")?.parse().ok()
}

/// Everything of one presentation.
pub fn presentation(id: PresentationId) -> String {
    format!("presentations/{id}")
}

/// Everything that one unit of encoding work stored.
pub fn unit(id: PresentationId, unit: &str) -> String {
    format!("presentations/{id}/{unit}")
}

/// What one unit of work added to one track; `extension` is `cmfv` or `cmfa` (ISO/IEC 23000-19 §7.3.1).
pub fn track(id: PresentationId, unit: &str, track: &str, extension: &str) -> String {
    format!("presentations/{id}/{unit}/{track}.{extension}")
}

/// Segment `number` of all tracks of an event.
pub fn live_segment(id: PresentationId, number: u64) -> String {
    format!("presentations/{id}/live/{number:08}.cmf")
}

/// Where the node is that has an event.
pub fn live_owner(id: PresentationId) -> String {
    format!("presentations/{id}/live-owner")
}

/// All descriptor versions of a presentation; the greatest name is the newest.
pub fn descriptors(id: PresentationId) -> String {
    format!("presentations/{id}/descriptor")
}

pub fn descriptor(id: PresentationId, version: u64) -> String {
    format!("presentations/{id}/descriptor/{version:010}.json")
}

/// The version in the name of a descriptor object.
pub fn descriptor_version(object: &str) -> Option<u64> {
    let (folder, file) = object.rsplit_once('/')?;
    if !folder.ends_with("/descriptor") {
        return None;
    }
    file.strip_suffix(".json")?.parse().ok()
}

/// Everything of a presentation's seek-bar storyboard.
pub fn storyboards(id: PresentationId) -> String {
    format!("presentations/{id}/storyboard")
}

/// The `n`-th sheet of the seek-bar storyboard.
pub fn storyboard(id: PresentationId, n: u64) -> String {
    format!("presentations/{id}/storyboard/{n}.jpg")
}

/// All pictures of a title.
pub fn pictures(video: VideoId) -> String {
    format!("pictures/{video}")
}

/// A picture of a title, `width` pixels wide, as JPEG.
pub fn picture(video: VideoId, picture: &str, width: u32) -> String {
    picture_in(video, picture, width, Format::Jpeg)
}

/// A picture of a title, `width` pixels wide.
pub fn picture_in(video: VideoId, picture: &str, width: u32, format: Format) -> String {
    format!("pictures/{video}/{picture}-{width}.{}", format.extension())
}

/// A picture as its creator delivered it, until it was decoded. Never served.
pub fn picture_upload(video: VideoId, picture: &str) -> String {
    format!("pictures/{video}/{picture}-upload")
}

/// All public keys of playback tokens.
pub fn playback_keys() -> String {
    "keys/playback".into()
}

/// The public key `kid` of playback tokens.
pub fn playback_key(kid: &str) -> String {
    format!("keys/playback/{kid}.json")
}

/// Refuses every name that could leave the store's own folder or that an engine would rewrite: segments of
/// `A–Z a–z 0–9 . _ - :`, none empty, none beginning with a dot.
pub fn check(object: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':');
    let sound = |segment: &str| {
        !segment.is_empty()
            && segment.len() <= 200
            && !segment.starts_with('.')
            && segment.bytes().all(allowed)
    };
    if object.len() > MAX_LENGTH || !object.split('/').all(sound) {
        let shown: String = object.chars().take(80).collect();
        return Err(Error::other(shown.escape_debug().to_string(), "not an allowed object name"));
    }
    Ok(())
}

/// A folder name: like an object name, with or without a slash at its end; empty means everything.
pub fn check_prefix(prefix: &str) -> Result<&str> {
    let folder = prefix.strip_suffix('/').unwrap_or(prefix);
    if !folder.is_empty() {
        check(folder)?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_are_allowed() {
        let (pid, video) = (PresentationId::new(), VideoId::new());
        for name in [
            master(SourceId::new()),
            masters(SourceId::new()),
            track(pid, "v:0", "v1080", "cmfv"),
            descriptor(pid, 7),
            storyboard(pid, 0),
            picture(video, "0192f0c1", 640),
            picture_upload(video, "0192f0c1"),
            playback_key("k1"),
        ] {
            check(&name).unwrap();
        }
        assert!(descriptor(pid, 9) < descriptor(pid, 10));
        assert_eq!(descriptor_version(&descriptor(pid, 12)), Some(12));
        assert_eq!(descriptor_version(&storyboard(pid, 12)), None);
        assert_eq!(check_prefix("masters/").unwrap(), "masters");
        assert_eq!(check_prefix("").unwrap(), "");
    }

    #[test]
    fn names_that_climb_are_refused() {
        let long = "a/".repeat(400) + "a";
        for name in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "../a",
            "a/../b",
            "a/.",
            ".tmp/x",
            "a\\b",
            "a\0b",
            "a b",
            "é",
            &long,
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
        assert!(check_prefix("../").is_err());
    }
}
