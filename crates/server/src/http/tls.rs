//! Certificates of the encrypted listener (RFC 8446), read again when their files change.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The encrypted listener. Without an address there is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where HTTP/1.1 and 2 are spoken over TLS, such as `0.0.0.0:443`.
    pub listen: Option<SocketAddr>,
    /// The certificate and those that vouch for it, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// HTTP/3 as well, on the same port of UDP.
    pub http3: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { listen: None, certificate: PathBuf::new(), key: PathBuf::new(), http3: true }
    }
}

/// The certificate that is shown now.
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    shown: RwLock<(Arc<CertifiedKey>, Stamp)>,
}

/// When both files were last written.
type Stamp = [Option<SystemTime>; 2];

impl Certificates {
    pub fn read(config: &Config) -> anyhow::Result<Arc<Self>> {
        let (certificate, key) = (config.certificate.clone(), config.key.clone());
        let stamp = stamp(&certificate, &key);
        let shown = RwLock::new((load(&certificate, &key)?, stamp));
        Ok(Arc::new(Self { certificate, key, shown }))
    }

    /// What a listener needs; `protocols` as ALPN names them (RFC 7301).
    pub fn server_config(self: &Arc<Self>, protocols: &[&[u8]]) -> anyhow::Result<ServerConfig> {
        let builder =
            ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(self.clone());
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    /// Shows newer certificates as soon as they are there, until `stop`. One that cannot be read changes nothing.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let own = self.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || own.refresh()).await.unwrap_or(Ok(())) {
                tracing::error!("the new certificate is not used: {error:#}");
            }
        }
    }

    fn refresh(&self) -> anyhow::Result<()> {
        let stamp = stamp(&self.certificate, &self.key);
        if self.shown.read().unwrap_or_else(PoisonError::into_inner).1 == stamp {
            return Ok(());
        }
        let loaded = load(&self.certificate, &self.key);
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        // What is broken is complained about once.
        shown.1 = stamp;
        shown.0 = loaded?;
        tracing::info!(certificate = %self.certificate.display(), "a new certificate is shown");
        Ok(())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|known| known.modified()).ok())
}

fn load(certificate: &Path, key: &Path) -> anyhow::Result<Arc<CertifiedKey>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("http.tls.certificate {}", certificate.display()));
    let chain = chain?;
    anyhow::ensure!(!chain.is_empty(), "http.tls.certificate {} holds no certificate", certificate.display());
    let secret =
        PrivateKeyDer::from_pem_file(key).with_context(|| format!("http.tls.key {}", key.display()))?;
    let certified = CertifiedKey::from_der(chain, secret, &provider());
    let both =
        || format!("http.tls.certificate {} and http.tls.key {}", certificate.display(), key.display());
    Ok(Arc::new(certified.with_context(both)?))
}
