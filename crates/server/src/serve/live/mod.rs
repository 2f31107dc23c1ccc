//! The role that takes in live events: its doors for publishers, its encoders in their cage, and what it tells of its events.

mod gate;
mod host;
mod lease;
mod orders;
mod report;
mod shown;

use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
};

use anyhow::{Context, ensure};
use app::{App, events::Ports};
use backends::{bus::Bus, cache::Cache};
use live::{Slots, event::Stage, rtmp, srt};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vod::guest;

pub(super) use self::shown::Shows;
use self::{
    gate::Gate,
    host::{Caged, Registrar},
    lease::Leases,
};
use super::{Ended as TaskEnded, supervise};
use crate::{
    config::{Config, RTMP, Role, SRT},
    http::tls::Certificates,
};

/// The events of this process.
pub type Events = Stage<Caged, Registrar>;

/// Leaves out doors whose addresses nobody chose and somebody else has.
pub(super) fn settle(config: &mut Config) {
    if !config.roles.contains(&Role::Live) {
        return;
    }
    let taken = |address: SocketAddr, key: &str| {
        tracing::warn!(
            "port {} is taken and nobody comes in there; choose another with {key}",
            address.port()
        );
    };
    if config.live.rtmp.listen == Some(RTMP) && TcpListener::bind(RTMP).is_err() {
        taken(RTMP, "live.rtmp.listen");
        config.live.rtmp.listen = None;
    }
    let usual = |port: &live::SrtPort| port.address == SRT;
    if config.live.srt.listen.iter().any(usual) && UdpSocket::bind(SRT).is_err() {
        taken(SRT, "live.srt.listen");
        config.live.srt.listen.retain(|port| !usual(port));
    }
}

/// Where encoders come in.
pub(super) fn ports(config: &Config) -> Ports {
    if !config.roles.contains(&Role::Live) {
        return Ports::default();
    }
    let (rtmp, srt) = (&config.live.rtmp, &config.live.srt);
    Ports {
        rtmp: rtmp.listen.map(|address| address.port()),
        rtmps: rtmp.listen_tls.map(|address| address.port()),
        srt: srt.listen.first().map(|port| port.address.port()),
    }
}

/// Opens the doors.
pub(super) async fn start(
    config: &Config,
    app: &App,
    (bus, cache): (&Bus, &Cache),
    tasks: &mut JoinSet<TaskEnded>,
    stop: &CancellationToken,
) -> anyhow::Result<Events> {
    guest::capabilities().log();
    let leases = leases(config, app, cache)?;
    let starter = Arc::new(Caged { program: config.encoding.ffmpeg.clone() });
    let host = Arc::new(Registrar { app: app.clone(), leases: leases.clone() });
    let stage = Stage::new(config.live.making.clone(), app.blobs.clone(), starter, host);
    let gate = Arc::new(Gate::new(app.clone(), stage.clone(), leases, config.live.limits));
    let certificate = match config.live.rtmp.listen_tls {
        None => None,
        Some(_) => Some(Arc::new(Certificates::read(&config.http.tls)?.server_config(&[])?)),
    };
    let (slots, mut doors) = (Slots::default(), config.live.clone());
    let mut by_rtmp = rtmp::listen(doors.clone(), certificate.clone(), gate.clone(), slots.clone()).await;
    // Somebody may have taken it since it was looked at.
    if let Err(rtmp::Error::Address(RTMP, _)) = &by_rtmp {
        doors.rtmp.listen = None;
        by_rtmp = rtmp::listen(doors.clone(), certificate, gate.clone(), slots.clone()).await;
    }
    let mut by_srt = srt::listen(doors.clone(), gate.clone(), slots.clone()).await;
    if let Err(srt::Error::Address(SRT, _)) = &by_srt {
        doors.srt.listen.retain(|port| port.address != SRT);
        by_srt = srt::listen(doors, gate.clone(), slots).await;
    }
    let (by_rtmp, by_srt) = (by_rtmp.context("live.rtmp")?, by_srt.context("live.srt")?);
    let (ending, stopped) = (stage.clone(), stop.clone());
    supervise(tasks, "live publishers", async move {
        stopped.cancelled().await;
        tokio::join!(by_rtmp.stop(), by_srt.stop());
        ending.stop().await;
        Ok(())
    });
    let orders = orders::obey(gate.clone(), bus.clone(), stop.clone());
    supervise(tasks, "orders of live events", async move {
        orders.await;
        Ok(())
    });
    let reports = report::report(gate, config.edge.name.clone(), bus.clone(), stop.clone());
    supervise(tasks, "reports of live events", async move {
        reports.await;
        Ok(())
    });
    Ok(stage)
}

fn leases(config: &Config, app: &App, cache: &Cache) -> anyhow::Result<Leases> {
    let url = config.live.url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
    if let Some(url) = &url {
        let good = url.parse::<axum::http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.path() == "/"
        });
        ensure!(good, "live.url: `{url}` is no address such as http://10.0.0.5:8080");
    }
    let door = config.live.rtmp.listen.map_or(0, |address| address.port());
    let node = format!("{}:{door}", config.edge.name);
    let (cache, blobs, clock) = (cache.clone(), app.blobs.clone(), app.clock.clone());
    Ok(Leases { cache, blobs, clock, node, url })
}
