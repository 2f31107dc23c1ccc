//! How each storage service is reached: address, credentials, time limits.

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, Result, RetryConfig, StaticCredentialProvider,
    aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder,
    gcp::{GcpCredential, GoogleCloudStorageBuilder},
};

use super::Client;
use crate::blob::{Azure, Gcs, S3};

pub(super) fn s3(bucket: &str, config: &S3) -> Result<Arc<dyn Client>> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&config.region)
        .with_allow_http(config.allow_http)
        .with_client_options(client_options(config.allow_http))
        .with_retry(retry());
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(key) = &config.access_key_id {
        builder = builder.with_access_key_id(key);
    }
    if let Some(secret) = &config.secret_access_key {
        builder = builder.with_secret_access_key(secret);
    }
    Ok(Arc::new(builder.build()?))
}

pub(super) fn gcs(bucket: &str, config: &Gcs) -> Result<Arc<dyn Client>> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        .with_client_options(client_options(is_http(config.endpoint.as_deref())))
        .with_retry(retry());
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    if let Some(file) = &config.service_account_file {
        builder = builder.with_service_account_path(file.to_string_lossy());
    }
    if let Some(key) = &config.service_account_key {
        builder = builder.with_service_account_key(&key.0);
    }
    if config.anonymous {
        let nobody = GcpCredential { bearer: String::new() };
        builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(nobody)));
    }
    Ok(Arc::new(builder.build()?))
}

pub(super) fn azure(container: &str, config: &Azure) -> Result<Arc<dyn Client>> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_container_name(container)
        .with_client_options(client_options(is_http(config.endpoint.as_deref())))
        .with_retry(retry());
    if let Some(account) = &config.account {
        builder = builder.with_account(account);
    }
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
    }
    if let Some(key) = &config.access_key {
        builder = builder.with_access_key(&key.0);
    }
    if let Some(client) = &config.client_id {
        builder = builder.with_client_id(client);
    }
    if let Some(tenant) = &config.tenant_id {
        builder = builder.with_tenant_id(tenant);
    }
    if let Some(secret) = &config.client_secret {
        builder = builder.with_client_secret(&secret.0);
    }
    Ok(Arc::new(builder.build()?))
}

fn is_http(endpoint: Option<&str>) -> bool {
    endpoint.is_some_and(|endpoint| endpoint.starts_with("http:"))
}

fn client_options(allow_http: bool) -> ClientOptions {
    // No limit on a whole request: a part may be large and a reader may be slow. Silence is limited.
    ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(Duration::from_secs(60))
        .with_timeout_disabled()
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(4),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries: 6, retry_timeout: Duration::from_secs(30) }
}
