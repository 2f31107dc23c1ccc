//! What is told of events.

use std::{collections::HashMap, sync::Arc, time::Duration};

use backends::bus::Bus;
use domain::{event::Latency, live as told};
use live::{
    Slot,
    event::{Shown, Status},
};
use tokio_util::sync::CancellationToken;

use super::gate::Gate;

/// Tells how the events go, every second until `stop`.
pub async fn report(gate: Arc<Gate>, node: String, bus: Bus, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_micros(told::REPORT_EVERY.unsigned_abs()));
    let mut since = HashMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = gate.app.clock.now();
        let all = gate.stage.statuses();
        since.retain(|event, _| all.iter().any(|(settings, _)| settings.event == *event));
        for (settings, status) in all {
            let Ok(event) = settings.event.parse() else { continue };
            let way = |slot| gate.way(&settings.event, slot).unwrap_or(("rtmp", now));
            let state = if status.sources.is_empty() {
                told::State::Waiting
            } else if status.segments == 0 {
                told::State::Starting
            } else {
                told::State::Live
            };
            let entry = since.entry(settings.event.clone()).or_insert((state, now));
            if entry.0 != state {
                *entry = (state, now);
            }
            bus.tell(&told::Report {
                event,
                node: node.clone(),
                at: now,
                state,
                latency: if settings.low_latency { Latency::Low } else { Latency::Standard },
                since: entry.1,
                on_air: match status.on_air {
                    Some(Slot::Primary) => told::OnAir::Primary,
                    Some(Slot::Backup) => told::OnAir::Backup,
                    None if status.segments > 0 => told::OnAir::Slate,
                    None => told::OnAir::Nothing,
                },
                publishers: status
                    .sources
                    .iter()
                    .map(|(slot, one)| publisher(*slot, one, way(*slot)))
                    .collect(),
                ladder: told::Ladder {
                    rungs: status
                        .rungs
                        .iter()
                        .enumerate()
                        .map(|(n, rung)| told_rung(n, rung, &status))
                        .collect(),
                    deaths: status.deaths,
                    speed_milli: status.speed_milli,
                },
                segments: status.segments,
                viewers: 0,
            });
        }
    }
}

fn told_rung(n: usize, rung: &Shown, status: &Status) -> told::Rung {
    told::Rung {
        width: rung.width,
        height: rung.height,
        bitrate_bps: rung.bitrate_bps.into(),
        is_source: n == 0 && status.keeps_source,
        on: rung.on,
    }
}

fn publisher(slot: Slot, one: &live::Snapshot, (protocol, since): (&str, domain::Micros)) -> told::Publisher {
    let track = |track: &live::TrackSnapshot| told::Track {
        kind: track.track.split(' ').next().unwrap_or_default().to_owned(),
        codec: track.codec.clone(),
        width: track.width,
        height: track.height,
        sample_rate: track.sample_rate,
        channels: track.channels,
        bitrate_bps: track.bitrate_bps,
        frame_rate_milli: track.frame_rate_milli,
        key_interval_ms: track.key_interval_ms,
        longest_key_interval_ms: track.longest_key_interval_ms,
        frames: track.frames,
        dropped: track.dropped,
        missing: track.missing,
    };
    let warning = |advice: live::Advice| told::Warning { code: advice.code.to_owned(), words: advice.words };
    told::Publisher {
        slot,
        protocol: protocol.to_owned(),
        encoder: one.encoder.clone(),
        since,
        bitrate_bps: one.bitrate_bps,
        bytes: one.bytes,
        silence_ms: one.silence_ms,
        lead_ms: one.lead_ms,
        av_drift_ms: one.av_drift_ms,
        tracks: one.tracks.iter().map(track).collect(),
        warnings: one.advice().into_iter().map(warning).collect(),
    }
}
