//! A chunk out of the parts of a source that the plan says it needs.

use std::os::unix::fs::FileExt;

use super::*;

#[tokio::test]
async fn the_parts_that_are_planned_are_enough() {
    for (name, flags) in [("end.mov", "+write_colr"), ("front.mp4", "+faststart")] {
        let dir = tempfile::tempdir().unwrap();
        // Noise, so that a chunk is more than what is read of any file to know it.
        let source = "nullsrc=s=426x240:r=25:d=30,geq=random(1)*255:128:128";
        let sound = ["-f", "lavfi", "-i", "anoisesrc=d=30:a=0.1", "-c:a", "aac", "-b:a", "256k"];
        let video = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "12", "-g", "50", "-bf", "2"];
        let args =
            [&["-f", "lavfi", "-i", source][..], &sound[..4], &video, &sound[4..], &["-movflags", flags]]
                .concat();
        let args: Vec<&str> = args.into_iter().collect();
        let whole = media(dir.path(), name, &args).await;
        let tools = Tools { threads: 1, ..Tools::default() };
        let (info, index) = probe::probe(&tools, &whole, &probe::Limits::default()).await.unwrap();
        let plan = plan::plan(&info, &index, &profile()).unwrap().video.unwrap();
        let frame = info.frame.unwrap();
        for n in 1..plan.chunks.len() {
            let parts = [&frame[..], &plan.chunks[n].reach].concat();
            let file = std::fs::File::open(&whole).unwrap();
            let length = file.metadata().unwrap().len();
            let some = dir.path().join("some");
            let out = std::fs::File::create(&some).unwrap();
            out.set_len(length).unwrap();
            let mut copied = 0;
            for (from, to) in parts {
                let mut bytes = vec![0; (to.min(length) - from) as usize];
                file.read_exact_at(&mut bytes, from).unwrap();
                out.write_all_at(&bytes, from).unwrap();
                copied += bytes.len() as u64;
            }
            assert!(copied < length, "{name}: {copied} of {length}");
            let mut made = Vec::new();
            for input in [&whole, &some] {
                let scratch = tempfile::tempdir_in(dir.path()).unwrap();
                let files = chunk(&tools, &plan, n, &[], input, scratch.path(), |_| ()).await.unwrap().files;
                made.push(files.iter().map(|file| std::fs::read(&file.path).unwrap()).collect::<Vec<_>>());
            }
            assert!(made[0] == made[1], "{name}: chunk {n} is another one");
        }
    }
}
