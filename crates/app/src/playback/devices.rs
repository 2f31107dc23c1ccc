//! The devices of an account: on how many it may be watched.

use api::{Principal, Problem};
use axum::http::StatusCode;
use domain::Micros;
use store::{Connect, tokens};

use crate::{App, Result};

/// Notes of playbacks are so exact, microseconds.
const EXACT: i64 = Micros::HOUR;

impl App {
    /// Counts the caller's device. 403 when the account is watched on as many others as it may be.
    pub(super) async fn admit_device(&self, principal: &Principal, now: Micros) -> Result<()> {
        if self.is_noted(&mut self.store.reader().await?, principal, now).await? {
            return Ok(());
        }
        // Again, and alone: two new devices may ask at once.
        let mut tx = self.store.begin().await?;
        self.is_noted(&mut tx, principal, now).await?;
        tokens::note_played(&mut tx, principal.token, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Was a playback of this device noted a moment ago? 403 when it is one too many.
    async fn is_noted(&self, conn: &mut impl Connect, principal: &Principal, now: Micros) -> Result<bool> {
        let lately = now.plus(-i64::from(self.config.device_days) * Micros::DAY);
        let playing = tokens::playing(conn, principal.user, lately, now).await?;
        let noted = playing.iter().find(|(device, _)| *device == principal.token);
        let limit = self.config.devices_per_account as usize;
        if noted.is_none() && limit > 0 && playing.len() >= limit {
            metrics::counter!("kinora_playback_refused_total", "for" => "devices").increment(1);
            return Err(too_many(limit).into());
        }
        Ok(noted.is_some_and(|(_, at)| at.plus(EXACT) > now))
    }
}

fn too_many(limit: usize) -> Problem {
    let devices = if limit == 1 { "another device".to_owned() } else { format!("{limit} other devices") };
    let words = format!("This account is watched on {devices} already. Sign one of them out to watch here.");
    Problem::new(StatusCode::FORBIDDEN, "too_many_devices", words)
}
