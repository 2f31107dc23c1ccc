//! The OpenAPI document: what the handlers say of themselves, completed with what is true of every operation (errors, limits,
//! idempotency keys, conditional edits) and with examples.

mod answers;
mod examples;
mod tus;

use std::sync::OnceLock;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Operations that anybody may call. All others need somebody who is signed in, and a test tries that they do.
pub const OPEN: &[&str] = &[
    "discovery_get",
    "discovery_home",
    "discovery_related",
    "discovery_search",
    "events_video",
    "instance_instance",
    "live_now",
    "pictures_list",
    "pictures_picture",
    "pictures_show",
    "quality_send",
    "session_setup",
    "session_sign_in",
    "session_sign_out",
    "uploads_capabilities",
    "videos_get",
    "videos_list",
    "videos_renditions",
    "videos_start",
];

/// Tags whose operations only browser sessions may call.
const SESSION_ONLY: [&str; 2] = ["account", "tokens"];

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

const ABOUT: &str = "The API of a Kinora instance.

**Errors** are problem details (RFC 9457, `application/problem+json`) with a stable `code`.

**Lists** that can grow are paged: `limit` (1 to 100) and an opaque `cursor`, the `next_cursor` of the page before. A page \
begins behind the last row of the one before, so that rows added meanwhile neither repeat nor hide others.

**Sending again.** A `POST` of a signed-in caller may carry an `Idempotency-Key`, a text of up to 255 characters that is used \
for one request only. When it succeeds, the same request with the same key gets the same answer for 24 hours, marked \
`Idempotency-Replayed: true`. While the first is at work, a repetition is answered 409; another request under a used key 422.

**Edits** name the fields that they change; others stay. What has a `revision` has it as its `ETag`, too: send it as \
`If-Match`, and the edit is refused with 412 (the present revision in it) when somebody else was quicker. It is never \
required: an edit without it changes the fields that it names, whatever the revision.

**Limits.** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers) tell how many requests an account, or an \
address without one, may send, and how many are left; beyond that 429 with `Retry-After`.

**Uploads** speak [tus 1.0](https://tus.io/protocols/resumable-upload) at `/api/v1/uploads`.";

/// The whole document.
pub fn document() -> Value {
    let mut operations = crate::router::api().into_openapi();
    operations.merge(OpenApiRouter::new().routes(routes!(vod::upload::mine)).into_openapi());
    operations.merge(OpenApiRouter::new().routes(routes!(vod::import::create)).into_openapi());
    operations.merge(OpenApiRouter::new().routes(routes!(vod::trim::trim)).into_openapi());
    operations.merge(OpenApiRouter::new().routes(routes!(vod::clip::clip)).into_openapi());
    operations.merge(crate::router::control().into_openapi());
    operations.merge(OpenApiRouter::new().routes(routes!(insights::routes::send)).into_openapi());
    let mut document = serde_json::to_value(operations).unwrap_or_default();
    document["info"] = json!({
        "title": "Kinora",
        "version": env!("CARGO_PKG_VERSION"),
        "description": ABOUT,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["servers"] = json!([{ "url": "/", "description": "this instance" }]);
    for (path, item) in tus::paths() {
        document["paths"][path] = item;
    }
    let components = &mut document["components"];
    components["securitySchemes"] = json!({
        "session": { "type": "apiKey", "in": "cookie", "name": "kinora_session",
            "description": "A browser's session, from `POST /api/v1/session`." },
        "token": { "type": "http", "scheme": "bearer",
            "description": "An API token, `kin_…`, made in the account's settings or by `kinora admin token`." },
    });
    components["responses"] = answers::components();
    components["headers"] = answers::headers();
    components["parameters"] = answers::parameters();
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                complete(path, method, operation, &schemas);
            }
        }
    }
    document["tags"] = tags(&document);
    document
}

fn complete(path: &str, method: &str, operation: &mut Value, schemas: &Map<String, Value>) {
    let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
    // Handlers are called by their verb, which is unique within a tag: `videos_list`, `users_list`.
    let name = format!("{tag}_{}", operation["operationId"].as_str().unwrap_or_default());
    let is_open = OPEN.contains(&name.as_str());
    operation["operationId"] = Value::from(name);
    operation["security"] = match (is_open, SESSION_ONLY.contains(&tag.as_str())) {
        (true, _) => json!([{}, { "session": [] }, { "token": [] }]),
        (false, true) => json!([{ "session": [] }]),
        (false, false) => json!([{ "session": [] }, { "token": [] }]),
    };
    answers::parameters_of(method, is_open, operation);
    answers::complete(path, method, is_open, operation);
    examples::fill(operation, schemas);
}

/// The tags that are used, described.
fn tags(document: &Value) -> Value {
    let about = |tag: &str| match tag {
        "account" => "The caller's own account and where it is signed in.",
        "artwork" => "Pictures of a title: candidates, uploads, the chosen ones.",
        "control" => "What the instance does, and the jobs that it gave up; for administrators.",
        "discovery" => "Home and search.",
        "edges" => "Edges: how they stand, what is taken out of them and brought near; for administrators.",
        "events" => "Titles as they change, as server-sent events.",
        "farm" => {
            "The encoding farm: workers, what they did, pausing, draining, whose turn it is; for administrators."
        }
        "history" => "What the caller watched, and how far.",
        "instance" => "The instance itself.",
        "live" => "Live events: plans, keys for encoders, how they go.",
        "pictures" => "Posters and other artwork.",
        "profiles" => {
            "Encoding profiles: what titles are made into, and what that takes; for administrators."
        }
        "quality" => "How playbacks go: what players tell, and what operators see of it.",
        "session" => "Set-up, sign-in, sign-out.",
        "studio" => "The titles that the caller owns.",
        "tokens" => "API tokens of the caller's account.",
        "uploads" => "Resumable uploads by tus 1.0.",
        "users" => "Accounts, for administrators.",
        "versions" => "What a title plays and has played: imports, replacements, cuts, duplicates.",
        "videos" => "Titles.",
        "watchlist" => "The titles that the caller wants to watch.",
        "webhooks" => "Addresses that are told of events.",
        _ => "",
    };
    let used: std::collections::BTreeSet<&str> =
        operations(document).filter_map(|(_, _, operation)| operation["tags"][0].as_str()).collect();
    used.into_iter()
        .map(|tag| match about(tag) {
            "" => json!({ "name": tag }),
            words => json!({ "name": tag, "description": words }),
        })
        .collect()
}

/// Every operation with its path and method.
pub fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().into_iter().flatten().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// `GET /api/v1/openapi.json`.
pub async fn get(headers: HeaderMap) -> Response {
    static TEXT: OnceLock<(Bytes, String)> = OnceLock::new();
    let (text, tag) = TEXT.get_or_init(|| {
        let text = Bytes::from(document().to_string());
        let tag = format!("\"{}\"", &hex(&Sha256::digest(&text))[..32]);
        (text, tag)
    });
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known.is_some_and(|known| known.split(',').any(|k| k.trim() == tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], text.clone()).into_response()
    };
    let out = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        out.insert(header::ETAG, tag);
    }
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_documented_once() {
        let document = document();
        let mut names = std::collections::BTreeSet::new();
        for (path, method, operation) in operations(&document) {
            assert!(path.starts_with("/api/v1/"), "{path}");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name), "{method} {path} has a name twice given");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
            assert!(answers.contains_key("429") && answers.contains_key("500"), "{method} {path}");
        }
        assert!(names.len() >= 36, "{}", names.len());
        for open in OPEN {
            assert!(names.contains(*open), "{open} is listed as open and does not exist");
        }
        for tag in document["tags"].as_array().unwrap() {
            assert!(tag["description"].is_string(), "{tag} is not described");
        }
    }

    #[test]
    fn every_body_has_an_example_that_fits() {
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut bodies = 0;
        for (path, method, operation) in operations(&document) {
            let request = &operation["requestBody"]["content"]["application/json"];
            let answers = operation["responses"].as_object().unwrap();
            let answers = answers.values().map(|answer| &answer["content"]["application/json"]);
            for body in answers.chain([request]).filter(|body| body.is_object()) {
                bodies += 1;
                let wrong = examples::misfit(&body["schema"], &body["example"], schemas);
                assert_eq!(wrong, None, "{method} {path}: {}", body["example"]);
            }
        }
        assert!(bodies >= 40, "{bodies}");
    }

    #[test]
    fn every_parameter_is_described() {
        let document = document();
        for (path, method, operation) in operations(&document) {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let told = parameter["$ref"].is_string() || parameter["description"].is_string();
                assert!(told, "{method} {path}: {}", parameter["name"]);
            }
        }
    }

    #[test]
    fn references_lead_somewhere() {
        fn walk(value: &Value, document: &Value) {
            if let Some(reference) = value["$ref"].as_str() {
                assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
            }
            match value {
                Value::Array(items) => items.iter().for_each(|item| walk(item, document)),
                Value::Object(items) => items.values().for_each(|item| walk(item, document)),
                _ => {}
            }
        }
        let document = document();
        walk(&document, &document);
    }
}
