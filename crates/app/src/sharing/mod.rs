//! Titles on other people's pages and in their readers: oEmbed, feeds, the sitemap. Only what everybody may see.

mod feeds;
mod oembed;
mod sitemap;
mod xml;

use api::Client;
use axum::{Router, http::HeaderMap, routing::get};
use domain::Audience;

use crate::{App, Asker, Error, Result};

pub use xml::escaped;

/// `/oembed`, `/feeds/…`, `/sitemap.xml`, `/robots.txt`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/oembed", get(oembed::get))
        .route("/feeds/latest.xml", get(feeds::latest))
        .route("/feeds/channels/{file}", get(feeds::channel))
        .route("/sitemap.xml", get(sitemap::get))
        .route("/robots.txt", get(sitemap::robots))
}

/// As a stranger at the same place sees it: answers do not depend on who is signed in, so that anybody may keep them.
fn stranger(asker: &Asker) -> Audience {
    Audience { viewer: None, ..**asker }
}

/// The instance's origin, for links that must be absolute.
fn base(app: &App, client: Client, headers: &HeaderMap) -> Result<String> {
    let words = "The request names no host, and the instance has no `app.public_url`.";
    app.base(client, headers).ok_or_else(|| Error::Problem(api::Problem::bad_request(words)))
}
