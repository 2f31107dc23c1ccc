//! Answers, headers and parameters that operations share.

use serde_json::{Map, Value, json};

/// Statuses with their names as components, what they mean, an example code and its words.
const PROBLEMS: [(u16, &str, &str, &str, &str); 17] = [
    (400, "BadRequest", "The request cannot be read.", "bad_request", "The request's body broke off."),
    (
        401,
        "Unauthorized",
        "Nobody is signed in, or the token is no longer good.",
        "unauthorized",
        "Sign in first, or send a valid API token.",
    ),
    (403, "Forbidden", "Known, but not allowed.", "forbidden", "This API token lacks the scope `manage`."),
    (
        404,
        "NotFound",
        "There is nothing here, or it is not the caller's to see.",
        "not_found",
        "There is nothing here, or it is not yours to see.",
    ),
    (
        405,
        "MethodNotAllowed",
        "This address does not know that method.",
        "method_not_allowed",
        "This address does not know that method.",
    ),
    (
        406,
        "NotAcceptable",
        "`Accept` allows nothing that we make.",
        "not_acceptable",
        "Answers are application/json; `Accept` allows none of it.",
    ),
    (
        408,
        "RequestTimeout",
        "The body took too long to arrive.",
        "request_timeout",
        "The request's body took too long to arrive. Send it again.",
    ),
    (
        409,
        "Conflict",
        "The request does not fit the present state, or its Idempotency-Key is in use.",
        "conflict",
        "This title is being deleted for good.",
    ),
    (410, "Gone", "What was here is over.", "gone", "This upload has expired."),
    (
        412,
        "PreconditionFailed",
        "`If-Match` names another revision than the present one, which is told.",
        "changed_meanwhile",
        "This was changed by someone else meanwhile. Load it again and repeat your change.",
    ),
    (
        413,
        "TooLarge",
        "The request is larger than allowed.",
        "too_large",
        "The request is larger than the 262144 bytes allowed here.",
    ),
    (
        415,
        "UnsupportedMediaType",
        "The body has another type than the one asked for.",
        "unsupported_media_type",
        "The body must be JSON, sent as application/json.",
    ),
    (
        422,
        "Unprocessable",
        "A field does not hold what it must.",
        "invalid",
        "A title has 1 to 200 characters on one line.",
    ),
    (
        429,
        "TooManyRequests",
        "Too many requests or open streams; `Retry-After` says how long to wait.",
        "too_many_requests",
        "Too many attempts. Try again in 12 s.",
    ),
    (
        500,
        "Internal",
        "A fault of ours. It was logged under the request's id.",
        "internal",
        "Something went wrong on our side; it was logged.",
    ),
    (
        502,
        "BadGateway",
        "Something that is needed gave an answer that cannot be used.",
        "bad_gateway",
        "The address gave an answer that cannot be used.",
    ),
    (
        503,
        "Unavailable",
        "A passing fault of something that is needed; `Retry-After` says when to try again.",
        "unavailable",
        "Something that is needed does not answer just now. Try again shortly.",
    ),
];

const RATE: [&str; 2] = ["RateLimit", "RateLimit-Policy"];

/// `components.responses`.
pub(super) fn components() -> Value {
    let mut out = Map::new();
    for (status, name, words, code, detail) in PROBLEMS {
        let title =
            http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or_default();
        let mut example = json!({ "type": "about:blank", "title": title, "status": status, "detail": detail, "code": code });
        match status {
            422 => example["field"] = "title".into(),
            412 => example["revision"] = 7.into(),
            _ => {}
        }
        let mut headers = references(&["X-Request-Id"]);
        match status {
            429 => headers.extend(references(&["Retry-After", "RateLimit", "RateLimit-Policy"])),
            503 => headers.extend(references(&["Retry-After"])),
            412 => headers.extend(references(&["ETag"])),
            _ => {}
        }
        let content = json!({ "schema": { "$ref": "#/components/schemas/ProblemBody" }, "example": example });
        out.insert(
            name.into(),
            json!({ "description": words, "headers": headers, "content": { "application/problem+json": content } }),
        );
    }
    out.into()
}

/// `components.headers`.
pub(super) fn headers() -> Value {
    let text = |words: &str, example: &str| json!({ "description": words, "schema": { "type": "string" }, "example": example });
    json!({
        "ETag": text("The revision, for `If-Match`.", "\"r7\""),
        "Idempotency-Replayed": text("`true`: this answer was given before, to the same request.", "true"),
        "Location": text("Where what was made can be found.", "/api/v1/uploads/019303f0-7a4e-7bb0-a1c2-0d7f3b5c9e11"),
        "RateLimit": text("What is left of the quota, and seconds until all of it is there again.", "\"account\";r=2999;t=1"),
        "RateLimit-Policy": text("The quota: requests, and the window in seconds.", "\"account\";q=3000;w=60"),
        "Retry-After": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0 }, "example": 12 },
        "X-Request-Id": text("What the request is called in the logs.", "019303f07a4e7bb0a1c20d7f3b5c9e11"),
    })
}

/// `components.parameters`.
pub(super) fn parameters() -> Value {
    json!({
        "IdempotencyKey": { "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "A text for this request alone: sent again with it, the request has its effect once and gets the same answer.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-\\[\\]-~]+$" },
            "example": "8e03978e-40d5-43e8-bc93-6894a57f9324" },
        "IfMatch": { "name": "If-Match", "in": "header", "required": false,
            "description": "The `ETag` of the revision that the edit is based on.",
            "schema": { "type": "string" }, "example": "\"r7\"" },
    })
}

/// Names what the operation takes: ids are described, and headers that many share come from the components.
pub(super) fn parameters_of(method: &str, is_open: bool, operation: &mut Value) {
    let is_tus = operation["tags"][0] == "uploads";
    let edits = matches!(method, "patch" | "put") && operation["responses"]["412"].is_object() && !is_tus;
    let mut list: Vec<Value> = operation["parameters"].as_array().cloned().unwrap_or_default();
    list.retain(|parameter| {
        let name = parameter["name"].as_str().unwrap_or_default();
        !name.eq_ignore_ascii_case("if-match") && !name.eq_ignore_ascii_case("idempotency-key")
    });
    for parameter in &mut list {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if parameter["in"] == "path" && (name == "id" || name.ends_with("_id")) && name != "picture_id" {
            parameter["schema"] = json!({ "type": "string", "format": "uuid" });
            parameter["example"] = super::examples::ID.into();
        }
        if parameter["in"] == "path" && name == "picture_id" {
            parameter["example"] = "p0".into();
        }
        if parameter["description"].is_null() {
            let about = if name == "id" || name.ends_with("_id") { "Its id." } else { "" };
            if !about.is_empty() {
                parameter["description"] = about.into();
            }
        }
        if parameter["in"] == "query" && name == "limit" {
            parameter["schema"] = json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 24 });
        }
    }
    if edits {
        list.push(json!({ "$ref": "#/components/parameters/IfMatch" }));
    }
    if method == "post" && !is_open {
        list.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    if !list.is_empty() {
        operation["parameters"] = list.into();
    }
}

/// Adds the answers that the operation gives beside its own, and the headers of all.
pub(super) fn complete(path: &str, method: &str, is_open: bool, operation: &mut Value) {
    let has_body = operation["requestBody"].is_object();
    let takes = |place: &str| {
        operation["parameters"].as_array().is_some_and(|list| list.iter().any(|p| p["in"] == place))
    };
    let mut statuses = vec![400, 401, 406, 429, 500, 503];
    if method != "get" && method != "head" || !is_open {
        statuses.push(403);
    }
    if takes("path") {
        statuses.push(404);
    }
    if takes("query") {
        statuses.push(422);
    }
    if has_body {
        statuses.extend([408, 413, 415, 422]);
    }
    if method == "post" && !is_open {
        statuses.extend([408, 409, 413, 422]);
    }
    let is_picture = path.contains("/poster/") || path.contains("/artwork/");
    let mut answers = operation["responses"].as_object().cloned().unwrap_or_default();
    for (status, answer) in &mut answers {
        let status: u16 = status.parse().unwrap_or(0);
        if let Some(name) = component(status) {
            *answer = json!({ "$ref": format!("#/components/responses/{name}") });
            continue;
        }
        describe(status, answer);
        let mut names = vec!["X-Request-Id"];
        if !is_picture {
            names.extend(RATE);
        }
        if method == "post" && !is_open {
            names.push("Idempotency-Replayed");
        }
        if operation_has_revision(answer) {
            names.push("ETag");
        }
        let mut headers = references(&names);
        headers.extend(answer["headers"].as_object().cloned().unwrap_or_default());
        answer["headers"] = headers.into();
    }
    for status in statuses {
        if let Some(name) = component(status) {
            let answer = json!({ "$ref": format!("#/components/responses/{name}") });
            answers.entry(status.to_string()).or_insert(answer);
        }
    }
    operation["responses"] = answers.into();
}

fn component(status: u16) -> Option<&'static str> {
    PROBLEMS.iter().find(|(known, ..)| *known == status).map(|(_, name, ..)| *name)
}

/// OpenAPI asks for words with every answer.
fn describe(status: u16, answer: &mut Value) {
    if answer["description"].as_str().is_none_or(str::is_empty) {
        answer["description"] = match status {
            200 => "Done; here is what is there now.",
            201 => "Made.",
            202 => "Taken up; the work goes on.",
            204 => "Done.",
            304 => "Not changed since.",
            _ => "An answer.",
        }
        .into();
    }
}

/// Titles, accounts, webhooks and profiles are answered with their revision as `ETag`.
fn operation_has_revision(answer: &Value) -> bool {
    let schema = answer["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
    ["StoredProfile", "Video", "UserAnswer", "Webhook"]
        .iter()
        .any(|name| schema.ends_with(&format!("/{name}")))
}

fn references(names: &[&str]) -> Map<String, Value> {
    let reference =
        |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    names.iter().map(reference).collect()
}
