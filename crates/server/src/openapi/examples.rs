//! Examples made from the schemas: the same field has the same example everywhere, and none can fall behind its schema.

use serde_json::{Map, Value, json};

pub(super) const ID: &str = "019303f0-7a4e-7bb0-a1c2-0d7f3b5c9e11";
const INSTANT: &str = "2026-11-21T12:30:07.125Z";
/// Schemas nest less deep than that.
const DEPTH: u32 = 32;

/// Puts examples to the operation's JSON bodies that have none.
pub(super) fn fill(operation: &mut Value, schemas: &Map<String, Value>) {
    let put = |content: &mut Value| {
        if content["schema"].is_object() && content["example"].is_null() && content["examples"].is_null() {
            content["example"] = example(&content["schema"], "", schemas, DEPTH);
        }
    };
    if let Some(content) = operation.pointer_mut("/requestBody/content/application~1json") {
        put(content);
    }
    for (status, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
        if status.starts_with('2')
            && let Some(content) = answer.pointer_mut("/content/application~1json")
        {
            put(content);
        }
    }
}

/// What a field of this name usually holds.
fn usual(field: &str) -> Option<Value> {
    Some(match field {
        "title" => json!("Big Buck Bunny"),
        "description" => json!("A giant rabbit with a heart bigger than himself."),
        "attribution" => json!("© Blender Foundation, CC BY 3.0"),
        "visibility" => json!("public"),
        "state" => json!("ready"),
        "error" | "deleted_at" | "next_cursor" | "field" | "available_from" | "available_until"
        | "publish_at" | "disabled_reason" | "failing_since" | "old_secret_until" | "next_at"
        | "disabled_at" => Value::Null,
        "name" => json!("Ada Lovelace"),
        "email" => json!("ada@example.org"),
        "password" | "current_password" => json!("correct horse battery"),
        "new_password" => json!("battery staple correct"),
        "role" => json!("creator"),
        "version" => json!(env!("CARGO_PKG_VERSION")),
        "scopes" => json!(["read", "upload"]),
        "token" => json!("kin_q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"),
        "expires_in_days" => json!(90),
        "duration_ms" => json!(596_474),
        "position_ms" | "resume_ms" => json!(120_500),
        "at_ms" => json!(31_000),
        "width" => json!(1920),
        "height" => json!(1080),
        "revision" => json!(7),
        "poster_url" => {
            json!(format!("/api/v1/videos/{ID}/poster/p0/640.jpg"))
        }
        "page_url" => json!(format!("https://video.example.org/watch/{ID}")),
        "hls_url" => json!(format!("/media/eyJ0…/{ID}/main.m3u8")),
        "dash_url" => json!(format!("/media/eyJ0…/{ID}/main.mpd")),
        "storyboard_url" => json!(format!("/media/eyJ0…/{ID}/storyboard.vtt")),
        "filename" => json!("big-buck-bunny.mp4"),
        "codec" => json!("avc1.640028"),
        "label" => json!("1080p"),
        "kind" => json!("video"),
        "bitrate_bps" => json!(5_200_000),
        "bytes" | "used_bytes" => json!(387_711_000),
        "quota_bytes" => json!(107_374_182_400_i64),
        "max_upload_bytes" => json!(21_474_836_480_i64),
        "upload_chunk_bytes" => json!(16_777_216),
        "length" => json!(387_711_000),
        "received" => json!(134_217_728),
        "complete" | "chosen" | "current" | "enabled" => json!(true),
        "disabled" | "setup_required" | "permanent" | "trash" | "all" => json!(false),
        "message" => json!(""),
        "done" | "total" => json!(24),
        "language" => json!("en"),
        "release_year" => json!(2008),
        "genres" => json!(["animation", "comedy"]),
        "tags" => json!(["rabbit", "open movie"]),
        "countries" | "duplicate_of" | "replaces" => Value::Null,
        "maturity_rating" => json!("PG"),
        "directors" => json!(["Sacha Goedegebure"]),
        "add_genres" | "remove_genres" => json!(["animation"]),
        "add_tags" | "remove_tags" => json!(["rabbit"]),
        "tag" => json!("en"),
        "alt" => json!("A giant rabbit under a tree"),
        "blur" => json!("data:image/webp;base64,UklGRhoAAABXRUJQ"),
        "type" => json!("about:blank"),
        "code" => json!("invalid"),
        "detail" => json!("A title is 1 to 200 characters long."),
        _ => return None,
    })
}

fn example(schema: &Value, field: &str, schemas: &Map<String, Value>, depth: u32) -> Value {
    if let Some(own) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return own.clone();
    }
    if let Some(value) = usual(field).filter(|value| misfit(schema, value, schemas).is_none()) {
        return value;
    }
    if depth == 0 {
        return Value::Null;
    }
    if let Some(name) = reference(schema) {
        return schemas.get(name).map_or(Value::Null, |schema| example(schema, field, schemas, depth - 1));
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    for key in ["oneOf", "anyOf"] {
        let mut choices = schema[key].as_array().into_iter().flatten();
        if let Some(choice) = choices.find(|choice| choice["type"] != "null") {
            return example(choice, field, schemas, depth - 1);
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for part in parts {
            if let Value::Object(fields) = example(part, field, schemas, depth - 1) {
                whole.extend(fields);
            }
        }
        return whole.into();
    }
    match kind(schema) {
        "object" => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, schema)| (name.clone(), example(schema, name, schemas, depth - 1))).collect()
        }
        "array" => json!([example(&schema["items"], singular(field), schemas, depth - 1)]),
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "number" => json!(0.5),
        "boolean" => json!(true),
        "string" => text(schema, field),
        _ => Value::Null,
    }
}

fn text(schema: &Value, field: &str) -> Value {
    match schema["format"].as_str().unwrap_or_default() {
        "date-time" => json!(INSTANT),
        "uuid" => json!(ID),
        "uri" => json!("https://example.org/"),
        _ if field == "id" || field.ends_with("_id") || field == "session" => json!(ID),
        _ if field == "url" || field.ends_with("_url") => json!(format!("/api/v1/videos/{ID}")),
        _ if field == "field" => json!("title"),
        _ => json!("text"),
    }
}

/// `items` are one `item`; for the table of usual values.
fn singular(field: &str) -> &str {
    if field == "ids" { "id" } else { field.strip_suffix('s').unwrap_or("") }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The first type that is not `null`.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema["properties"].is_object() => "object",
        _ => "",
    }
}

/// Where `value` does not fit `schema`; looks at types, references, enumerations, required and unknown fields.
pub(super) fn misfit(schema: &Value, value: &Value, schemas: &Map<String, Value>) -> Option<String> {
    if let Some(name) = reference(schema) {
        return match schemas.get(name) {
            Some(schema) => misfit(schema, value, schemas),
            None => Some(format!("there is no schema {name}")),
        };
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[key].as_array() {
            let fits = choices.iter().any(|choice| misfit(choice, value, schemas).is_none());
            return (!fits).then(|| format!("{value} fits none of {key}"));
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().find_map(|part| misfit(part, value, schemas));
    }
    if let Some(words) = schema["enum"].as_array() {
        return (!words.contains(value)).then(|| format!("{value} is not one of {words:?}"));
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let fits = kinds.iter().any(|kind| match *kind {
        "null" => value.is_null(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        _ => false,
    });
    if !fits {
        return Some(format!("{value} is not {kinds:?}"));
    }
    if let Some(fields) = value.as_object().filter(|_| schema["properties"].is_object()) {
        let missing = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(name) = missing.into_iter().find(|name| !fields.contains_key(*name)) {
            return Some(format!("{name} is missing"));
        }
        return fields.iter().find_map(|(name, value)| match schema["properties"].get(name) {
            Some(schema) => misfit(schema, value, schemas).map(|words| format!("{name}: {words}")),
            None => None,
        });
    }
    let items = value.as_array().into_iter().flatten();
    items.into_iter().find_map(|item| misfit(&schema["items"], item, schemas))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_follow_their_schema() {
        let schemas = json!({ "Time": { "type": "string", "format": "date-time" },
            "Row": { "type": "object", "required": ["id", "at"], "properties": {
                "id": { "type": "string" }, "at": { "oneOf": [{ "$ref": "#/components/schemas/Time" }, { "type": "null" }] },
                "title": { "type": "integer" }, "word": { "type": "string", "enum": ["a", "b"] } } } });
        let schemas = schemas.as_object().unwrap();
        let schema = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Row" } });
        let made = example(&schema, "", schemas, DEPTH);
        assert_eq!(made, json!([{ "id": ID, "at": INSTANT, "title": 1, "word": "a" }]));
        assert_eq!(misfit(&schema, &made, schemas), None);
        let wrong = [
            json!({}),
            json!([{ "id": ID }]),
            json!([{ "id": 1, "at": null }]),
            json!([{ "id": "", "at": 5 }]),
        ];
        for wrong in wrong {
            assert!(misfit(&schema, &wrong, schemas).is_some(), "{wrong}");
        }
    }
}
