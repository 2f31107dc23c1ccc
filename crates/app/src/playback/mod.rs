//! The start of a playback: rights are checked once, here; what follows is carried by a signed token in the media URLs.

mod devices;
mod key;
pub mod narrowed;
pub mod routes;
mod streams;

pub use key::ready as ready_key;

use crate::{Error, Result};

/// Edges that viewers are sent to must be addresses.
pub(crate) fn check_edges(edges: &[String]) -> Result<()> {
    let good = |edge: &String| {
        edge.parse::<axum::http::Uri>().is_ok_and(|uri| {
            let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
            is_web && uri.host().is_some() && uri.query().is_none()
        })
    };
    match edges.iter().find(|edge| !good(edge)) {
        None => Ok(()),
        Some(edge) => {
            let words = format!("app.edges: `{edge}` is not an address such as https://edge.example.org");
            Err(Error::Internal(words))
        }
    }
}
