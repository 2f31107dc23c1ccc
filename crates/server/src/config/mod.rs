//! Configuration: defaults, then `kinora.toml`, then the environment, then flags. Nothing else in Kinora reads any of them.
//!
//! Environment: `KINORA_` and the key in upper case, levels joined by two underscores: `KINORA_DATABASE__URL` is
//! `database.url`. `KINORA_CONFIG` names the file. `KINORA_SERVER` and `KINORA_TOKEN` belong to the command line client and
//! are no keys.

mod load;
mod nearest;

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::{Path, PathBuf},
    str::FromStr,
};

use backends::{blob, bus, cache};
use serde::{Deserialize, Deserializer, Serialize};

pub use load::{Overrides, load};

/// A part of Kinora that a process can play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The HTTP API and the web app.
    Api,
    /// Probing, encoding, publishing.
    Worker,
    /// Manifests and segments.
    Origin,
    /// A cache of them, for viewers.
    Edge,
    /// Live events: publishers come in here.
    Live,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Api, Self::Worker, Self::Origin, Self::Edge, Self::Live];

    pub fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Worker => "worker",
            Self::Origin => "origin",
            Self::Edge => "edge",
            Self::Live => "live",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|role| role.word() == text.trim());
        known.ok_or_else(|| format!("`{text}` is not a role; roles are api, worker, origin, edge and live"))
    }
}

/// Where publishers come in unless it is said otherwise. Left out when somebody else has it.
pub const RTMP: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1935));
pub const SRT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9710));

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where everything is kept that is not somewhere else.
    pub data_dir: PathBuf,
    /// What this process does.
    #[serde(deserialize_with = "roles")]
    pub roles: BTreeSet<Role>,
    pub http: Http,
    pub log: Log,
    pub database: store::Config,
    pub blob: blob::Config,
    pub bus: bus::Config,
    pub cache: cache::Config,
    pub app: app::Config,
    pub upload: vod::upload::Config,
    /// Telling other people's programs what happens to titles.
    pub webhooks: app::webhooks::Config,
    /// Fetching files from links.
    pub import: vod::import::Config,
    pub worker: vod::worker::Config,
    /// How titles are made of sources.
    pub encoding: vod::workflow::Config,
    pub origin: origin::Config,
    /// What is kept nearer to viewers.
    pub edge: edge::Config,
    /// Live events.
    pub live: live::Config,
    /// How the countries of viewers are told.
    pub geo: backends::geo::Config,
    /// What players tell of their playbacks.
    pub insights: insights::Config,
    /// Who may read `/metrics`.
    pub metrics: crate::http::metrics::Config,
}

/// The listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    pub listen: SocketAddr,
    /// A second listener, encrypted.
    pub tls: crate::http::tls::Config,
    /// Addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<api::address::Network>,
    /// How long requests may go on after the process was told to stop, in seconds.
    pub drain_seconds: u32,
    /// Requests that one account may send to the API in a minute; 0: no limit. Pictures and the bytes of uploads do not
    /// count. Each process counts for itself.
    pub account_requests_per_minute: u32,
    /// The same for an address (an IPv6 /64) that nobody is signed in from.
    pub visitor_requests_per_minute: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub format: LogFormat,
    /// As `RUST_LOG`: `info`, `kinora=debug,store=trace`…
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            roles: Role::ALL.into(),
            http: Http::default(),
            log: Log::default(),
            // Empty: in the data directory, see `complete`.
            database: store::Config { url: String::new(), ..store::Config::default() },
            bus: bus::Config::default(),
            cache: cache::Config::default(),
            blob: blob::Config { url: String::new(), ..blob::Config::default() },
            app: app::Config::default(),
            upload: vod::upload::Config::default(),
            webhooks: app::webhooks::Config::default(),
            import: vod::import::Config::default(),
            worker: vod::worker::Config::default(),
            // Empty: in the data directory.
            encoding: vod::workflow::Config { work_dir: PathBuf::new(), ..Default::default() },
            origin: origin::Config::default(),
            edge: edge::Config::default(),
            live: live::Config {
                rtmp: live::Rtmp { listen: Some(RTMP), ..live::Rtmp::default() },
                srt: live::Srt { listen: vec![live::SrtPort::new(SRT)], ..live::Srt::default() },
                ..live::Config::default()
            },
            geo: backends::geo::Config::default(),
            insights: insights::Config::default(),
            metrics: crate::http::metrics::Config::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            tls: crate::http::tls::Config::default(),
            trusted_proxies: Vec::new(),
            drain_seconds: 20,
            account_requests_per_minute: 3000,
            visitor_requests_per_minute: 1200,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

impl Config {
    /// Fills in what follows from other keys.
    pub(crate) fn complete(mut self) -> Self {
        if self.database.url.is_empty() {
            self.database.url = format!("sqlite:{}", self.data_dir.join("kinora.db").display());
        }
        if self.blob.url.is_empty() {
            self.blob.url = format!("file:{}", self.data_dir.join("blobs").display());
        }
        if self.encoding.work_dir.as_os_str().is_empty() {
            self.encoding.work_dir = self.data_dir.join("work");
        }
        if self.edge.name.is_empty() {
            self.edge.name = crate::machine::name();
        }
        if self.edge.dir.as_os_str().is_empty() {
            self.edge.dir = self.data_dir.join("edge");
        }
        self
    }

    /// The configuration as a file that says the same, secrets left out or masked. Comments at its end say which secrets are
    /// set; of keys that encrypt objects they give the names by which errors call them.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        let mut shown = self.clone();
        shown.database.url = masked(&shown.database.url);
        shown.cache.url = masked(&shown.cache.url);
        shown.bus.url = shown.bus.url.split(',').map(masked).collect::<Vec<_>>().join(",");
        let mut text = toml::to_string_pretty(&shown)?;
        let blob = &self.blob;
        let named =
            |secret| format!(" (key {})", blob::key_id(secret).unwrap_or_else(|| "that is none".into()));
        let old: String = blob.encryption_old_keys.iter().map(named).collect();
        let secrets = [
            ("blob.encryption_key", blob.encryption_key.as_ref().map(named)),
            ("blob.encryption_old_keys", Some(old).filter(|old| !old.is_empty())),
            ("blob.s3.secret_access_key", blob.s3.secret_access_key.as_ref().map(|_| String::new())),
            ("blob.gcs.service_account_key", blob.gcs.service_account_key.as_ref().map(|_| String::new())),
            ("blob.azure.access_key", blob.azure.access_key.as_ref().map(|_| String::new())),
            ("metrics.token", self.metrics.token.as_ref().map(|_| String::new())),
            ("blob.azure.client_secret", blob.azure.client_secret.as_ref().map(|_| String::new())),
        ];
        let set = secrets.into_iter().filter_map(|(key, note)| Some((key, note?)));
        let lines: Vec<String> =
            set.map(|(key, note)| format!("# {key} is set{note} and not shown\n")).collect();
        if !lines.is_empty() {
            text.push('\n');
            text.extend(lines);
        }
        Ok(text)
    }

    /// Has this process a need of the database?
    pub fn needs_store(&self) -> bool {
        [Role::Api, Role::Worker, Role::Live].iter().any(|role| self.roles.contains(role))
    }

    /// The file of an SQLite database.
    pub fn sqlite_path(&self) -> Option<&Path> {
        let rest = self.database.url.strip_prefix("sqlite:")?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        path.split('?').next().map(Path::new)
    }
}

/// A URL without the password in it.
fn masked(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            if url.set_password(Some("***")).is_ok() {
                url.to_string()
            } else {
                "***".into()
            }
        }
        _ => text.to_owned(),
    }
}

/// Roles as a list, or as one text with commas.
fn roles<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<Role>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        List(Vec<String>),
    }
    let words = match Either::deserialize(from)? {
        Either::Text(text) => text.split(',').map(str::to_owned).collect(),
        Either::List(list) => list,
    };
    let roles: Result<BTreeSet<Role>, String> = words.iter().map(|word| word.parse()).collect();
    match roles.map_err(serde::de::Error::custom)? {
        empty if empty.is_empty() => {
            Err(serde::de::Error::custom("give at least one of api, worker, origin, edge"))
        }
        roles => Ok(roles),
    }
}
