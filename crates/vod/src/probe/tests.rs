//! Odd files as ffprobe sees them.

use super::*;
use crate::testing;

async fn look(args: &[&str], name: &str) -> Result<(SourceInfo, Index)> {
    let dir = tempfile::tempdir().unwrap();
    let path = testing::media(dir.path(), name, args).await;
    probe(&Tools::default(), &path, &Limits::default()).await
}

#[tokio::test]
async fn an_ordinary_film() {
    let (info, index) = look(
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x240:r=30000/1001:d=2",
            "-f",
            "lavfi",
            "-i",
            "sine=d=2",
            "-shortest",
            "-c:v",
            "libx264",
            "-c:a",
            "aac",
            "-metadata",
            "title=A film",
            "-metadata:s:a",
            "language=eng",
        ],
        "a.mp4",
    )
    .await
    .unwrap();
    let video = info.video.unwrap();
    assert_eq!(
        (video.codec.as_str(), video.frame_rate, video.variable_rate),
        ("h264", (30_000, 1001), false)
    );
    assert_eq!((video.display_width, video.display_height), (320, 240));
    assert_eq!(info.audio[0].language.as_deref(), Some("en"));
    assert_eq!(info.title.as_deref(), Some("A film"));
    assert_eq!(index.shown().len(), 60);
    assert_eq!(info.duration_us, 2_002_000);
}

#[tokio::test]
async fn pixel_aspect_and_rotation_give_the_shown_size() {
    let (info, _) = look(
        &["-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=0.2", "-vf", "setsar=64/45", "-c:v", "libx264"],
        "wide.mkv",
    )
    .await
    .unwrap();
    let video = info.video.unwrap();
    assert_eq!((video.display_width, video.display_height), (1024, 576));

    let dir = tempfile::tempdir().unwrap();
    let flat = testing::media(
        dir.path(),
        "flat.mp4",
        &["-f", "lavfi", "-i", "testsrc2=s=320x240:d=0.2", "-c:v", "libx264"],
    )
    .await;
    let turned = testing::media(
        dir.path(),
        "turned.mp4",
        &["-i", flat.to_str().unwrap(), "-c", "copy", "-metadata:s:v", "rotate=90"],
    )
    .await;
    let (info, _) = probe(&Tools::default(), &turned, &Limits::default()).await.unwrap();
    let video = info.video.unwrap();
    assert_eq!((video.rotation % 180, video.display_width, video.display_height), (90, 240, 320));
}

#[tokio::test]
async fn what_is_refused_is_told_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let try_file = |path: std::path::PathBuf| async move {
        match probe(&Tools::default(), &path, &Limits::default()).await {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    let text = dir.path().join("film.mp4");
    std::fs::write(&text, "this is not a film\n".repeat(1000)).unwrap();
    assert_eq!(try_file(text).await, Refusal::NotMedia);

    let film = testing::media(
        dir.path(),
        "a.mp4",
        &["-f", "lavfi", "-i", "testsrc2=s=320x240:d=1", "-c:v", "libx264"],
    )
    .await;
    let bytes = std::fs::read(&film).unwrap();
    let cut = dir.path().join("cut.mp4");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(try_file(cut).await, Refusal::Truncated);

    let limits = Limits { pixels: 1000, ..Limits::default() };
    let error = probe(&Tools::default(), &film, &limits).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refusal::TooLargePicture { width: 320, height: 240 })), "{error}");
    let limits = Limits { duration: Duration::from_millis(500), ..Limits::default() };
    let error = probe(&Tools::default(), &film, &limits).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refusal::TooLong { .. })), "{error}");
}
