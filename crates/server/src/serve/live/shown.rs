//! What the origin asks of events that go on: here, and at the nodes that have them.

use std::time::Duration;

use api::Problem;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use backends::blob::{self, Blobs, names};
use domain::PresentationId;
use futures::future::BoxFuture;
use live::faces;
use origin::Asked;

use super::Events;

/// How long it is believed who has an event, or that nobody has it.
const BELIEVED: Duration = Duration::from_secs(2);
/// How long a connection to a node may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a node may take to begin its answer: it may wait for what comes next.
const PATIENCE: Duration = Duration::from_secs(20);
/// What of a request reaches a node.
const ASKED_WITH: [HeaderName; 3] = [header::ACCEPT_ENCODING, header::IF_NONE_MATCH, header::RANGE];
/// What of its answer reaches who asked.
const ANSWERED_WITH: [HeaderName; 8] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::CACHE_CONTROL,
    header::ETAG,
    header::VARY,
    header::ACCEPT_RANGES,
];

/// Events of this process, and of others.
pub struct Shows {
    events: Option<Events>,
    blobs: Blobs,
    client: reqwest::Client,
    owners: moka::future::Cache<PresentationId, Option<String>>,
}

impl Shows {
    /// `events` are those of this process, when it has the role.
    pub fn new(events: Option<Events>, blobs: Blobs) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().connect_timeout(CONNECT).timeout(PATIENCE);
        let owners = moka::future::Cache::builder().max_capacity(10_000).time_to_live(BELIEVED).build();
        Ok(Self { events, blobs, client: client.build()?, owners })
    }

    /// The address of the node that has an event.
    async fn owner(&self, presentation: PresentationId) -> Option<String> {
        let look = async {
            match self.blobs.get(&names::live_owner(presentation)).await {
                Ok(bytes) => String::from_utf8(bytes.to_vec()).ok().filter(|url| !url.is_empty()),
                Err(blob::Error::NotFound(_)) => None,
                Err(error) => {
                    tracing::warn!(%error, "it cannot be read who has a live event");
                    None
                }
            }
        };
        self.owners.get_with(presentation, look).await
    }

    async fn ask(&self, owner: &str, asked: &Asked, headers: &HeaderMap) -> reqwest::Result<Response> {
        let query = asked.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = self.client.get(format!("{owner}{}{query}", asked.path));
        for name in ASKED_WITH {
            if let Some(value) = headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await?;
        let (status, told) = (answer.status(), answer.headers().clone());
        let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
        *response.status_mut() = status;
        for name in ANSWERED_WITH {
            if let Some(value) = told.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        Ok(response)
    }
}

impl origin::Live for Shows {
    fn here(&self, asked: Asked, headers: HeaderMap) -> BoxFuture<'_, Option<Response>> {
        Box::pin(async move {
            let programme = self.events.as_ref()?.programme(asked.presentation)?;
            let what = (asked.rest.as_str(), asked.query.as_deref());
            Some(faces::answer(&programme, &self.blobs, what, asked.max_height, &headers).await)
        })
    }

    fn elsewhere(&self, asked: Asked, headers: HeaderMap) -> BoxFuture<'_, Option<Response>> {
        Box::pin(async move {
            let owner = self.owner(asked.presentation).await?;
            match self.ask(&owner, &asked, &headers).await {
                Ok(answer) => Some(answer),
                Err(error) if error.is_timeout() => Some(Problem::unavailable(error).into_response()),
                // It has died: what is stored is the answer.
                Err(error) => {
                    tracing::warn!(owner, %error, "a live node does not answer");
                    None
                }
            }
        })
    }
}
