//! Files that ffmpeg makes from a plain line of arguments, for what a `Clip` cannot say.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use tokio::process::Command;

/// The file that ffmpeg makes of `line` (arguments parted by white space, without the output's name), kept in the cache
/// under the hash of the line. It is shared: do not change it.
pub async fn ffmpeg(line: &str, extension: &str) -> Result<PathBuf> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let key = format!("1 {words:?}");
    let name = format!("{}.{extension}", hex::encode(&Sha256::digest(key.as_bytes())[..12]));
    let dir = crate::cache_dir().join("fixtures");
    let file = dir.join(name);
    if tokio::fs::try_exists(&file).await? {
        return Ok(file);
    }
    tokio::fs::create_dir_all(&dir).await?;
    // Two tests may make the same file at once: each its own, and the last to rename wins with equal content.
    let partial = dir.join(format!("{}.{extension}", uuid::Uuid::now_v7().simple()));
    let done = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
        .args(&words)
        .arg(&partial)
        .kill_on_drop(true)
        .output()
        .await
        .context("run ffmpeg")?;
    if !done.status.success() {
        let _ = tokio::fs::remove_file(&partial).await;
    }
    ensure!(done.status.success(), "ffmpeg {line}: {}", String::from_utf8_lossy(&done.stderr));
    tokio::fs::rename(&partial, &file).await?;
    Ok(file)
}
