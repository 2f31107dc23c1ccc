//! SQLite lives on one machine: processes on another one that reach its file through a network file system are refused,
//! since its locks do not hold there.
//!
//! Beside the database lies `kinora.db.machine`: which machine uses it, touched every 20 seconds. Another machine may take
//! over once that has been still for a minute (the data directory moved house).

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, bail};

/// How often the file is touched.
pub const BEAT: Duration = Duration::from_secs(20);
const STALE: Duration = Duration::from_secs(60);

/// Claims the SQLite database at `database` for this machine.
pub fn claim(database: &Path) -> anyhow::Result<Claim> {
    claim_as(database, &identity())
}

/// The claim; [`Claim::beat`] keeps it.
#[derive(Debug, Clone)]
pub struct Claim {
    file: PathBuf,
    identity: String,
}

impl Claim {
    pub fn beat(&self) -> io::Result<()> {
        std::fs::write(&self.file, &self.identity)
    }
}

fn claim_as(database: &Path, identity: &str) -> anyhow::Result<Claim> {
    let mut name = database.as_os_str().to_owned();
    name.push(".machine");
    let claim = Claim { file: name.into(), identity: identity.to_owned() };
    if let Ok(holder) = std::fs::read_to_string(&claim.file) {
        let still = std::fs::metadata(&claim.file)
            .and_then(|meta| meta.modified())
            .ok()
            .and_then(|at| SystemTime::now().duration_since(at).ok());
        let is_live = still.is_none_or(|still| still < STALE);
        if is_live && !is_same_machine(&holder, identity) {
            bail!(
                "the SQLite database {} is in use by another machine. SQLite works on one machine only: run all roles \
                 there, or use PostgreSQL (database.url = \"postgres://…\") to spread them. If that machine is gone, try \
                 again in a minute.",
                database.display()
            );
        }
    }
    claim.beat().with_context(|| format!("writing {}", claim.file.display()))?;
    Ok(claim)
}

/// Two texts, either of which is enough: the installation's, and the running kernel's, which its containers share.
pub(crate) fn identity() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    format!("{} {}", read("/etc/machine-id"), read("/proc/sys/kernel/random/boot_id"))
}

/// What this machine is called; empty when it does not tell.
pub(crate) fn name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// Memory of this machine, bytes; 0 when it does not tell.
pub(crate) fn memory_bytes() -> u64 {
    let told = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = told.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

fn is_same_machine(a: &str, b: &str) -> bool {
    let (a, b) = (a.split_once(' ').unwrap_or((a, "")), b.split_once(' ').unwrap_or((b, "")));
    (a.0 == b.0 && !a.0.is_empty()) || (a.1 == b.1 && !a.1.is_empty()) || a == b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_refused_until_the_first_is_still() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("kinora.db");
        let first = claim_as(&database, "one boot1").unwrap();
        claim_as(&database, "one boot2").expect("the same machine after a reboot");
        claim_as(&database, "- boot2").expect("a container on the same machine");
        first.beat().unwrap();
        let refused = claim_as(&database, "two boot3").unwrap_err().to_string();
        assert!(refused.contains("another machine") && refused.contains("PostgreSQL"), "{refused}");
        let past = SystemTime::now() - Duration::from_secs(61);
        std::fs::File::options().write(true).open(&first.file).unwrap().set_modified(past).unwrap();
        claim_as(&database, "two boot3").expect("takes over what lies still");
    }
}
