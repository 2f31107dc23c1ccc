//! `/healthz` (the process answers) and `/readyz` (it can do its work).

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Json, extract::State, http::StatusCode};
use backends::blob::Blobs;
use serde::Serialize;
use store::Store;

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(3);

/// What readiness depends on.
#[derive(Clone)]
pub struct Health {
    pub store: Option<Store>,
    pub blobs: Blobs,
    pub roles: Arc<BTreeMap<&'static str, AtomicBool>>,
    pub draining: Arc<AtomicBool>,
}

#[derive(Serialize)]
pub struct Readiness {
    ready: bool,
    draining: bool,
    /// `null` in a process whose roles need no database.
    database: Option<bool>,
    blobs: bool,
    roles: BTreeMap<&'static str, bool>,
}

pub async fn alive() -> &'static str {
    "ok\n"
}

pub async fn ready(State(health): State<Health>) -> (StatusCode, Json<Readiness>) {
    let database = async {
        match &health.store {
            Some(store) => Some(in_time(answers(store)).await),
            None => None,
        }
    };
    let blobs = in_time(async { health.blobs.list(&backends::blob::names::playback_keys()).await.is_ok() });
    let (database, blobs) = futures::future::join(database, blobs).await;
    let roles: BTreeMap<_, _> =
        health.roles.iter().map(|(role, running)| (*role, running.load(Ordering::Relaxed))).collect();
    let draining = health.draining.load(Ordering::Relaxed);
    let ready = !draining && database != Some(false) && blobs && roles.values().all(|running| *running);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, draining, database, blobs, roles }))
}

async fn answers(store: &Store) -> bool {
    match store.reader().await {
        Ok(mut reader) => store::users::any(&mut reader).await.is_ok(),
        Err(_) => false,
    }
}

async fn in_time(check: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(PATIENCE, check).await.unwrap_or(false)
}
