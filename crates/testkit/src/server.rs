//! Starts a private server once per test process, unless the environment names a running one (`./test` starts them once for
//! all processes).

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// The address in variable `name`, or that of a server of kind `kind` (a word of scripts/test-servers.sh) that this call
/// starts. Blocking: call it once, off the runtime.
pub(crate) fn address(name: &str, kind: &str) -> Result<String> {
    if let Ok(address) = std::env::var(name)
        && !address.is_empty()
    {
        return Ok(address);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/test-servers.sh");
    // The server ends when its input does. Only this process holds the other end, so however the process ends (a panic, a
    // kill), the server goes too. Its own process group keeps a Ctrl-C from killing it before it has cleaned up.
    let mut child = Command::new(script)
        .arg(kind)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {script} {kind}"))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    let Some(address) = line.trim_end().strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) else {
        bail!("{kind} did not start: {}", complaint(&mut child));
    };
    // Kept, and with it the pipe to its input, until the process ends.
    std::mem::forget(child);
    Ok(address.to_owned())
}

fn complaint(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = child.stderr.as_mut() {
        let _ = stderr.take(64 * 1024).read_to_string(&mut text);
    }
    text
}
