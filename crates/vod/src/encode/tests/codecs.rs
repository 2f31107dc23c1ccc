//! Every codec of a profile, judged by programs of others.

use domain::profile::{AudioCodec, Effort, Video, VideoCodec};
use media::descriptor::Range;

use super::*;

fn with(codec: VideoCodec) -> Profile {
    let mut profile = profile();
    profile.video.push(Video { codec, effort: Effort::Fast, crf: None, from_height: None });
    profile
}

/// What ffprobe says of the first video stream.
pub(super) async fn told(path: &Path, entries: &str) -> String {
    let entries = format!("stream={entries}");
    let args = ["-v", "error", "-select_streams", "v", "-show_entries", &entries, "-of", "csv=p=0"];
    judge("ffprobe", &[&args[..], &[path.to_str().unwrap()]].concat()).await.trim().to_owned()
}

async fn key_frames(path: &Path) -> Vec<usize> {
    let args = ["-v", "error", "-show_entries", "packet=flags", "-of", "csv=p=0", path.to_str().unwrap()];
    let text = judge("ffprobe", &args).await;
    let keys =
        text.lines().filter(|line| !line.is_empty()).enumerate().filter(|(_, line)| line.starts_with('K'));
    keys.map(|(n, _)| n).collect()
}

/// Structural similarity of a rung to the source scaled to its size, worst frame.
pub(super) async fn worst_frame(source: &Path, rung: &Path, size: (u32, u32)) -> f64 {
    let graph = format!("[1:v]scale={}:{}[s];[0:v][s]ssim=stats_file=-", size.0, size.1);
    let args = ["-v", "error", "-i", rung.to_str().unwrap(), "-i", source.to_str().unwrap()];
    let args = [&args[..], &["-filter_complex", &graph, "-f", "null", "-"]].concat();
    let text = judge("ffmpeg", &args).await;
    let all =
        text.lines().filter_map(|line| line.split("All:").nth(1)?.split(' ').next()?.parse::<f64>().ok());
    all.fold(1.0, f64::min)
}

async fn every_frame_in_its_place(codec: VideoCodec, name: &str, tag: &str) {
    let dir = tempfile::tempdir().unwrap();
    let source = "testsrc2=s=426x240:r=30000/1001:d=17";
    let source = media(dir.path(), "a.mp4", &with_sound(source, &["-bf", "3", "-g", "71"])).await;
    let made = make_as(dir, &source, &with(codec)).await;
    let video = made.plan.video.as_ref().unwrap();
    assert_eq!((video.chunks.len(), video.codecs()), (2, vec![VideoCodec::H264, codec]));
    let first = decoded(&made.tracks[0]).await;
    for (path, rung) in made.tracks[2..4].iter().zip(&video.rungs[2..]) {
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), rung.id);
        assert_eq!(told(path, "codec_name,codec_tag_string,pix_fmt").await, format!("{name},{tag},yuv420p"));
        assert_eq!(size(path).await, format!("{}x{}", rung.width, rung.height));
        assert_eq!(decoded(path).await, first, "{}: the same times as H.264", rung.id);
        assert_eq!(key_frames(path).await, key_frames(&made.tracks[0]).await, "{}", rung.id);
        let worst = worst_frame(&source, path, (rung.width, rung.height)).await;
        assert!(worst > 0.8, "{}: a frame is not the source's ({worst})", rung.id);
    }
}

#[tokio::test]
async fn hevc() {
    every_frame_in_its_place(VideoCodec::Hevc, "hevc", "hvc1").await;
}

#[tokio::test]
async fn vp9() {
    every_frame_in_its_place(VideoCodec::Vp9, "vp9", "vp09").await;
}

#[tokio::test]
async fn av1() {
    every_frame_in_its_place(VideoCodec::Av1, "av1", "av01").await;
}

#[tokio::test]
async fn uneven_rates_in_every_codec_that_takes_them() {
    let dir = tempfile::tempdir().unwrap();
    let filter = "select='not(eq(mod(n,7),2)+eq(mod(n,5),3))'";
    let args = ["-f", "lavfi", "-i", "testsrc2=s=426x240:r=30:d=6", "-vf", filter, "-fps_mode", "vfr"];
    let args = [&args[..], &["-c:v", "libx264", "-preset", "ultrafast"]].concat();
    let source = media(dir.path(), "a.mp4", &args).await;
    let mut profile = profile();
    profile.ladder.remove(0);
    for codec in [VideoCodec::Hevc, VideoCodec::Vp9, VideoCodec::Av1] {
        profile.video.push(Video { codec, effort: Effort::Fast, crf: None, from_height: None });
    }
    let made = make_as(dir, &source, &profile).await;
    assert_eq!(made.plan.video.as_ref().unwrap().times, plan::Times::Listed);
    assert_eq!(
        made.plan.video.as_ref().unwrap().codecs(),
        [VideoCodec::H264, VideoCodec::Hevc, VideoCodec::Vp9]
    );
    let (times, keys) = (decoded(&made.tracks[0]).await, key_frames(&made.tracks[0]).await);
    for path in &made.tracks[1..] {
        assert_eq!(decoded(path).await, times, "{}", path.display());
        assert_eq!(key_frames(path).await, keys, "{}", path.display());
    }
}

#[tokio::test]
async fn high_dynamic_range_is_kept_where_it_can_be() {
    let display = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)";
    for (transfer, range) in [("smpte2084", Range::Pq), ("arib-std-b67", Range::Hlg)] {
        let dir = tempfile::tempdir().unwrap();
        let params = format!("log-level=error:hdr10=1:{display}:max-cll=1000,400");
        let args =
            ["-f", "lavfi", "-i", "testsrc2=s=426x240:r=24:d=2", "-c:v", "libx265", "-preset", "ultrafast"];
        let colours = ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"];
        let rest = ["-pix_fmt", "yuv420p10le", "-x265-params", &params];
        let source = media(dir.path(), "a.mkv", &[&args[..], &colours, &rest].concat()).await;
        let mut profile = with(VideoCodec::Hevc);
        profile.video.extend(with(VideoCodec::Vp9).video.pop());
        profile.video.extend(with(VideoCodec::Av1).video.pop());
        let made = make_as(dir, &source, &profile).await;
        let entries = "pix_fmt,color_space,color_transfer,color_primaries";
        for (path, rung) in made.tracks.iter().zip(&made.plan.video.as_ref().unwrap().rungs) {
            let found = told(path, entries).await.trim_end_matches(',').to_owned();
            let bytes = std::fs::read(path).unwrap();
            let header = ::media::mp4::Header::parse_file(&bytes).unwrap();
            let spec = ::media::cmaf::TrackSpec::from_header(&header.tracks[0], 0).unwrap();
            if rung.codec.keeps_hdr() {
                assert_eq!(found, format!("yuv420p10le,bt2020nc,{transfer},bt2020"), "{}", rung.id);
                assert_eq!(spec.range(), range);
                let args = ["-v", "error", "-show_frames", "-read_intervals", "%+#1", path.to_str().unwrap()];
                let frame = judge("ffprobe", &args).await;
                for fact in ["red_x=", "max_luminance=", "max_content=1000", "max_average=400"] {
                    assert!(transfer != "smpte2084" || frame.contains(fact), "{}: {fact}: {frame}", rung.id);
                }
            } else {
                assert!(found.starts_with("yuv420p,bt709,bt709,bt709"), "{}: {found}", rung.id);
                assert_eq!(spec.range(), Range::Sdr);
            }
            assert_eq!(decoded(path).await.len(), 48);
        }
    }
}

#[tokio::test]
async fn opus_stays_with_the_picture() {
    let dir = tempfile::tempdir().unwrap();
    let source = "color=black:s=320x240:r=50:d=12,drawbox=c=white:t=fill:enable='lt(mod(t+1.5,3),0.1)'";
    let beeps_of = "sine=f=1000:r=48000:d=12,volume='if(lt(mod(t+1.5,3),0.1),1,0)':eval=frame";
    let args =
        ["-f", "lavfi", "-i", source, "-f", "lavfi", "-i", beeps_of, "-c:v", "libx264", "-c:a", "pcm_s16le"];
    let source = media(dir.path(), "a.mkv", &args).await;
    let mut profile = profile();
    profile.audio.push(AudioCodec::Opus);
    let made = make_as(dir, &source, &profile).await;
    let [aac, opus] = &made.tracks[2..] else { panic!("two tracks of sound") };
    assert_eq!(opus.file_stem().unwrap(), "a0opus");
    let entries =
        ["-v", "error", "-show_entries", "stream=codec_name,codec_tag_string,start_pts", "-of", "csv=p=0"];
    let found = judge("ffprobe", &[&entries[..], &[opus.to_str().unwrap()]].concat()).await;
    assert_eq!(found.trim(), "opus,Opus,0");
    let (aac, opus) = (beeps(aac).await, beeps(opus).await);
    assert_eq!(aac.len(), 4);
    for (aac, opus) in aac.iter().zip(&opus) {
        assert!((aac - opus).abs() < 0.006, "AAC at {aac}, Opus at {opus}");
    }
}
