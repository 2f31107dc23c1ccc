//! `kinora serve`.

use backends::clock::Clock;

use crate::{config::Config, serve};

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let public_url = config.app.public_url.clone();
    let server = serve::start(config, Clock::system()).await?;
    let url = public_url.unwrap_or_else(|| format!("http://{}", server.address));
    let url = url.trim_end_matches('/');
    if let Some(app) = &server.app {
        let claimed = store::users::any(&mut app.store.reader().await?).await?;
        if claimed {
            tracing::info!("Kinora is ready: open {url}");
        } else {
            tracing::info!("Kinora is ready: open {url}/setup to create the administrator");
        }
    } else {
        tracing::info!("Kinora is ready at {url}");
    }
    server.run().await
}
