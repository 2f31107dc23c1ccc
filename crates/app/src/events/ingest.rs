//! Where an encoder sends an event to, and its keys.

use api::{Client, Id, Json, Principal, Problem, ProblemBody};
use axum::{extract::State, http::HeaderMap};
use domain::{Scope, VideoId, event::Slot};
use serde::Serialize;
use store::{
    Connect,
    events::{self, Event},
    library,
};
use utoipa::ToSchema;

use super::{Config, Ports};
use crate::{App, Result, title};

/// The path of RTMP addresses that are made here.
const RTMP_APP: &str = "live";

/// What is entered into an encoder.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ingest {
    /// Where to send to. Empty: this instance takes no live streams.
    pub servers: Vec<IngestServer>,
    pub keys: Vec<IngestKey>,
}

/// One way in.
#[derive(Debug, Serialize, ToSchema)]
pub struct IngestServer {
    #[schema(value_type = ProtocolWord)]
    pub protocol: &'static str,
    /// The server. With SRT the key goes into the address as `streamid`.
    #[schema(example = "rtmp://live.example.org/live")]
    pub url: String,
}

/// How an encoder speaks.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum ProtocolWord {
    Rtmp,
    Rtmps,
    Srt,
}

/// A secret: whoever has it can send the event.
#[derive(Debug, Serialize, ToSchema)]
pub struct IngestKey {
    #[schema(value_type = SlotWord)]
    pub slot: &'static str,
    #[schema(example = "agjqh4d2jz53biocbv7twxe6ce-7ufuk37kcxd6yucww6nt75aa3m")]
    pub key: String,
}

/// A second encoder takes over when the first one is lost.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum SlotWord {
    Primary,
    Backup,
}

/// Addresses and keys for encoders. Only for the event's owner.
#[utoipa::path(get, path = "/api/v1/events/{id}/ingest", tag = "live", params(("id" = String, Path)),
    responses((status = 200, body = Ingest), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn ingest(
    State(app): State<App>,
    principal: Principal,
    client: Client,
    Id(id): Id<VideoId>,
    headers: HeaderMap,
) -> Result<Json<Ingest>> {
    let event = own(&mut app.store.reader().await?, id, &principal).await?;
    Ok(Json(app.ingest_of(&event, event.key_generation, client, &headers)))
}

/// Gives the event other keys. The old ones are good no longer, and encoders that use them are disconnected.
#[utoipa::path(post, path = "/api/v1/events/{id}/keys/rotate", tag = "live", params(("id" = String, Path)),
    responses((status = 200, body = Ingest), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn rotate(
    State(app): State<App>,
    principal: Principal,
    client: Client,
    Id(id): Id<VideoId>,
    headers: HeaderMap,
) -> Result<Json<Ingest>> {
    let mut tx = app.store.begin().await?;
    let event = own(&mut tx, id, &principal).await?;
    library::lock(&mut tx, id).await?;
    let generation = events::rotate_keys(&mut tx, id, app.clock.now()).await?;
    tx.commit().await?;
    metrics::counter!("kinora_stream_keys_rotated_total").increment(1);
    tracing::info!(event = %id, by = %principal.user, "stream keys are changed");
    app.dismiss(id, "The stream key was changed. Enter the new one.");
    Ok(Json(app.ingest_of(&event, generation, client, &headers)))
}

/// The event, for its owner alone: a key lets somebody speak in the owner's name.
async fn own(conn: &mut impl Connect, id: VideoId, principal: &Principal) -> Result<Event> {
    principal.require_scope(Scope::Manage)?;
    let row = title::manage(conn, id, principal).await?;
    let event = events::get(conn, id).await?;
    if row.owner_id != principal.user {
        return Err(Problem::forbidden("Only its owner may see the keys of this event.").into());
    }
    Ok(event)
}

impl App {
    fn ingest_of(&self, event: &Event, generation: i64, client: Client, headers: &HeaderMap) -> Ingest {
        let host = self.base(client, headers).and_then(|base| url::Url::parse(&base).ok());
        let host = host.as_ref().and_then(|base| base.host_str());
        let key = |slot: &Slot| IngestKey {
            slot: slot.word(),
            key: self.stream_keys.key(event.video_id, *slot, generation).reveal().to_owned(),
        };
        Ingest {
            servers: servers(&self.config.live, self.limits.ingest, host),
            keys: Slot::ALL.iter().map(key).collect(),
        }
    }
}

fn servers(config: &Config, ports: Ports, host: Option<&str>) -> Vec<IngestServer> {
    let ways = [
        ("rtmps", &config.rtmps_url, ports.rtmps, 443, true),
        ("rtmp", &config.rtmp_url, ports.rtmp, 1935, true),
        ("srt", &config.srt_url, ports.srt, 0, false),
    ];
    let made = |protocol: &str, port: Option<u16>, usual: u16, has_app: bool| {
        let (host, port) = host.zip(port)?;
        let port = if port == usual { String::new() } else { format!(":{port}") };
        let app = if has_app { format!("/{RTMP_APP}") } else { String::new() };
        Some(format!("{protocol}://{host}{port}{app}"))
    };
    let found = ways.into_iter().filter_map(|(protocol, given, port, usual, has_app)| {
        let url = given.clone().or_else(|| made(protocol, port, usual, has_app))?;
        Some(IngestServer { protocol, url })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_given_or_made() {
        let ports = Ports { rtmp: Some(1935), rtmps: Some(1936), srt: Some(9000) };
        let urls = |config: &Config, ports, host| -> Vec<String> {
            servers(config, ports, host).into_iter().map(|server| server.url).collect()
        };
        let none = Config::default();
        assert_eq!(
            urls(&none, ports, Some("tv.example.org")),
            ["rtmps://tv.example.org:1936/live", "rtmp://tv.example.org/live", "srt://tv.example.org:9000"]
        );
        assert!(urls(&none, ports, None).is_empty() && urls(&none, Ports::default(), Some("h")).is_empty());
        let given = Config { rtmp_url: Some("rtmp://in.example.org/x".into()), ..Config::default() };
        assert_eq!(urls(&given, Ports::default(), None), ["rtmp://in.example.org/x"]);
    }
}
