//! Names on a private Redis server.

use anyhow::Result;
use backends::cache;
use tokio::sync::OnceCell;

/// Names that nobody else uses, on the server that `KINORA_TEST_REDIS` names, or on a private one of this test process.
pub async fn redis() -> Result<cache::Config> {
    static SERVER: OnceCell<String> = OnceCell::const_new();
    let url = SERVER
        .get_or_try_init(|| async {
            tokio::task::spawn_blocking(|| crate::server::address("KINORA_TEST_REDIS", "redis")).await?
        })
        .await?;
    Ok(cache::Config { url: url.clone(), prefix: format!("kinora-{}", uuid::Uuid::now_v7().simple()) })
}
