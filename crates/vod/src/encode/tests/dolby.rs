//! Dolby sound that is taken over as it is.

use super::*;

/// A film with a picture that flashes and Dolby sound that beeps.
async fn with_dolby(dir: &Path, name: &str, more: &[&str]) -> PathBuf {
    let picture = "color=black:s=426x240:r=25:d=14,geq=lum='if(lt(mod(T+0.5,1),0.1),235,16)':cb=128:cr=128";
    let sound = "aevalsrc='if(lt(mod(t+0.5,1),0.1),sin(2000*PI*t),0)':s=48000:d=14";
    let args =
        ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-preset", "ultrafast"];
    let coder = ["-c:a", "eac3", "-b:a", "192k", "-ac", "6"];
    media(dir, name, &[&args[..], &coder, more].concat()).await
}

fn keeping() -> Profile {
    Profile { keep_dolby: true, ..profile() }
}

#[tokio::test]
async fn every_frame_is_copied_and_stays_with_the_picture() {
    for name in ["a.mp4", "a.mkv", "a.ts"] {
        let dir = tempfile::tempdir().unwrap();
        let source = with_dolby(dir.path(), name, &[]).await;
        let made = make_as(dir, &source, &keeping()).await;
        assert_eq!(
            made.plan.audio.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(),
            ["a0", "a0eac3"],
            "{name}"
        );
        assert_eq!(made.plan.audio[0].label, made.plan.audio[1].label);
        let (picture, dolby) = (flashes(&made.tracks[0]).await, beeps(&made.tracks[3]).await);
        assert_eq!((picture.len(), dolby.len()), (14, 14), "{name}: {picture:?} {dolby:?}");
        for (flash, beep) in picture.iter().zip(&dolby) {
            // Half a frame of sound, and its encoder's fading in.
            assert!((flash - beep).abs() < 0.03, "{name}: {flash} s against {beep} s");
        }
        let entries = ["-v", "error", "-show_entries", "stream=codec_name,channels", "-of", "csv=p=0"];
        let told = judge("ffprobe", &[&entries[..], &[made.tracks[3].to_str().unwrap()]].concat()).await;
        assert_eq!(told.trim().trim_end_matches(','), "eac3,6", "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_copied_is_not_planned() {
    let dir = tempfile::tempdir().unwrap();
    let whole = with_dolby(dir.path(), "a.mp4", &[]).await;
    let plan_of = async |path: &Path| {
        let (info, index) = probe::probe(&Tools::default(), path, &probe::Limits::default()).await.unwrap();
        plan::plan(&info, &index, &keeping()).unwrap().audio.len()
    };
    // Sound that begins late would need silence before it, and sound that ends early after it.
    let args = [
        "-i",
        whole.to_str().unwrap(),
        "-itsoffset",
        "2",
        "-i",
        whole.to_str().unwrap(),
        "-map",
        "0:v",
        "-map",
        "1:a",
    ];
    let late = media(dir.path(), "late.mp4", &[&args[..], &["-c", "copy"]].concat()).await;
    assert_eq!(plan_of(&late).await, 1);
    let args = [
        "-i",
        whole.to_str().unwrap(),
        "-t",
        "9",
        "-i",
        whole.to_str().unwrap(),
        "-map",
        "0:v",
        "-map",
        "1:a",
    ];
    let short = media(dir.path(), "short.mp4", &[&args[..], &["-c", "copy"]].concat()).await;
    assert_eq!(plan_of(&short).await, 1);
    assert_eq!(plan_of(&whole).await, 2);
}
