//! Where a request comes from: the peer's address, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request},
    http::{HeaderMap, request::Parts},
};
use serde::{Deserialize, Serialize};

pub use domain::Network;

/// Which proxies in front of us are believed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` and `X-Forwarded-Proto` count. None by default.
    pub trusted_proxies: Vec<Network>,
}

/// The client of a request, as far as we believe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    pub address: IpAddr,
    /// The client's own connection is encrypted: cookies are marked `Secure`.
    pub https: bool,
    /// The peer is a trusted proxy, so that what its other headers say is believed too.
    pub proxied: bool,
}

impl Config {
    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }

    /// The client behind `peer`: the last address of `X-Forwarded-For` that is not a trusted proxy itself.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let mut address = peer.to_canonical();
        if !self.trusts(address) {
            return Client { address, https: false, proxied: false };
        }
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|v| v.split(',')).map(str::trim).collect();
        for hop in hops.into_iter().rev() {
            let Ok(hop) = hop.parse::<IpAddr>() else { break };
            address = hop.to_canonical();
            if !self.trusts(address) {
                break;
            }
        }
        let https =
            headers.get("x-forwarded-proto").is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"https"));
        Client { address, https, proxied: true }
    }
}

/// In the extensions of a request that came over TLS or QUIC.
#[derive(Debug, Clone, Copy)]
pub struct Encrypted;

/// Puts the [`Client`] into the request's extensions.
pub fn fill(config: &Config, request: &mut Request) -> Client {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let mut client = config.client(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), request.headers());
    // What a proxy says of its own client counts more than how it came to us.
    client.https |= !client.proxied && request.extensions().get::<Encrypted>().is_some();
    request.extensions_mut().insert(client);
    client
}

impl Client {
    /// One key for each IPv4 address and each IPv6 /64, which one household holds: what limits count by.
    pub fn key(&self) -> String {
        address_key(self.address)
    }

    /// Under which origin (`https://video.example.org`) the request reached us, as far as its `Host` is one. For links in
    /// answers to this very request only: a client can send any host.
    pub fn origin(&self, host: Option<&str>) -> Option<String> {
        let host = host?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        let good = !host.is_empty() && host.len() <= 255 && host.chars().all(plain);
        let authority: axum::http::uri::Authority = host.parse().ok().filter(|_| good)?;
        Some(format!("{}://{authority}", if self.https { "https" } else { "http" }))
    }
}

/// See [`Client::key`].
pub fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let unknown = Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), https: false, proxied: false };
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let config = Config { trusted_proxies: vec![Network::try_from("10.0.0.0/8".to_owned()).unwrap()] };
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.2.3.4".parse().unwrap());
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        let from = |peer: &str| config.client(peer.parse().unwrap(), &headers);
        let client =
            |address: &str, https, proxied| Client { address: address.parse().unwrap(), https, proxied };
        assert_eq!(from("198.51.100.7"), client("198.51.100.7", false, false));
        assert_eq!(from("::ffff:10.0.0.1"), client("203.0.113.9", true, true));
    }

    #[test]
    fn only_a_plain_host_makes_an_origin() {
        let client = |https| Client { address: "192.0.2.1".parse().unwrap(), https, proxied: false };
        let origin = |host| client(true).origin(Some(host));
        assert_eq!(origin("video.example.org").as_deref(), Some("https://video.example.org"));
        assert_eq!(client(false).origin(Some("[::1]:8080")).as_deref(), Some("http://[::1]:8080"));
        for bad in ["", "a/b", "u@h", "a\"b", "a b", "ä.example", "a?b"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
        assert_eq!(client(true).origin(None), None);
    }

    #[test]
    fn networks_are_read_strictly() {
        for bad in ["", "10.0.0.0/33", "host/8", "10.0.0.0/x"] {
            assert!(Network::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        let all = Network::try_from("::/0".to_owned()).unwrap();
        assert!(all.contains("2001:db8::1".parse().unwrap()));
        assert!(!all.contains("1.2.3.4".parse().unwrap()));
    }
}
