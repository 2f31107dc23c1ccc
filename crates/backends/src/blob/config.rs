//! What can be set of the object store.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Where objects are stored, and whether encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `file:DIR` or `s3://bucket` or `s3://bucket/prefix`.
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
        }
    }
}

/// A text that `Debug` does not show.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub(super) String);

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
