//! What can be set of the object store.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Where objects are stored, and whether encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `file:DIR`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`; the prefix may be left out.
    pub url: String,
    /// Key that new objects are encrypted with, 64 hexadecimal digits; left out: they are not encrypted.
    #[serde(skip_serializing)]
    pub encryption_key: Option<Secret>,
    /// A file whose first line is that key; more lines are older keys.
    pub encryption_key_file: Option<PathBuf>,
    /// Keys of objects that were written earlier.
    #[serde(skip_serializing)]
    pub encryption_old_keys: Vec<Secret>,
    /// Refuse to read objects that are not encrypted.
    pub encryption_required: bool,
    pub s3: S3,
    pub gcs: Gcs,
    pub azure: Azure,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "file:blobs".into(),
            encryption_key: None,
            encryption_key_file: None,
            encryption_old_keys: Vec::new(),
            encryption_required: false,
            s3: S3::default(),
            gcs: Gcs::default(),
            azure: Azure::default(),
        }
    }
}

/// A text that `Debug` does not show.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub(super) String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// How to reach an S3-compatible service. Keys left out come from the instance's role (AWS metadata service).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct S3 {
    /// Address of the service; left out: AWS in `region`.
    pub endpoint: Option<String>,
    pub region: String,
    pub access_key_id: Option<String>,
    /// Never written out again, neither by `Debug` nor by serialisation.
    #[serde(skip_serializing)]
    pub secret_access_key: Option<String>,
    /// Allow `http:` endpoints: for services on this machine or in a private network.
    pub allow_http: bool,
}

impl Default for S3 {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: "us-east-1".into(),
            access_key_id: None,
            secret_access_key: None,
            allow_http: false,
        }
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &self.secret_access_key.as_ref().map(|_| "…"))
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

/// How to reach Google Cloud Storage. Without a service account: the application default credentials of the user who runs
/// Kinora, otherwise the machine's own account (Google's metadata service).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gcs {
    /// Address of the service; left out: Google's. `http:` is allowed where it says so.
    pub endpoint: Option<String>,
    /// A file with a service account's key, as Google hands it out (JSON).
    pub service_account_file: Option<PathBuf>,
    /// What such a file holds.
    #[serde(skip_serializing)]
    pub service_account_key: Option<Secret>,
    /// Send no credentials: for emulators.
    pub anonymous: bool,
}

/// How to reach Azure Blob Storage. Without a key or a client secret: the machine's managed identity.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Azure {
    /// The storage account.
    pub account: Option<String>,
    /// Address of the service; left out: `https://ACCOUNT.blob.core.windows.net`. `http:` is allowed where it says so.
    pub endpoint: Option<String>,
    /// One of the account's keys.
    #[serde(skip_serializing)]
    pub access_key: Option<Secret>,
    /// A service principal, with its secret; alone: which managed identity is meant.
    pub client_id: Option<String>,
    pub tenant_id: Option<String>,
    #[serde(skip_serializing)]
    pub client_secret: Option<Secret>,
}
