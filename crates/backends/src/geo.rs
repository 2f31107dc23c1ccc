//! Where in the world an address is: a country database in the MaxMind format, or what a trusted proxy says.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::Country;
use maxminddb::{PathElement, Reader};
use serde::{Deserialize, Serialize};

/// How viewers' countries are told. Without a database and a header they cannot be, and no title can be limited to some.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A file in the MaxMind DB format with countries by address: GeoLite2-Country, DB-IP, ip-location-db … Read at start.
    pub database: Option<PathBuf>,
    /// A header in which a trusted proxy (`http.trusted_proxies`) tells the country of the client, such as `CF-IPCountry`.
    pub country_header: Option<String>,
    /// The country of private and loopback addresses. Without it they are nowhere.
    pub private_networks: Option<Country>,
}

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("geo.database {0}: {1}")]
    Unreadable(PathBuf, String),
    #[error("geo.database {0} holds no countries; a database such as GeoLite2-Country is needed")]
    NoCountries(PathBuf),
    #[error("geo.country_header `{0}` is no name of a header")]
    NoHeader(String),
}

/// Tells countries. Cheap to clone.
#[derive(Clone, Default)]
pub struct Geo(Arc<Inner>);

#[derive(Default)]
struct Inner {
    database: Option<Reader<Vec<u8>>>,
    header: Option<String>,
    private: Option<Country>,
}

/// The keys under which databases keep the code: MaxMind's own, and the flat one of ip-location-db.
const PATHS: [&[PathElement<'static>]; 3] = [
    &[PathElement::Key("country"), PathElement::Key("iso_code")],
    &[PathElement::Key("country_code")],
    &[PathElement::Key("registered_country"), PathElement::Key("iso_code")],
];
/// Networks looked at to learn whether a database holds countries at all.
const SAMPLED: usize = 4096;

impl Geo {
    /// Reads the database.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let header = config.country_header.as_ref().map(|name| name.trim().to_ascii_lowercase());
        if let Some(name) = &header
            && (name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))
        {
            return Err(Error::NoHeader(name.clone()));
        }
        let database = config.database.as_deref().map(read).transpose()?;
        Ok(Self(Arc::new(Inner { database, header, private: config.private_networks })))
    }

    /// Can countries be told at all?
    pub fn knows_countries(&self) -> bool {
        self.0.database.is_some() || self.0.header.is_some()
    }

    /// The header to look into, in lower case. Only a trusted proxy may speak through it.
    pub fn header(&self) -> Option<&str> {
        self.0.header.as_deref()
    }

    /// The country of a client: what a trusted proxy said of it, or else what the database knows of its address.
    pub fn country(&self, address: IpAddr, told: Option<&str>) -> Option<Country> {
        if let Some(told) = told {
            // A proxy that says "unknown" (XX, T1) knows better than a list of addresses.
            return told.trim().parse().ok();
        }
        let address = address.to_canonical();
        if is_private(address) {
            return self.0.private;
        }
        self.0.database.as_ref().and_then(|database| look_up(database, address))
    }
}

fn read(path: &Path) -> Result<Reader<Vec<u8>>, Error> {
    let unreadable = |error: &dyn std::fmt::Display| Error::Unreadable(path.to_owned(), error.to_string());
    let bytes = std::fs::read(path).map_err(|e| unreadable(&e))?;
    let reader = Reader::from_source(bytes).map_err(|e| unreadable(&e))?;
    let mut networks = reader.networks(maxminddb::WithinOptions::default()).map_err(|e| unreadable(&e))?;
    let holds = networks.by_ref().take(SAMPLED).flatten().any(|found| code(&found).is_some());
    if holds { Ok(reader) } else { Err(Error::NoCountries(path.to_owned())) }
}

fn look_up(database: &Reader<Vec<u8>>, address: IpAddr) -> Option<Country> {
    code(&database.lookup(address).ok()?)
}

fn code(found: &maxminddb::LookupResult<'_, Vec<u8>>) -> Option<Country> {
    PATHS.iter().find_map(|path| found.decode_path::<&str>(path).ok().flatten()?.parse().ok())
}

/// Addresses that are in no country: of this machine, of private networks (RFC 1918, RFC 4193), link-local ones.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_database_tells_countries_and_private_networks_have_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("countries.mmdb");
        for nested in [false, true] {
            let networks = [("81.0.0.0", 8, "FR"), ("185.4.4.0", 24, "DE"), ("203.0.113.0", 24, "ZZ")];
            std::fs::write(&path, testkit::country_database(&networks, nested)).unwrap();
            let config = Config { database: Some(path.clone()), ..Config::default() };
            let geo = Geo::open(&config).unwrap();
            assert!(geo.knows_countries());
            let at = |text: &str| geo.country(address(text), None).map(|country| country.to_string());
            assert_eq!(at("81.2.3.4").as_deref(), Some("FR"));
            assert_eq!(at("::ffff:185.4.4.9").as_deref(), Some("DE"));
            for unknown in
                ["185.4.5.1", "203.0.113.5", "10.0.0.1", "127.0.0.1", "::1", "0.0.0.0", "2001:db8::1"]
            {
                assert_eq!(at(unknown), None, "{unknown}");
            }
            let at_home = Geo::open(&Config { private_networks: "AT".parse().ok(), ..config }).unwrap();
            assert_eq!(at_home.country(address("192.168.1.7"), None), "AT".parse().ok());
            assert_eq!(at_home.country(address("81.2.3.4"), None), "FR".parse().ok());
        }
    }

    #[test]
    fn a_proxy_is_believed_before_the_database() {
        let config = Config { country_header: Some("CF-IPCountry".into()), ..Config::default() };
        let geo = Geo::open(&config).unwrap();
        assert_eq!((geo.header(), geo.knows_countries()), (Some("cf-ipcountry"), true));
        assert_eq!(geo.country(address("81.2.3.4"), Some(" de ")), "DE".parse().ok());
        for nowhere in [Some("XX"), Some("T1"), Some(""), Some("Germany"), None] {
            assert_eq!(geo.country(address("81.2.3.4"), nowhere), None);
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_at_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.mmdb");
        let config = Config { database: Some(path.clone()), ..Config::default() };
        let refused = || Geo::open(&config).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused().contains("geo.database"), "{}", refused());
        std::fs::write(&path, b"not a database").unwrap();
        assert!(refused().contains("geo.database"), "{}", refused());
        std::fs::write(&path, testkit::country_database(&[("81.0.0.0", 8, "ZZ")], false)).unwrap();
        assert!(refused().contains("holds no countries"), "{}", refused());
        let header = Config { country_header: Some("a b".into()), ..Config::default() };
        assert!(Geo::open(&header).is_err());
        assert!(!Geo::default().knows_countries());
    }
}
