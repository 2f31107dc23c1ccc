//! `kinora serve`.

use backends::clock::Clock;

use super::Settings;
use crate::{config::Config, handover, serve};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub settings: Settings,
    /// Take the place of the process that serves here with the same data directory; no connection is lost
    #[arg(long)]
    pub take_over: bool,
}

pub(super) async fn run(config: Config, take_over: bool) -> anyhow::Result<()> {
    let public_url = config.app.public_url.clone();
    let (dir, listen) = (config.data_dir.clone(), config.http.listen);
    let taken = match take_over {
        true => tokio::task::spawn_blocking(move || handover::take(&dir, listen)).await??,
        false => None,
    };
    if take_over && taken.is_none() {
        tracing::info!("nobody serves here yet: there is nothing to take over");
    }
    let server = serve::start_after(taken, config, Clock::system()).await?;
    if let Ok(socket) = std::env::var("NOTIFY_SOCKET")
        && let Err(error) = handover::notify(&socket)
    {
        tracing::warn!(%error, "the service manager could not be told that Kinora is ready");
    }
    let url = public_url.unwrap_or_else(|| format!("http://{}", server.address));
    let url = url.trim_end_matches('/');
    if let Some(app) = server.app() {
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
