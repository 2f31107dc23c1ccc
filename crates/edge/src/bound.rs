//! Tokens that count only for whom they were given to: in one country, or for one program.

use std::net::IpAddr;

use api::{Problem, address};
use backends::geo::Geo;
use domain::{
    Network,
    playback_token::{Claims, browser_mark},
};
use http::{HeaderMap, StatusCode, header};

/// How an edge tells who asks.
#[derive(Clone, Default)]
pub struct Bound {
    pub geo: Geo,
    /// Proxies that are believed.
    pub proxies: address::Config,
    /// Edges nearer to viewers, which have looked at them.
    pub edges: Vec<Network>,
}

impl Bound {
    /// `hops`: how many edges the request says that it has passed. Behind one of ours the viewer cannot be seen.
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
        let peer = peer.to_canonical();
        if hops > 0 && self.edges.iter().any(|edge| edge.contains(peer)) {
            return Ok(());
        }
        let client = self.proxies.client(peer, headers);
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
