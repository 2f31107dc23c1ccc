//! Attempts to get out of the cage, from inside.

use std::{net::TcpListener, path::Path, time::Duration};

use super::*;

fn limits() -> Limits {
    Limits { cpu: Duration::from_secs(20), wall: Duration::from_secs(30), ..Limits::default() }
}

/// Runs a line of shell in the cage and gives what it printed.
async fn shell(dir: &Path, line: &str) -> Result<String> {
    let out =
        Guest::new(Path::new("/bin/sh"), limits()).args(["-c", line]).scratch(dir).output(1 << 20).await?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn ffmpeg(dir: &Path, args: &[&str]) -> Guest {
    Guest::new(Path::new("ffmpeg"), limits())
        .args(["-v", "error", "-nostdin"])
        .args(args.iter().copied())
        .scratch(dir)
}

#[tokio::test]
async fn it_can_work_in_its_own_directory() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(shell(dir.path(), "echo 7 > here; read x < here; echo $x").await.unwrap(), "7\n");
    ffmpeg(dir.path(), &["-f", "lavfi", "-i", "testsrc2=d=0.2:s=64x64", "-c:v", "libx264", "out.mp4"])
        .output(0)
        .await
        .unwrap();
    assert!(dir.path().join("out.mp4").metadata().unwrap().len() > 500);
}

#[tokio::test]
async fn it_cannot_read_or_write_elsewhere() {
    assert!(capabilities().landlock > 0, "this test needs a kernel with Landlock");
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = other.path().join("secret");
    std::fs::write(&secret, "xyzzy").unwrap();
    for path in [Path::new("/etc/passwd"), Path::new("/proc/self/environ"), &secret] {
        let error = shell(dir.path(), &format!("read x < {} && echo $x", path.display())).await.unwrap_err();
        assert!(error.to_string().contains("ermission denied"), "{}: {error}", path.display());
    }
    let outside = other.path().join("new");
    let error = shell(dir.path(), &format!("echo 1 > {}", outside.display())).await.unwrap_err();
    assert!(error.to_string().contains("ermission denied"), "{error}");
    assert!(!outside.exists());
}

#[tokio::test]
async fn it_cannot_start_programs_or_processes() {
    let dir = tempfile::tempdir().unwrap();
    let error = shell(dir.path(), "exec /usr/bin/true").await.unwrap_err();
    assert!(error.to_string().contains("Function not implemented"), "{error}");
    let error = shell(dir.path(), "(echo child) && echo escaped").await.unwrap_err();
    assert!(error.to_string().contains("annot fork"), "{error}");
}

#[tokio::test]
async fn it_has_no_network() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://127.0.0.1:{}/x.mp4", listener.local_addr().unwrap().port());
    let error = ffmpeg(dir.path(), &["-i", &url, "-f", "null", "-"]).output(0).await.unwrap_err();
    assert!(error.to_string().contains("Function not implemented"), "{error}");
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "a connection was made"
    );
}

#[tokio::test]
async fn playlists_reach_neither_files_nor_network() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let film = other.path().join("private.mp4");
    let make = ["-f", "lavfi", "-i", "testsrc2=d=0.2:s=64x64", "-c:v", "libx264", "private.mp4"];
    ffmpeg(other.path(), &make).output(0).await.unwrap();
    let list = format!("ffconcat version 1.0\nfile {}\n", film.display());
    std::fs::write(dir.path().join("list.txt"), list).unwrap();
    let args = [
        "-protocol_whitelist",
        "file,pipe",
        "-f",
        "concat",
        "-safe",
        "0",
        "-i",
        "list.txt",
        "-f",
        "null",
        "-",
    ];
    let error = ffmpeg(dir.path(), &args).output(0).await.unwrap_err();
    assert!(error.to_string().contains("ermission denied"), "{error}");
}

#[tokio::test]
async fn its_environment_is_empty_and_it_has_no_capabilities() {
    let dir = tempfile::tempdir().unwrap();
    let environment = shell(dir.path(), "export -p").await.unwrap();
    assert!(!environment.contains("HOME") && !environment.contains("PATH="), "{environment}");
}

#[tokio::test]
async fn limits_end_it() {
    let dir = tempfile::tempdir().unwrap();
    let run = |limits: Limits, line: &'static str| {
        let dir = dir.path().to_owned();
        async move {
            Guest::new(Path::new("/bin/sh"), limits).args(["-c", line]).scratch(&dir).output(1 << 16).await
        }
    };
    let error =
        run(Limits { cpu: Duration::from_secs(1), ..limits() }, "while :; do :; done").await.unwrap_err();
    assert!(matches!(error, Error::TooMuchCpu | Error::Killed(libc::SIGKILL)), "{error:?}");
    let error = run(Limits { wall: Duration::from_millis(200), ..limits() }, "while :; do :; done")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooSlow(_)), "{error:?}");
    let error =
        run(limits(), "while :; do echo 0123456789012345678901234567890123456789; done").await.unwrap_err();
    assert!(matches!(error, Error::TooLarge), "{error:?}");
    let small = Limits { file_bytes: 4096, ..limits() };
    let error =
        run(small, "while :; do echo 0123456789012345678901234567890123456789; done > f").await.unwrap_err();
    assert!(matches!(error, Error::TooLarge), "{error:?}");
}

#[tokio::test]
async fn dropping_it_kills_it() {
    let dir = tempfile::tempdir().unwrap();
    let guest = Guest::new(Path::new("/bin/sh"), limits())
        .args(["-c", "echo go; while :; do :; done"])
        .scratch(dir.path());
    let (running, mut stdout) = guest.spawn().await.unwrap();
    let mut word = [0; 3];
    stdout.read_exact(&mut word).await.unwrap();
    drop(running);
    // Its end of the pipe closes when it is gone.
    assert_eq!(stdout.read(&mut word).await.unwrap(), 0);
}

#[tokio::test]
async fn a_failure_has_words_and_a_missing_program_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let error = ffmpeg(dir.path(), &["-i", "missing.mp4"]).output(0).await.unwrap_err();
    assert!(error.to_string().contains("No such file or directory"), "{error}");
    let error = Guest::new(Path::new("/usr/bin/no-such-ffmpeg"), limits()).output(0).await.unwrap_err();
    assert!(matches!(&error, Error::Start { .. }) && error.is_transient(), "{error:?}");
}
