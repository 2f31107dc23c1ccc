//! Throw-away S3 buckets on a private server (moto).

use anyhow::{Context, Result, ensure};
use backends::blob;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// A fresh bucket. moto accepts any credentials; these are as good as others.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    pub name: String,
    pub region: &'static str,
    pub access_key_id: &'static str,
    pub secret_access_key: &'static str,
}

impl Bucket {
    /// Configuration for [`backends::blob::Blobs::open`], with all objects under `prefix` (may be empty).
    pub fn config(&self, prefix: &str) -> blob::Config {
        let slash = if prefix.is_empty() { "" } else { "/" };
        blob::Config {
            url: format!("s3://{}{slash}{prefix}", self.name),
            s3: blob::S3 {
                endpoint: Some(self.endpoint.clone()),
                region: self.region.to_owned(),
                access_key_id: Some(self.access_key_id.to_owned()),
                secret_access_key: Some(self.secret_access_key.to_owned()),
                allow_http: true,
            },
            ..blob::Config::default()
        }
    }
}

/// A fresh bucket on the server that `KINORA_TEST_S3` names, or on a private one of this test process.
pub async fn s3() -> Result<Bucket> {
    static SERVER: OnceCell<String> = OnceCell::const_new();
    let endpoint = SERVER
        .get_or_try_init(|| async {
            tokio::task::spawn_blocking(|| crate::server::address("KINORA_TEST_S3", "s3")).await?
        })
        .await?;
    let name = format!("kinora-{}", Uuid::now_v7().simple());
    let answer =
        reqwest::Client::new().put(format!("{endpoint}/{name}")).send().await.context("create a bucket")?;
    ensure!(answer.status().is_success(), "create a bucket: {}", answer.text().await?);
    Ok(Bucket {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        name,
        region: "us-east-1",
        access_key_id: "test",
        secret_access_key: "test-secret",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(bucket: &Bucket) -> blob::Blobs {
        blob::Blobs::open(&bucket.config("some/prefix")).unwrap()
    }

    #[tokio::test]
    async fn each_caller_has_its_own_bucket() {
        let (first, second) = (s3().await.unwrap(), s3().await.unwrap());
        let (first, second) = (open(&first), open(&second));
        first.put("a/object", "bytes".into()).await.unwrap();
        assert_eq!(first.get("a/object").await.unwrap(), "bytes");
        assert!(second.get("a/object").await.is_err(), "the two share objects");
    }
}
