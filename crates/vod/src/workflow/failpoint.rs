//! Sudden death on demand, for tests that kill a worker at each step: `KINORA_TEST_FAILPOINT=chunk-stored:kill` in a debug
//! build ends the process at that point, with no chance to tidy up.

#[cfg(debug_assertions)]
pub(super) fn reach(point: &str) {
    let wanted = std::env::var("KINORA_TEST_FAILPOINT").unwrap_or_default();
    if wanted.strip_suffix(":kill") == Some(point) {
        crate::guest::kill_self();
    }
}

#[cfg(not(debug_assertions))]
pub(super) fn reach(_point: &str) {}
