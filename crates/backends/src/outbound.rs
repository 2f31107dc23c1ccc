//! Requests to addresses that people gave us: never into the private network.
//!
//! Each hop's URL is looked at before it is asked (scheme, port, no credentials, address literals in whatever notation),
//! names are resolved by ourselves, and a connection goes to exactly the addresses that were looked at: a name that
//! answers differently the second time (DNS rebinding) gains nothing. Proxies from the environment are ignored and no
//! content encoding is asked for or undone.

use std::{error::Error as StdError, io, net::IpAddr, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{Network, network::is_public};
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
pub use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use url::{Host, Url};

/// Where requests may go.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Networks that are allowed although they are not public.
    pub allow: Vec<Network>,
    /// Ports that may be asked; empty: any.
    pub ports: Vec<u16>,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// For a connection.
    pub connect: Duration,
    /// Without a byte, of the head or of the body.
    pub silence: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), silence: Duration::from_secs(30) }
    }
}

/// Why an address is not asked, in words for whoever gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("only http:// and https:// addresses can be asked")]
    Scheme,
    #[error("addresses with a user name or password in them are not taken")]
    Credentials,
    #[error("the port {0} is not one that may be asked")]
    Port(u16),
    #[error("the address names no server")]
    Host,
    #[error("the address leads into a private network")]
    Private,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("there is no server of this name")]
    Unknown,
    #[error("the server redirects too often, or to nowhere")]
    Redirects,
    /// What happened on the wire; a retry may help.
    #[error("{0}")]
    Network(String),
}

impl Error {
    /// Would the same request possibly succeed later?
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Network(_) | Self::Unknown)
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Policy {
    pub fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.allow.iter().any(|network| network.contains(address))
    }

    /// All that can be said of a URL without asking anybody. Names are looked at again when they are resolved.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let port = url.port_or_known_default().ok_or(Refused::Scheme)?;
        if !self.ports.is_empty() && !self.ports.contains(&port) {
            return Err(Refused::Port(port));
        }
        // The parser has turned every notation of an IPv4 address (decimal, octal, hexadecimal, short) into the one.
        let address = match url.host().ok_or(Refused::Host)? {
            Host::Domain(name) if name.trim_end_matches('.').is_empty() => return Err(Refused::Host),
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        if self.allows(address) { Ok(()) } else { Err(Refused::Private) }
    }
}

/// Answers which addresses a name has.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// The system's resolver.
pub fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    })
}

/// Gives only addresses that may be asked, and none at all of a name that also leads to others.
struct Guard {
    policy: Arc<Policy>,
    lookup: Lookup,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, asked) = (self.policy.clone(), (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let found =
                asked.await.map_err(|_| Box::new(Error::Unknown) as Box<dyn StdError + Send + Sync>)?;
            if found.is_empty() {
                return Err(Error::Unknown.into());
            }
            if !found.iter().all(|address| policy.allows(*address)) {
                return Err(Error::from(Refused::Private).into());
            }
            let sockets: Vec<SocketAddr> = found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Ok(Box::new(sockets.into_iter()) as Addrs)
        })
    }
}

/// An HTTP client for foreign addresses. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    http: reqwest::Client,
    policy: Arc<Policy>,
}

/// The beginning of an answer; its body follows.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The address that answered, after redirects.
    pub url: Url,
    pub body: BoxStream<'static, Result<Bytes>>,
}

impl Outbound {
    pub fn new(policy: Policy, timing: Timing) -> Result<Self> {
        Self::with_lookup(policy, timing, system_lookup())
    }

    /// With a resolver of one's own.
    pub fn with_lookup(policy: Policy, timing: Timing, lookup: Lookup) -> Result<Self> {
        let policy = Arc::new(policy);
        let http = reqwest::Client::builder()
            .user_agent(concat!("kinora/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .redirect(redirect::Policy::none())
            .referer(false)
            // Every request looks its name up anew.
            .pool_max_idle_per_host(0)
            .connect_timeout(timing.connect)
            .read_timeout(timing.silence)
            .dns_resolver(Arc::new(Guard { policy: policy.clone(), lookup }))
            .build()
            .map_err(|error| Error::Network(format!("no HTTP client: {error}")))?;
        Ok(Self { http, policy })
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// One request, without following redirects.
    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Answer> {
        self.policy.check(url)?;
        let mut request = self.http.request(method, url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.map_err(failure)?;
        // Belt and braces: the connection that there is.
        if response.remote_addr().is_some_and(|peer| !self.policy.allows(peer.ip())) {
            return Err(Refused::Private.into());
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes_stream().map_err(failure).boxed();
        Ok(Answer { status, headers, url: url.clone(), body })
    }

    /// GET, following at most `hops` redirects, each looked at as the first address was.
    pub async fn get(&self, url: &Url, headers: &HeaderMap, hops: u32) -> Result<Answer> {
        let mut at = url.clone();
        for _ in 0..=hops {
            let answer = self.send(Method::GET, &at, headers.clone(), None).await?;
            if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let to = answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
            at = to.and_then(|to| at.join(to).ok()).ok_or(Error::Redirects)?;
            at.set_fragment(None);
        }
        Err(Error::Redirects)
    }
}

/// Our own error where one is within; else what happened on the wire, without the URL, whose query may hold secrets.
fn failure(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    let mut innermost = error.to_string();
    while let Some(at) = cause {
        if let Some(ours) = at.downcast_ref::<Error>() {
            return ours.clone();
        }
        innermost = at.to_string();
        cause = at.source();
    }
    if error.is_timeout() {
        return Error::Network("the server did not answer in time".into());
    }
    Error::Network(innermost)
}
