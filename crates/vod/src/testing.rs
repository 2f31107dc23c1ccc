//! Media for tests, made on the fly.

use std::path::{Path, PathBuf};

/// Makes `name` in `dir` with an ordinary ffmpeg.
pub(crate) async fn media(dir: &Path, name: &str, args: &[&str]) -> PathBuf {
    let path = dir.join(name);
    let out = tokio::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(args)
        .arg(&path)
        .output()
        .await
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    path
}
