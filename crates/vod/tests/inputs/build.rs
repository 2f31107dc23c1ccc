//! Ordinary films to start from, and ways to spoil them.

use std::path::{Path, PathBuf};

pub use testkit::media::iso;

/// Two seconds of moving patterns, 128 × 96 at 25 a second, and of a tone.
pub const PICTURE: &str = "-f lavfi -i testsrc2=s=128x96:r=25:d=2";
pub const TONE: &str = "-f lavfi -i sine=d=2";
pub const X264: &str = "-c:v libx264 -preset ultrafast -bf 2 -g 25 -pix_fmt yuv420p -threads 1";
/// Three seconds, black and silent until white and a tone begin after one second.
pub const SIGNAL: &str = "-f lavfi -i color=black:s=128x96:r=25:d=3,drawbox=c=white:t=fill:enable='gte(t,0.999)' \
    -f lavfi -i aevalsrc='if(gte(t,1),sin(2*PI*1000*t),0)':s=48000:d=3";

/// What ffmpeg makes of `line`.
pub async fn make(line: &str, extension: &str) -> PathBuf {
    testkit::media::ffmpeg(line, extension).await.unwrap()
}

/// The ordinary film with H.264 and AAC in a container.
pub async fn plain(extension: &str) -> PathBuf {
    make(&format!("{PICTURE} {TONE} {X264} -c:a aac"), extension).await
}

/// A film of 12 seconds, with its index first where there is one.
pub async fn long(extension: &str) -> PathBuf {
    let first = if extension == "mp4" { "-movflags +faststart" } else { "" };
    let line = "-f lavfi -i testsrc2=s=128x96:r=25:d=12 -f lavfi -i sine=d=12";
    make(&format!("{line} {X264} -c:a aac {first}"), extension).await
}

/// Pictures alone: a lavfi source and an encoder.
pub async fn pictures(source: &str, encoder: &str, extension: &str) -> PathBuf {
    make(&format!("-f lavfi -i {source} {encoder}"), extension).await
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// The first `percent` of a file.
pub fn first(path: &Path, percent: usize) -> Vec<u8> {
    let mut bytes = read(path);
    bytes.truncate(bytes.len() * percent / 100);
    bytes
}

/// A file without its first `percent`.
pub fn last(path: &Path, percent: usize) -> Vec<u8> {
    let bytes = read(path);
    bytes[bytes.len() * percent / 100..].to_vec()
}

/// Changes a file's bytes.
pub fn change(path: &Path, how: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = read(path);
    how(&mut bytes);
    bytes
}

/// Writes `new` over the only place, or the first, where `old` stands.
pub fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let at = bytes.windows(old.len()).position(|part| part == old).expect("what is to be replaced");
    bytes[at..at + new.len()].copy_from_slice(new);
}
