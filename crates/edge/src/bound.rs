//! Tokens that count only for whom they were given to: in one country, or for one program.

use std::net::IpAddr;

use api::{Problem, address};
use backends::geo::Geo;
use domain::playback_token::{Claims, browser_mark};
use http::{HeaderMap, StatusCode, header};

/// How an edge tells who asks.
#[derive(Clone, Default)]
pub struct Bound {
    pub geo: Geo,
    /// Proxies that are believed, and edges nearer to viewers.
    pub proxies: address::Config,
}

impl Bound {
    /// `hops`: how many edges the request has passed. A trusted one has looked at the viewer, who cannot be seen from here.
    pub fn permit(
        &self,
        claims: &Claims,
        peer: IpAddr,
        headers: &HeaderMap,
        hops: u8,
    ) -> Result<(), Problem> {
        if !claims.is_bound() {
            return Ok(());
        }
        let client = self.proxies.client(peer, headers);
        if client.proxied && hops > 0 {
            return Ok(());
        }
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        if let Some(country) = claims.country
            && self.geo.knows_countries()
        {
            let told = self.geo.header().filter(|_| client.proxied).and_then(text);
            if self.geo.country(client.address, told) != Some(country) {
                let words = "This playback was begun in another country. Ask for playback again.";
                return Err(Problem::new(StatusCode::FORBIDDEN, "another_country", words));
            }
        }
        if let Some(mark) = &claims.browser
            && *mark != browser_mark(text(header::USER_AGENT.as_str()).unwrap_or_default())
        {
            let words = "This playback was begun on another device. Ask for playback again.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "another_device", words));
        }
        Ok(())
    }
}
