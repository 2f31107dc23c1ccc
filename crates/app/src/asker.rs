//! Who asks, where and when: what every rule about who may see a title needs to know of a request.

use std::{convert::Infallible, ops::Deref};

use api::{Client, MaybePrincipal};
use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{Audience, Country};

use crate::App;

/// The [`Audience`] of a request, as an extractor.
#[derive(Debug, Clone, Copy)]
pub struct Asker(pub Audience);

impl Deref for Asker {
    type Target = Audience;

    fn deref(&self) -> &Audience {
        &self.0
    }
}

impl FromRequestParts<App> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let viewer = MaybePrincipal::from_request_parts(parts, app).await?.viewer();
        let client = Client::from_request_parts(parts, app).await?;
        Ok(Self(Audience { viewer, country: country(app, parts, client), now: app.clock.now() }))
    }
}

fn country(app: &App, parts: &Parts, client: Client) -> Option<Country> {
    let header = app.geo.header().filter(|_| client.proxied);
    // Bytes that are no text are an answer too: an unknown country.
    let told =
        header.and_then(|name| parts.headers.get(name)).map(|value| value.to_str().unwrap_or_default());
    app.geo.country(client.address, told)
}
