//! Every route of Kinora: the table of contents of the API. The OpenAPI document is made from the same list.

use app::{
    App,
    accounts::{people, routes as account, tokens},
    catalog::{duplicates, edit, events, pictures, routes as video, studio, versions, workflow},
    discovery::{related, routes as discovery, vocabulary},
    history::routes as history,
    playback::routes as playback,
    watchlist::routes as watchlist,
};
use axum::{
    Json, Router,
    http::Uri,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};
use vod::{import::Imports, upload::Uploads};

use crate::http::{
    assets,
    health::{self, Health},
    layers, metrics,
};

/// What a process shows to the world, according to its roles.
pub struct Faces {
    pub app: Option<App>,
    pub uploads: Option<Uploads>,
    pub imports: Option<Imports>,
    /// `/media/…`
    pub origin: Option<Router>,
    health: Health,
    proxies: ::api::address::Config,
}

impl Faces {
    pub fn new(health: Health, trusted_proxies: Vec<::api::address::Network>) -> Self {
        let proxies = ::api::address::Config { trusted_proxies };
        Self { app: None, uploads: None, imports: None, origin: None, health, proxies }
    }
}

/// Every address that this process answers.
pub fn router(faces: Faces) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready).with_state(faces.health))
        .route("/metrics", get(metrics::page).with_state(faces.app.clone()));
    if let Some(origin) = faces.origin {
        router = router.merge(origin);
    }
    if let Some(app) = faces.app {
        router = router.merge(api_face(app.clone(), faces.uploads, faces.imports)).merge(web_face(app));
    } else {
        router = router.fallback(layers::nothing);
    }
    router
        .method_not_allowed_fallback(layers::wrong_method)
        .route_layer(from_fn(layers::note_route))
        .layer(from_fn(layers::secure))
        .layer(from_fn(layers::observe))
        .layer(from_fn_with_state(std::sync::Arc::new(faces.proxies), ::api::address::fill))
}

/// `/api/v1/**`: whoever calls is known before a handler runs.
fn api_face(app: App, uploads: Option<Uploads>, imports: Option<Imports>) -> Router {
    let fetching = imports.map(vod::import::routes).unwrap_or_default();
    let cutting = uploads.clone().map(vod::trim::routes).unwrap_or_default();
    let mut face: Router = Router::from(api())
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/{*rest}", any(layers::nothing))
        .with_state(app.clone())
        .merge(fetching)
        .merge(cutting)
        .layer(from_fn(layers::patient));
    if let Some(uploads) = uploads {
        // Bodies of uploads may take as long as they move.
        face = face.merge(vod::upload::routes(uploads));
    }
    face.layer(from_fn_with_state(app, app::accounts::authenticate)).layer(from_fn(layers::uncached))
}

/// The web app: its files, and its page at every other address.
fn web_face(app: App) -> Router {
    Router::new().route("/watch/{id}", get(assets::watch_page)).with_state(app).fallback(file_page_or_nothing)
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

async fn openapi() -> Json<Document> {
    Json(document())
}

/// The API without uploads: handlers and their documentation.
pub fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(About::openapi())
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
        .routes(routes!(people::edit))
        // titles
        .routes(routes!(video::list))
        .routes(routes!(video::get, edit::edit, video::delete))
        .routes(routes!(video::restore))
        .routes(routes!(video::renditions))
        .routes(routes!(workflow::cancel))
        .routes(routes!(workflow::retry))
        .routes(routes!(duplicates::keep))
        .routes(routes!(versions::list))
        .routes(routes!(versions::restore))
        .routes(routes!(versions::delete))
        .routes(routes!(events::video))
        .routes(routes!(pictures::list))
        .routes(routes!(pictures::picture))
        // studio
        .routes(routes!(studio::list))
        .routes(routes!(events::studio))
        // watching
        .routes(routes!(playback::start))
        .routes(routes!(history::list, history::clear))
        .routes(routes!(history::put, history::forget))
        .routes(routes!(history::unfinished))
        .routes(routes!(watchlist::list))
        .routes(routes!(watchlist::put, watchlist::delete))
        // finding
        .routes(routes!(discovery::home))
        .routes(routes!(discovery::search))
        .routes(routes!(related::related))
        .routes(routes!(vocabulary::get))
}

/// The OpenAPI document of the API.
pub fn document() -> Document {
    let mut document = api().into_openapi();
    document.merge(OpenApiRouter::new().routes(routes!(vod::upload::mine)).into_openapi());
    document.merge(OpenApiRouter::new().routes(routes!(vod::import::create)).into_openapi());
    document.merge(OpenApiRouter::new().routes(routes!(vod::trim::trim)).into_openapi());
    name_operations(&mut document);
    document
}

/// Handlers are called by their verb, which is unique within a tag: `videos_list`, `users_list`.
fn name_operations(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let methods =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch, &mut item.head];
        for operation in methods.into_iter().flatten() {
            let tag = operation.tags.as_ref().and_then(|tags| tags.first()).cloned().unwrap_or_default();
            operation.operation_id = operation.operation_id.take().map(|verb| format!("{tag}_{verb}"));
        }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Kinora", description = "The API of a Kinora instance. Errors are problem+json (RFC 9457); lists are \
        paged by opaque cursors; uploads speak tus 1.0 at /api/v1/uploads."),
    modifiers(&Credentials),
    security((), ("session" = []), ("token" = []))
)]
struct About;

/// How callers prove who they are.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let cookie = ApiKey::Cookie(ApiKeyValue::new("kinora_session"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_documented_once() {
        let document = serde_json::to_value(document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations: usize = paths.values().map(|item| item.as_object().unwrap().len()).sum();
        assert!(operations >= 36, "{operations}");
        let mut names = std::collections::BTreeSet::new();
        for (path, item) in paths {
            assert!(path.starts_with("/api/v1/"), "{path}");
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
                assert!(
                    names.insert(operation["operationId"].to_string()),
                    "{method} {path} has a name twice given"
                );
                assert!(operation["responses"].as_object().is_some_and(|r| !r.is_empty()), "{method} {path}");
            }
        }
    }
}
