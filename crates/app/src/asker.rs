//! Who asks, where and when: what every rule about who may see a title needs to know of a request.

use std::{convert::Infallible, ops::Deref};

use api::MaybePrincipal;
use axum::{extract::FromRequestParts, http::request::Parts};
use domain::Audience;

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
        let MaybePrincipal(principal) = MaybePrincipal::from_request_parts(parts, app).await?;
        let viewer = MaybePrincipal(principal).viewer();
        Ok(Self(Audience { viewer, country: None, now: app.clock.now() }))
    }
}
