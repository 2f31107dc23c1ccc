//! Where a process listens: its own sockets, or those of the process whose place it takes.

use std::{net::SocketAddr, os::fd::AsFd, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use edge::{Edge, Lanes, Visitors};
use quinn::Endpoint;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{Draining, Ended, supervise};
use crate::{
    config::Config,
    handover::{self, Given, Taken},
    http::{
        listen::{self, Speech},
        quic,
        tls::Certificates,
    },
};

/// How often it is looked whether a port of UDP is free by now.
const AGAIN: Duration = Duration::from_millis(250);

pub(super) struct Listening<'a> {
    pub config: &'a Config,
    pub router: Router,
    pub lanes: Option<Lanes>,
    pub taken: Option<Taken>,
    pub draining: Draining,
}

impl Listening<'_> {
    /// Begins to accept; the process before this one may go then. Gives the addresses, in the clear and encrypted.
    pub async fn start(
        mut self,
        edge: Option<Edge>,
        tasks: &mut JoinSet<Ended>,
    ) -> anyhow::Result<(SocketAddr, Option<SocketAddr>)> {
        let http = &self.config.http;
        let visitors = self.lanes.as_ref().map(Lanes::visitors);
        let plain = self.bind(http.listen).await.context("http.listen")?;
        let address = plain.local_addr()?;
        let mut listeners = vec![plain.as_fd().try_clone_to_owned()?];
        let mut tls_address = None;
        if let Some(listen) = http.tls.listen {
            let encrypted = self.bind(listen).await.context("http.tls.listen")?;
            listeners.push(encrypted.as_fd().try_clone_to_owned()?);
            tls_address = Some(encrypted.local_addr()?);
            self.encrypted(encrypted, visitors.clone(), tasks).context("http.tls")?;
        }
        let speech = Speech::Plain(self.lanes.take().map(Arc::new));
        let listening =
            listen::serve(plain, self.router.clone(), speech, visitors, self.stop(), self.grace());
        supervise(tasks, "http", async move {
            listening.await;
            Ok(())
        });
        if let Some(taken) = self.taken.take() {
            let patience = self.grace() + Duration::from_secs(5);
            supervise(tasks, "predecessor", gone(taken, patience, self.stop()));
        }
        let (dir, given) = (self.config.data_dir.clone(), Given { listeners, edge });
        let (stop, draining) = (self.stop(), self.draining.clone());
        supervise(tasks, "successor", async move {
            handover::offer(dir, address, given, stop, move || draining.begin()).await
        });
        Ok((address, tls_address))
    }

    async fn bind(&mut self, address: SocketAddr) -> anyhow::Result<TcpListener> {
        if let Some(listener) = self.taken.as_mut().and_then(|taken| taken.listener(address)) {
            return Ok(TcpListener::from_std(listener)?);
        }
        TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
    }

    fn encrypted(
        &self,
        listener: TcpListener,
        visitors: Option<Visitors>,
        tasks: &mut JoinSet<Ended>,
    ) -> anyhow::Result<()> {
        let tls = &self.config.http.tls;
        let (address, certificates) = (listener.local_addr()?, Certificates::read(tls)?);
        if tls.http3 {
            let config = certificates.server_config(&[b"h3"])?;
            let bind = move || quic::bind(address, config.clone());
            let endpoint = if self.taken.is_some() { None } else { Some(bind()?) };
            let (router, visitors) = (self.router.clone(), visitors.clone());
            let (stop, grace) = (self.stop(), self.grace());
            supervise(tasks, "http/3", async move {
                if let Some(endpoint) = freed(endpoint, bind, &stop).await {
                    quic::serve(endpoint, router, visitors, stop, grace).await;
                }
                Ok(())
            });
        }
        let acceptor = TlsAcceptor::from(Arc::new(certificates.server_config(&[b"h2", b"http/1.1"])?));
        let speech = Speech::Tls { acceptor, http3: tls.http3.then(|| address.port()) };
        let listening =
            listen::serve(listener, self.router.clone(), speech, visitors, self.stop(), self.grace());
        supervise(tasks, "https", async move {
            listening.await;
            Ok(())
        });
        let watching = certificates.watch(self.stop());
        supervise(tasks, "certificates", async move {
            watching.await;
            Ok(())
        });
        Ok(())
    }

    fn stop(&self) -> CancellationToken {
        self.draining.stop.clone()
    }

    /// How long requests may go on after the process was told to stop.
    fn grace(&self) -> Duration {
        Duration::from_secs(self.config.http.drain_seconds.into())
    }
}

/// A port of UDP cannot be shared as a listening socket can: until the process before this one has ended, HTTP/3 is its.
async fn freed(
    endpoint: Option<Endpoint>,
    bind: impl Fn() -> anyhow::Result<Endpoint>,
    stop: &CancellationToken,
) -> Option<Endpoint> {
    if endpoint.is_some() {
        return endpoint;
    }
    loop {
        if let Ok(endpoint) = bind() {
            return Some(endpoint);
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Lets the process before this one go, and ends with this one.
async fn gone(taken: Taken, patience: Duration, stop: CancellationToken) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || taken.ready(patience)).await??;
    stop.cancelled().await;
    Ok(())
}
