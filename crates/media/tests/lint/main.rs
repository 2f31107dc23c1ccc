//! The lint on good streams, on streams that break exactly one rule, and on other people's streams.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod boxes;
mod cases_cenc;
mod cases_cmaf;
mod cases_dash;
mod cases_hls;
mod cases_live;
mod cases_media;
mod codecs;
mod docs;
mod formats;
mod hostile;
mod peers;
mod rules;
#[path = "../support/mod.rs"]
mod support;
mod world;

/// All ways to break a rule.
fn all_cases() -> Vec<rules::Case> {
    [
        cases_hls::cases(),
        cases_media::cases(),
        cases_live::cases(),
        cases_cmaf::cases(),
        cases_cenc::cases(),
        cases_dash::cases(),
        codecs::cases(),
        formats::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
