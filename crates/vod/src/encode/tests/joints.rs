//! Where chunks meet: the pictures before a joint are those of an encode in one pass.

use super::*;

/// A cut of the film lies so shortly before the joint that an encoder which does not see beyond it saves on what follows.
#[tokio::test]
async fn the_end_of_a_chunk_is_as_in_one_pass() {
    let dir = tempfile::tempdir().unwrap();
    let film = "testsrc2=size=320x240:rate=24:duration=11.9[a];mandelbrot=size=320x240:rate=24,trim=duration=3.1[b];[a][b]concat";
    let args = ["-f", "lavfi", "-i", film, "-c:v", "libx264", "-preset", "ultrafast", "-g", "24"];
    let source = media(dir.path(), "film.mp4", &args).await;
    let tools = Tools { threads: 1, ..Tools::default() };
    let (info, index) = probe::probe(&tools, &source, &probe::Limits::default()).await.unwrap();
    let video = plan::plan(&info, &index, &profile()).unwrap().video.unwrap();
    let [first, second] = &video.chunks[..] else { panic!("{} chunks", video.chunks.len()) };
    assert!(first.ahead.is_some_and(|ahead| ahead.frames == 12) && second.ahead.is_none());
    let whole = plan::Chunk {
        ends: [first.ends.clone(), second.ends.clone()].concat(),
        segments: [first.segments.clone(), second.segments.clone()].concat(),
        to_pts: second.to_pts,
        ahead: None,
        ..first.clone()
    };
    let once = plan::VideoPlan { chunks: vec![whole], ..video.clone() };
    let blind = plan::Chunk { ahead: None, ..first.clone() };
    let blind = plan::VideoPlan { chunks: vec![blind, second.clone()], ..video.clone() };
    let mut made = Vec::new();
    for (name, plan) in [("once", &once), ("chunks", &video), ("blind", &blind)] {
        let scratch = dir.path().join(name);
        std::fs::create_dir(&scratch).unwrap();
        let files = chunk(&tools, plan, 0, &[], &source, &scratch, |_| ()).await.unwrap().files;
        let bytes: u64 = files[0].segments[..first.segments.len()].iter().map(|s| u64::from(s.bytes)).sum();
        let all = std::fs::read(&files[0].path).unwrap();
        assert_eq!(name == "once", files[0].segments.len() > first.segments.len());
        made.push(all[..bytes as usize].to_vec());
    }
    assert!(made[0] == made[1], "{} and {} bytes", made[0].len(), made[1].len());
    assert!(made[0] != made[2], "the film tells nothing");
}
