//! What guests use up, counted for the job that they work for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

tokio::task_local! {
    static METER: Meter;
}

/// CPU time of all guests of one job.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Runs `work`; guests that it starts and waits for count here.
    pub async fn counts<F: Future>(&self, work: F) -> F::Output {
        METER.scope(self.clone(), work).await
    }

    pub fn cpu(&self) -> Duration {
        Duration::from_millis(self.0.load(Relaxed))
    }
}

/// Counts a guest that is about to end, or to be killed, and was not waited for yet.
pub(super) fn count(pid: u32) {
    let _ = METER.try_with(|meter| {
        if let Some(ms) = cpu_ms(pid) {
            meter.0.fetch_add(ms, Relaxed);
        }
    });
}

/// A process that has closed its output ends at any moment. Until it is waited for, the kernel knows what it took.
pub(super) async fn count_ending(pid: u32) {
    for _ in 0..20 {
        if is_over(pid) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    count(pid);
}

/// `/proc/PID/stat` from the state on (proc(5)): the name before it may hold anything.
fn stat(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.trim_start().to_owned())
}

fn is_over(pid: u32) -> bool {
    stat(pid).is_none_or(|stat| stat.starts_with('Z'))
}

fn cpu_ms(pid: u32) -> Option<u64> {
    let stat = stat(pid)?;
    // utime and stime, fields 14 and 15, in clock ticks, of which a second has 100 on Linux.
    let mut fields = stat.split(' ').skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks * 10)
}
