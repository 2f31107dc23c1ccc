//! A place on a private NATS server.

use anyhow::Result;
use backends::bus;
use tokio::sync::OnceCell;

/// Subjects that nobody else uses, on the server that `KINORA_TEST_NATS` names, or on a private one of this test process.
pub async fn nats() -> Result<bus::Config> {
    static SERVER: OnceCell<String> = OnceCell::const_new();
    let url = SERVER
        .get_or_try_init(|| async {
            tokio::task::spawn_blocking(|| crate::server::address("KINORA_TEST_NATS", "nats")).await?
        })
        .await?;
    Ok(bus::Config { url: url.clone(), prefix: format!("kinora-{}", uuid::Uuid::now_v7().simple()) })
}
