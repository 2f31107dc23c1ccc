//! Reading the configuration from its sources, with errors that say which key is meant and where it stands.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use figment::{
    Figment,
    error::{Actual, Kind},
    providers::{Env, Format, Serialized, Toml},
};

use super::{Config, Role, nearest::nearest};

/// Read when no other file is named and it is there.
const FILE: &str = "kinora.toml";
/// Variables of the command line client, of the file's name, and of the scripts around the program.
const NOT_KEYS: [&str; 6] = ["config", "server", "token", "cache", "password", "test"];

/// What flags say.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub file: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    pub roles: Option<String>,
    pub listen: Option<String>,
}

/// The effective configuration.
pub fn load(flags: &Overrides) -> anyhow::Result<Config> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    match &flags.file {
        Some(file) if !file.is_file() => bail!("the configuration file {} does not exist", file.display()),
        Some(file) => figment = figment.merge(Toml::file_exact(file)),
        None if Path::new(FILE).is_file() => figment = figment.merge(Toml::file_exact(FILE)),
        None => {}
    }
    figment = figment.merge(Env::prefixed("KINORA_").filter(is_key).split("__"));
    if let Some(dir) = &flags.data_dir {
        figment = figment.merge(("data_dir", dir));
    }
    if let Some(roles) = &flags.roles {
        figment = figment.merge(("roles", roles));
    }
    if let Some(listen) = &flags.listen {
        figment = figment.merge(("http.listen", listen));
    }
    let config: Config = figment.extract().map_err(|error| anyhow::anyhow!(in_words(&error)))?;
    check(&config).context("the configuration cannot be used")?;
    Ok(config.complete())
}

fn is_key(name: &figment::value::UncasedStr) -> bool {
    // `KINORA_TEST_…` belongs to the test kit.
    !NOT_KEYS.iter().any(|other| name == *other) && !name.as_str().to_ascii_lowercase().starts_with("test_")
}

fn check(config: &Config) -> anyhow::Result<()> {
    if let Some(url) = &config.app.public_url {
        let good =
            url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !good {
            bail!("app.public_url must be an address such as https://video.example.org, not `{url}`");
        }
    }
    if config.app.session_days == 0 {
        bail!("app.session_days must be at least 1");
    }
    let (edge, origin) = (config.roles.contains(&Role::Edge), config.roles.contains(&Role::Origin));
    if edge && origin && !config.edge.upstreams.is_empty() {
        bail!(
            "edge.upstreams must be empty where the origin runs in the same process: the edge asks that one"
        );
    }
    if edge && !origin && config.edge.upstreams.is_empty() {
        bail!("edge.upstreams must name an origin or another edge: no origin runs in this process");
    }
    if edge && !origin && config.roles.contains(&Role::Live) {
        bail!(
            "roles: a process with live and edge needs origin as well, or else its edge would ask for its own events elsewhere"
        );
    }
    if config.geo.country_header.is_some() && config.http.trusted_proxies.is_empty() {
        bail!(
            "geo.country_header is believed from trusted proxies only: name them in http.trusted_proxies, or leave it out"
        );
    }
    Ok(())
}

/// All that is wrong, one line each.
fn in_words(error: &figment::Error) -> String {
    error.clone().into_iter().map(|error| one_in_words(&error)).collect::<Vec<_>>().join("\n")
}

fn one_in_words(error: &figment::Error) -> String {
    let mut path = error.path.clone();
    let place = error.metadata.as_ref().map(place).unwrap_or_default();
    let words = match &error.kind {
        Kind::UnknownField(field, known) => {
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            let level = &path[..path.len() - 1];
            let key =
                |name: &str| level.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".");
            match nearest(field, known) {
                Some(name) => format!("is unknown; did you mean `{}`?", key(name)),
                None => format!("is unknown; known here: {}", known.join(", ")),
            }
        }
        Kind::InvalidType(actual, expected) => {
            format!("must be {expected}, not {}", actual_in_words(actual))
        }
        kind => kind.to_string(),
    };
    format!("configuration key `{}`{place} {words}", path.join("."))
}

fn actual_in_words(actual: &Actual) -> String {
    match actual {
        // The value itself may be a secret that was put in the wrong place.
        Actual::Str(_) => "a text".into(),
        other => other.to_string(),
    }
}

fn place(metadata: &figment::Metadata) -> String {
    match &metadata.source {
        Some(figment::Source::File(path)) => format!(" in {}", path.display()),
        _ if metadata.name.contains("environment") => " (from the environment)".into(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_toml(text: &str) -> Result<Config, String> {
        let figment = Figment::from(Serialized::defaults(Config::default())).merge(Toml::string(text));
        figment.extract::<Config>().map(Config::complete).map_err(|error| in_words(&error))
    }

    #[test]
    fn defaults_lie_in_the_data_directory() {
        let config = from_toml("data_dir = '/srv/kinora'").unwrap();
        assert_eq!(config.database.url, "sqlite:/srv/kinora/kinora.db");
        assert_eq!(config.blob.url, "file:/srv/kinora/blobs");
        assert_eq!(config.sqlite_path(), Some(Path::new("/srv/kinora/kinora.db")));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_nearest() {
        let error = from_toml("[database]\nulr = 'x'").unwrap_err();
        assert!(error.contains("`database.ulr`") && error.contains("did you mean `database.url`"), "{error}");
        let error = from_toml("datadir = 'x'").unwrap_err();
        assert!(error.contains("did you mean `data_dir`"), "{error}");
        let error = from_toml("[http]\nzzzzzzzz = 1").unwrap_err();
        assert!(error.contains("known here: listen, "), "{error}");
    }

    #[test]
    fn values_of_the_wrong_kind_are_named_but_not_shown() {
        let error = from_toml("[database]\nmax_connections = 'hunter2'").unwrap_err();
        assert!(error.contains("`database.max_connections`") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn roles_are_a_list_or_a_text() {
        assert_eq!(from_toml("roles = 'api, origin'").unwrap().roles.len(), 2);
        assert_eq!(from_toml("roles = ['worker']").unwrap().roles.len(), 1);
        assert!(from_toml("roles = 'king'").unwrap_err().contains("`king` is not a role"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let key = "5e".repeat(32);
        let text = format!(
            "[database]\nurl = 'postgres://k:hunter2@db/k'\n[blob]\nencryption_key = '{key}'\nencryption_old_keys = \
             ['{key}']\n[blob.s3]\nsecret_access_key = 'hunter2'\n[blob.gcs]\nservice_account_key = 'hunter2'\n\
             [blob.azure]\naccess_key = 'hunter2'\nclient_secret = 'hunter2'\n\
             [bus]\nurl = 'nats://k:hunter2@one:4222,tls://k:hunter2@two:4222'"
        );
        let shown = from_toml(&text).unwrap().to_toml().unwrap();
        assert!(!shown.contains("hunter2") && shown.contains("postgres://k:***@db/k"), "{shown}");
        assert!(shown.contains("nats://k:***@one:4222,tls://k:***@two:4222"), "{shown}");
        assert!(!shown.contains(&key), "{shown}");
        let id = backends::blob::key_id(&key.into()).unwrap();
        for line in [
            &format!("# blob.encryption_key is set (key {id}) and not shown"),
            &format!("# blob.encryption_old_keys is set (key {id}) and not shown"),
            "# blob.s3.secret_access_key is set and not shown",
            "# blob.gcs.service_account_key is set and not shown",
            "# blob.azure.access_key is set and not shown",
            "# blob.azure.client_secret is set and not shown",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
        }
        let again = from_toml(&shown).unwrap();
        assert_eq!(again.http.listen, Config::default().http.listen, "what is shown is a configuration file");
    }

    #[test]
    fn variables_of_the_client_are_no_keys() {
        assert!(!is_key("SERVER".into()) && !is_key("token".into()) && !is_key("TEST_S3".into()));
        assert!(is_key("DATABASE__URL".into()) && is_key("DATA_DIR".into()));
    }
}
