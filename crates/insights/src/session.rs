//! The playback sessions that send beats: which beats were seen, how much one session may tell, and who watches now.

use std::collections::HashMap;

use domain::{Micros, PresentationId};
use uuid::Uuid;

use crate::{beat::What, edges::Edge, record::Record};

/// Beats further behind the highest one are taken for repeated. Players send in order, one request at a time.
const REMEMBERED: u32 = 128;
/// A session may send so many beats at once, and one more with each second of its life.
const BURST: u64 = 600;
/// A session may tell of so much more time than has passed since it began: beats are rounded, and clocks drift.
const SLACK_MS: u64 = 60_000;
/// Who said nothing for so long watches no more.
pub const WATCHING: i64 = 25 * Micros::SECOND;
/// Sessions are forgotten after so long a silence; their retries are over by then.
pub const FORGET: i64 = 15 * Micros::MINUTE;
/// Sessions that are remembered at once, about 200 bytes each.
const MOST: usize = 1_000_000;

/// What is known of one session.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    presentation: PresentationId,
    edge: Edge,
    /// The highest number seen, and those before it as bits, itself lowest.
    highest: u32,
    seen: u128,
    beats: u64,
    told_ms: u64,
    pub started: bool,
    pub failed: bool,
    /// The last beat, and the last one that said that it plays.
    heard: Micros,
    played: Option<Micros>,
}

/// Why a session's beats are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    #[error("This session sends too many beats.")]
    Beats,
    #[error("There are more sessions than can be followed.")]
    Sessions,
}

#[derive(Debug, Default)]
pub struct Sessions(HashMap<Uuid, Session>);

/// What was known before, to go back to.
pub type Before = (Uuid, Option<Session>);

impl Sessions {
    /// Drops from `record` what was seen before and brings its times down to those that can have passed. Gives how many beats
    /// were dropped, and the way back.
    pub fn admit(&mut self, record: &mut Record) -> Result<(usize, Before), Excess> {
        let id = record.session;
        let known = self.0.get(&id).copied();
        if known.is_none() && self.0.len() >= MOST {
            return Err(Excess::Sessions);
        }
        let mut session = known.unwrap_or_else(|| Session::new(record));
        let sent = record.beats.len();
        record.beats.retain(|beat| session.is_new(beat.seq));
        let life_ms = lifetime_ms(record);
        session.beats += record.beats.len() as u64;
        if session.beats > BURST + life_ms / 1000 {
            return Err(Excess::Beats);
        }
        for beat in &mut record.beats {
            if let What::Play(play) = &mut beat.what {
                let left = (life_ms + SLACK_MS).saturating_sub(session.told_ms);
                play.playing_ms = play.playing_ms.min(u32::try_from(left).unwrap_or(u32::MAX));
                let left = left - u64::from(play.playing_ms);
                play.stalled_ms = play.stalled_ms.min(u32::try_from(left).unwrap_or(u32::MAX));
                session.told_ms += u64::from(play.playing_ms) + u64::from(play.stalled_ms);
            }
        }
        session.heard = session.heard.max(record.received);
        self.0.insert(id, session);
        Ok((sent - record.beats.len(), (id, known)))
    }

    /// Goes back to what was known before [`Sessions::admit`]; the latest first.
    pub fn undo(&mut self, (id, before): Before) {
        match before {
            Some(session) => self.0.insert(id, session),
            None => self.0.remove(&id),
        };
    }

    /// The session of a record that was admitted.
    pub fn of(&mut self, record: &Record) -> &mut Session {
        self.0.entry(record.session).or_insert_with(|| Session::new(record))
    }

    /// Sessions that play at `now`, by what and from where.
    pub fn watching(&self, now: Micros) -> HashMap<(PresentationId, Edge), i64> {
        let mut counts = HashMap::new();
        let since = now.plus(-WATCHING);
        for session in self.0.values().filter(|one| one.played.is_some_and(|at| at >= since)) {
            *counts.entry((session.presentation, session.edge)).or_default() += 1;
        }
        counts
    }

    /// Forgets who was silent for long.
    pub fn forget(&mut self, now: Micros) {
        let since = now.plus(-FORGET);
        self.0.retain(|_, session| session.heard >= since);
        if self.0.capacity() > 4 * self.0.len() + 1024 {
            self.0.shrink_to(2 * self.0.len());
        }
    }
}

/// How long the session has lived when the record came: its id tells when the permission to play was given.
fn lifetime_ms(record: &Record) -> u64 {
    let born = record.session.get_timestamp().map_or(0, |at| {
        let (seconds, nanos) = at.to_unix();
        seconds * 1000 + u64::from(nanos / 1_000_000)
    });
    u64::try_from(record.received.millis()).unwrap_or_default().saturating_sub(born)
}

impl Session {
    fn new(record: &Record) -> Self {
        Self {
            presentation: record.presentation,
            edge: Edge::ORIGIN,
            highest: 0,
            seen: 0,
            beats: 0,
            told_ms: 0,
            started: false,
            failed: false,
            heard: record.received,
            played: None,
        }
    }

    /// Notes a number. False when it was seen, or lies too far behind to tell.
    fn is_new(&mut self, seq: u32) -> bool {
        if self.seen == 0 || seq > self.highest {
            let ahead = if self.seen == 0 { REMEMBERED } else { seq - self.highest };
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = seq;
            return true;
        }
        let behind = self.highest - seq;
        let bit = 1_u128.checked_shl(behind).unwrap_or(0);
        let is_new = bit != 0 && self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }

    /// Notes where the session stands after a beat that counts.
    pub fn note(&mut self, what: &What, edge: Edge, at: Micros) {
        self.edge = edge;
        match what {
            What::Start { .. } => self.played = Some(at),
            What::Play(play) if play.playing_ms > 0 || play.stalled_ms > 0 => self.played = Some(at),
            What::End | What::Error { fatal: true, .. } => self.played = None,
            What::Play(_) | What::Error { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beat::{Beat, Play};

    fn record(session: Uuid, seqs: &[u32], received: Micros) -> Record {
        let what = What::Play(Play { playing_ms: 10_000, stalled_ms: 500, ..Play::default() });
        let beat = |seq: &u32| Beat { seq: *seq, age_ms: 0, edge: "".into(), what: what.clone() };
        let presentation = PresentationId(Uuid::nil());
        Record { received, session, presentation, beats: seqs.iter().map(beat).collect() }
    }

    fn taken(sessions: &mut Sessions, session: Uuid, seqs: &[u32], at: Micros) -> Vec<u32> {
        let mut record = record(session, seqs, at);
        sessions.admit(&mut record).unwrap();
        record.beats.iter().map(|beat| beat.seq).collect()
    }

    fn born(session: Uuid) -> Micros {
        let (seconds, nanos) = session.get_timestamp().unwrap().to_unix();
        Micros(seconds as i64 * Micros::SECOND + i64::from(nanos) / 1000)
    }

    #[test]
    fn each_beat_counts_once_in_any_order() {
        let (mut sessions, id) = (Sessions::default(), Uuid::now_v7());
        let now = born(id).plus(Micros::HOUR);
        assert_eq!(taken(&mut sessions, id, &[0, 1, 2], now), [0, 1, 2]);
        assert_eq!(taken(&mut sessions, id, &[0, 1, 2], now), [0; 0]);
        assert_eq!(taken(&mut sessions, id, &[2, 3, 9], now), [3, 9]);
        assert_eq!(taken(&mut sessions, id, &[4, 8, 9], now), [4, 8]);
        assert_eq!(taken(&mut sessions, id, &[1000], now), [1000]);
        assert_eq!(taken(&mut sessions, id, &[5, 872, 873, 1000], now), [873], "too far behind to tell");
        let other = Uuid::now_v7();
        assert_eq!(taken(&mut sessions, other, &[7], now), [7]);
        assert_eq!(taken(&mut sessions, other, &[0, 7], now), [0]);
    }

    #[test]
    fn a_refused_record_leaves_no_trace() {
        let (mut sessions, id) = (Sessions::default(), Uuid::now_v7());
        let now = born(id);
        let (_, first) = sessions.admit(&mut record(id, &[0], now)).unwrap();
        let (_, second) = sessions.admit(&mut record(id, &[1, 2], now)).unwrap();
        sessions.undo(second);
        assert_eq!(taken(&mut sessions, id, &[1], now), [1]);
        sessions.undo(first);
        assert_eq!(taken(&mut sessions, id, &[0, 1, 2], now), [0, 1, 2]);
    }

    #[test]
    fn nobody_tells_of_more_time_than_has_passed() {
        let (mut sessions, id) = (Sessions::default(), Uuid::now_v7());
        let mut all = record(id, &(0..100).collect::<Vec<_>>(), born(id).plus(30 * Micros::SECOND));
        sessions.admit(&mut all).unwrap();
        let told: u32 = all
            .beats
            .iter()
            .map(|beat| match &beat.what {
                What::Play(play) => play.playing_ms + play.stalled_ms,
                _ => 0,
            })
            .sum();
        assert!((89_000..=90_001).contains(&told), "{told}");
    }

    #[test]
    fn nobody_sends_without_end() {
        let (mut sessions, id) = (Sessions::default(), Uuid::now_v7());
        let now = born(id).plus(10 * Micros::SECOND);
        taken(&mut sessions, id, &(0..500).collect::<Vec<_>>(), now);
        let more: Vec<u32> = (500..700).collect();
        assert_eq!(sessions.admit(&mut record(id, &more, now)).unwrap_err(), Excess::Beats);
        let later = now.plus(90 * Micros::SECOND);
        assert_eq!(taken(&mut sessions, id, &more, later).len(), 200);
    }

    #[test]
    fn who_plays_is_counted_until_silence_or_the_end() {
        let (mut sessions, now) = (Sessions::default(), Micros(1_000 * Micros::SECOND));
        let [quiet, loud] = [Uuid::now_v7(), Uuid::now_v7()];
        let play = What::Play(Play { playing_ms: 1, ..Play::default() });
        for id in [quiet, loud] {
            let record = record(id, &[0], now);
            sessions.of(&record).note(&play, Edge::ORIGIN, now);
        }
        let count = |sessions: &Sessions, at| sessions.watching(at).values().sum::<i64>();
        assert_eq!(count(&sessions, now), 2);
        sessions.of(&record(loud, &[0], now)).note(&What::End, Edge::ORIGIN, now);
        assert_eq!(count(&sessions, now), 1);
        assert_eq!(count(&sessions, now.plus(WATCHING + 1)), 0);
        sessions.forget(now.plus(FORGET + 1));
        assert!(sessions.0.is_empty());
    }
}
