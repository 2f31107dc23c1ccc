//! Live events as creators make them and as their encoders do: what is to be sent, with which keys, and how it goes.

pub mod health;
pub mod ingest;
pub mod listing;
mod reports;
pub mod routes;
mod view;

use serde::{Deserialize, Serialize};
use store::Store;

use crate::{Error, Result};

pub use reports::{Heard, Point, Reports, listen};

/// Where publishers are told to send to. What is not given is made of the address that the API is reached under, and the ports
/// that this instance listens on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Such as `rtmp://live.example.org/live`.
    pub rtmp_url: Option<String>,
    /// Such as `rtmps://live.example.org/live`.
    pub rtmps_url: Option<String>,
    /// Such as `srt://live.example.org:9000`.
    pub srt_url: Option<String>,
}

/// The ports for publishers of this process; `None` where it listens on none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    pub rtmp: Option<u16>,
    pub rtmps: Option<u16>,
    pub srt: Option<u16>,
}

impl Config {
    pub(crate) fn check(&self) -> Result<()> {
        let given = [("rtmp", &self.rtmp_url), ("rtmps", &self.rtmps_url), ("srt", &self.srt_url)];
        for (scheme, url) in given {
            let Some(text) = url else { continue };
            let good = url::Url::parse(text).is_ok_and(|url| url.scheme() == scheme && url.has_host());
            if !good {
                let words = format!(
                    "app.live.{scheme}_url: `{text}` is no address such as {scheme}://live.example.org"
                );
                return Err(Error::Internal(words));
            }
        }
        Ok(())
    }
}

/// The keys of this instance's events.
pub(crate) async fn ready_keys(
    store: &Store,
    clock: &backends::clock::Clock,
) -> Result<domain::event::StreamKeys> {
    let candidate = hex::encode(rand::random::<[u8; 32]>());
    let mut tx = store.begin().await?;
    let keys = store::events::stream_keys(&mut tx, &candidate, clock.now()).await?;
    tx.commit().await?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_another_kind_are_refused() {
        let rtmp = |url: &str| Config { rtmp_url: Some(url.into()), ..Config::default() };
        assert!(rtmp("rtmp://live.example.org/live").check().is_ok());
        for wrong in ["live.example.org", "rtmps://live.example.org/live", "rtmp:", ""] {
            assert!(rtmp(wrong).check().is_err(), "{wrong}");
        }
        assert!(Config::default().check().is_ok());
    }
}
