//! What guests use up and what they say when they fail, for the job that they work for.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

tokio::task_local! {
    static METER: Meter;
}

/// CPU time of all guests of one job, and the last words of those that failed.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    cpu_ms: Arc<AtomicU64>,
    log: Arc<Mutex<String>>,
}

/// Bytes of a job's log that are kept: its end.
const LOG_KEPT: usize = 64 << 10;

impl Meter {
    /// Runs `work`; guests that it starts and waits for count here.
    pub async fn counts<F: Future>(&self, work: F) -> F::Output {
        METER.scope(self.clone(), work).await
    }

    pub fn cpu(&self) -> Duration {
        Duration::from_millis(self.cpu_ms.load(Relaxed))
    }

    /// What guests that failed were asked to do and what they said, the latest last.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Keeps what a guest that failed was asked and what it said.
pub(super) fn note(asked: &str, said: &str, end: &str) {
    let _ = METER.try_with(|meter| {
        let mut log = meter.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(&format!("$ {asked}\n{}\n{end}\n\n", said.trim_end()));
        let over = log.len().saturating_sub(LOG_KEPT);
        let over = (over..=log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
        log.drain(..over);
    });
}

/// Counts a guest that is about to end, or to be killed, and was not waited for yet.
pub(super) fn count(pid: u32) {
    let _ = METER.try_with(|meter| {
        if let Some(ms) = cpu_ms(pid) {
            meter.cpu_ms.fetch_add(ms, Relaxed);
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
