//! Every route of Kinora: the table of contents of the API. The OpenAPI document is made from the same list.

use std::sync::Arc;

use app::{
    App,
    accounts::{people, routes as account, tokens},
    catalog::{
        artwork, bulk, duplicates, edit, events, log, pictures, routes as video, studio, versions, workflow,
    },
    control::{edges, farm, profiles, routes as control},
    discovery::{related, routes as discovery, search, vocabulary},
    events::{health as event_health, ingest, listing, routes as live},
    history::routes as history,
    playback::routes as playback,
    watchlist::routes as watchlist,
    webhooks::{deliveries, routes as webhooks},
};
use axum::{
    Router,
    http::Uri,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use insights::{Insights, routes as quality};
use utoipa_axum::{router::OpenApiRouter, routes};
use vod::{import::Imports, upload::Uploads};

use crate::{
    http::{
        assets,
        gate::{self, Gate},
        health::{self, Health},
        layers::{self, Around, Framed},
        meters::Meters,
        metrics,
        throttle::Throttle,
    },
    openapi,
};

/// What a process shows to the world, according to its roles.
pub struct Faces {
    pub app: Option<App>,
    pub uploads: Option<Uploads>,
    pub imports: Option<Imports>,
    pub insights: Option<Insights>,
    /// `/media/…` where viewers are not served by an edge of this process.
    pub origin: Option<Router>,
    /// `/media/…` from the edge. It answers, counts and refuses by itself, as its fast lane does.
    pub edge: Option<Router>,
    /// How many requests callers of the API may send.
    pub throttle: Option<Throttle>,
    health: Health,
    proxies: ::api::address::Config,
    metrics: Arc<metrics::Config>,
}

impl Faces {
    pub fn new(
        health: Health,
        trusted_proxies: Vec<::api::address::Network>,
        metrics: metrics::Config,
    ) -> Self {
        let proxies = ::api::address::Config { trusted_proxies };
        let metrics = metrics.into();
        Self {
            app: None,
            uploads: None,
            imports: None,
            insights: None,
            origin: None,
            edge: None,
            throttle: None,
            health,
            proxies,
            metrics,
        }
    }
}

/// Every address that this process answers.
pub fn router(faces: Faces) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready).with_state(faces.health))
        .route(
            "/metrics",
            get(metrics::page).with_state(metrics::Gate { app: faces.app.clone(), config: faces.metrics }),
        );
    let around = Arc::new(Around {
        traffic: faces.app.as_ref().map(|app| app.control.traffic.clone()).unwrap_or_default(),
        proxies: faces.proxies,
        meters: Meters::default(),
        page_policy: layers::page_policy(
            Framed::Nowhere,
            faces.app.as_ref().map_or(&[], |app| &app.config.edges[..]),
        ),
    });
    if let Some(origin) = faces.origin {
        router = router.merge(origin);
    }
    if let Some(app) = faces.app {
        let beats = faces.insights.clone().map(beats_face).unwrap_or_default();
        let api = api_face(app.clone(), faces.uploads, faces.imports, faces.insights, faces.throttle);
        router = router.merge(api).merge(beats).merge(web_face(app));
    } else {
        router = router.fallback(layers::nothing);
    }
    let router = router
        .method_not_allowed_fallback(layers::wrong_method)
        .layer(from_fn_with_state(around, layers::observe));
    match faces.edge {
        Some(edge) => router.merge(edge),
        None => router,
    }
}

/// `/api/v1/**`: whoever calls is known before a handler runs.
fn api_face(
    app: App,
    uploads: Option<Uploads>,
    imports: Option<Imports>,
    insights: Option<Insights>,
    throttle: Option<Throttle>,
) -> Router {
    let fetching = imports.map(vod::import::routes).unwrap_or_default();
    let cutting = uploads.clone().map(vod::trim::routes).unwrap_or_default();
    let clipping = uploads.clone().map(vod::clip::routes).unwrap_or_default();
    let telling = insights.map(|insights| Router::from(control()).with_state(insights)).unwrap_or_default();
    let throttle = throttle.unwrap_or_else(|| Throttle::new(0, 0, app.clock.clone()));
    let gate = Arc::new(Gate { app: app.clone(), throttle });
    let face: Router = Router::from(api())
        .route("/api/v1/openapi.json", get(openapi::get))
        .route("/api/{*rest}", any(layers::nothing))
        .with_state(app.clone())
        .merge(fetching)
        .merge(cutting)
        .merge(clipping)
        .merge(telling)
        .layer(from_fn_with_state(gate.clone(), gate::pass));
    let others = app::sharing::routes()
        .with_state(app)
        .merge(uploads.map(vod::upload::routes).unwrap_or_default())
        .layer(from_fn_with_state(gate, gate::pass_any));
    face.merge(others)
}

/// Beats pass no gate: the token in them says who sends, many viewers have one address, and nothing here asks the database.
fn beats_face(insights: Insights) -> Router {
    let takes = post(quality::send).options(quality::preflight);
    Router::new().route("/api/v1/beats", takes).with_state(insights)
}

/// What operators are told of playbacks.
pub fn control() -> OpenApiRouter<Insights> {
    OpenApiRouter::new().routes(routes!(quality::quality))
}

/// The web app: its files, and its page at every other address.
fn web_face(app: App) -> Router {
    Router::new()
        .route("/watch/{id}", get(assets::title_page))
        .route("/title/{id}", get(assets::title_page))
        .route("/embed/{id}", get(assets::embed_page))
        .with_state(app)
        .fallback(file_page_or_nothing)
}

async fn file_page_or_nothing(
    method: axum::http::Method,
    uri: Uri,
    headers: axum::http::HeaderMap,
) -> Response {
    let is_read = matches!(method, axum::http::Method::GET | axum::http::Method::HEAD);
    let is_page = !uri.path().starts_with("/media/") && !uri.path().starts_with("/api");
    if is_read && is_page {
        assets::file_or_page(uri, headers).await
    } else {
        layers::nothing().await.into_response()
    }
}

/// The API without uploads: handlers and their documentation.
pub fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        // the instance and who is signed in
        .routes(routes!(account::instance))
        .routes(routes!(account::setup))
        .routes(routes!(account::session, account::sign_in, account::sign_out))
        // the own account
        .routes(routes!(account::edit_me))
        .routes(routes!(account::change_password))
        .routes(routes!(account::sessions))
        .routes(routes!(account::end_session))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        // administration
        .routes(routes!(people::list, people::create))
        .routes(routes!(people::get, people::edit))
        .routes(routes!(control::overview))
        .routes(routes!(control::list))
        .routes(routes!(control::retry))
        .routes(routes!(control::discard))
        // the encoding farm
        .routes(routes!(farm::get))
        .routes(routes!(farm::log))
        .routes(routes!(farm::pause))
        .routes(routes!(farm::resume))
        .routes(routes!(farm::drain))
        .routes(routes!(farm::undrain))
        .routes(routes!(farm::prioritise))
        // edges
        .routes(routes!(edges::get))
        .routes(routes!(edges::purge))
        .routes(routes!(edges::warm))
        .routes(routes!(edges::forget))
        .routes(routes!(profiles::list))
        .routes(routes!(profiles::estimate))
        .routes(routes!(profiles::put, profiles::delete))
        .routes(routes!(profiles::choose))
        // titles
        .routes(routes!(video::list))
        .routes(routes!(video::get, edit::edit, video::delete))
        .routes(routes!(video::restore))
        .routes(routes!(video::renditions))
        .routes(routes!(log::changes))
        .routes(routes!(workflow::cancel))
        .routes(routes!(workflow::retry))
        .routes(routes!(duplicates::keep))
        .routes(routes!(versions::list))
        .routes(routes!(versions::restore))
        .routes(routes!(versions::delete))
        .routes(routes!(events::video))
        .routes(routes!(pictures::list))
        .routes(routes!(pictures::picture))
        .routes(routes!(artwork::list, artwork::upload))
        .routes(routes!(artwork::pick))
        .routes(routes!(pictures::show, artwork::edit, artwork::delete))
        .routes(routes!(artwork::restore))
        // studio
        .routes(routes!(studio::list))
        .routes(routes!(bulk::edit_many))
        .routes(routes!(events::studio))
        // live
        .routes(routes!(listing::now))
        .routes(routes!(live::list, live::create))
        .routes(routes!(live::get, live::edit, live::delete))
        .routes(routes!(live::end))
        .routes(routes!(ingest::ingest))
        .routes(routes!(ingest::rotate))
        .routes(routes!(event_health::health))
        .routes(routes!(event_health::follow))
        // watching
        .routes(routes!(playback::start))
        .routes(routes!(playback::streams))
        .routes(routes!(playback::keep, playback::stop))
        .routes(routes!(history::list, history::clear))
        .routes(routes!(history::put, history::forget))
        .routes(routes!(history::unfinished))
        .routes(routes!(watchlist::list))
        .routes(routes!(watchlist::put, watchlist::delete))
        // telling other programs
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::get, webhooks::edit, webhooks::delete))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(deliveries::test))
        .routes(routes!(deliveries::replay_since))
        .routes(routes!(deliveries::deliveries))
        .routes(routes!(deliveries::delivery))
        .routes(routes!(deliveries::replay))
        // finding
        .routes(routes!(discovery::home))
        .routes(routes!(search::search))
        .routes(routes!(related::related))
        .routes(routes!(vocabulary::get))
}
