//! The tus face (tus 1.0.0), which has no handlers of the usual kind to describe itself.

use serde_json::{Value, json};

fn header(name: &str, words: &str, required: bool, example: &str) -> Value {
    json!({ "name": name, "in": "header", "required": required, "description": words,
        "schema": { "type": "string" }, "example": example })
}

fn version() -> Value {
    json!({ "name": "Tus-Resumable", "in": "header", "required": true, "description": "The version of tus.",
        "schema": { "type": "string", "enum": ["1.0.0"] }, "example": "1.0.0" })
}

fn told(names: &[(&str, &str)]) -> Value {
    let one = |(name, words): &(&str, &str)| {
        ((*name).to_owned(), json!({ "description": words, "schema": { "type": "string" } }))
    };
    names.iter().map(one).collect::<serde_json::Map<_, _>>().into()
}

fn refused(statuses: &[u16]) -> impl Iterator<Item = (String, Value)> {
    statuses.iter().map(|status| (status.to_string(), json!({ "description": "" })))
}

fn operation(
    name: &str,
    words: [&str; 2],
    parameters: Vec<Value>,
    good: (&str, Value),
    bad: &[u16],
) -> Value {
    let mut responses: serde_json::Map<String, Value> = refused(bad).collect();
    responses.insert(good.0.into(), good.1);
    json!({ "tags": ["uploads"], "operationId": name, "summary": words[0], "description": words[1],
        "parameters": parameters, "responses": responses })
}

/// `/api/v1/uploads` and one upload.
pub(super) fn paths() -> [(&'static str, Value); 2] {
    let id = || json!({ "name": "id", "in": "path", "required": true, "description": "The upload's id.", "schema": { "type": "string" } });
    let bytes = json!({ "required": true, "description": "The bytes from `Upload-Offset` on.",
        "content": { "application/offset+octet-stream": { "schema": { "type": "string", "format": "binary" } } } });
    let create = operation(
        "create",
        [
            "Begins an upload.",
            "tus Creation. Makes the title, too; its id is in `Kinora-Video-Id`. With a `Content-Type` of \
            application/offset+octet-stream the first bytes may come along.",
        ],
        vec![
            version(),
            header("Upload-Length", "Bytes of the whole file.", false, "387711000"),
            header(
                "Upload-Metadata",
                "`filename`, `filetype`, `title`, `visibility`: pairs of a name and a base64 value, \
                separated by commas.",
                false,
                "filename YmlnLWJ1Y2stYnVubnkubXA0,title QmlnIEJ1Y2sgQnVubnk=",
            ),
            header(
                "Upload-Concat",
                "`partial`, or `final;` and the parts of which the upload is made.",
                false,
                "partial",
            ),
        ],
        (
            "201",
            json!({ "description": "Send the bytes to `Location`.",
            "headers": told(&[("Location", "The upload."), ("Upload-Offset", "Bytes that are stored."), ("Upload-Expires", "Until when it can go on.")]) }),
        ),
        &[400, 409, 410, 412, 413, 415],
    );
    let options = json!({ "tags": ["uploads"], "operationId": "capabilities", "summary": "What this tus server can do.",
        "responses": { "204": { "description": "In the headers.", "headers":
            told(&[("Tus-Version", "1.0.0"), ("Tus-Extension", "Extensions."), ("Tus-Max-Size", "Largest upload in bytes.")]) } } });
    let look = operation(
        "look",
        ["How far an upload is.", "tus: where to go on after a break."],
        vec![id(), version()],
        (
            "200",
            json!({ "description": "Bytes that are stored are in `Upload-Offset`.",
            "headers": told(&[("Upload-Offset", "Bytes that are stored."), ("Upload-Length", "Bytes of the whole.")]) }),
        ),
        &[410, 412],
    );
    let mut send = operation(
        "send",
        [
            "Sends bytes.",
            "tus Core. What was answered is stored for good; after a break, ask with HEAD and go on from there.",
        ],
        vec![
            id(),
            version(),
            header(
                "Upload-Offset",
                "Where these bytes belong: exactly where the stored ones end.",
                true,
                "0",
            ),
            header(
                "Upload-Checksum",
                "An algorithm and the base64 checksum of these bytes.",
                false,
                "sha1 Lve95gjOVATpfV8EL5X4nxwjKHE=",
            ),
        ],
        (
            "204",
            json!({ "description": "Stored.", "headers": told(&[("Upload-Offset", "Bytes that are stored now.")]) }),
        ),
        &[400, 409, 410, 412, 413, 415, 423],
    );
    send["requestBody"] = bytes;
    for (status, words) in [
        ("423", "Another request is sending to this upload."),
        ("460", "The checksum is another one; nothing was stored."),
    ] {
        send["responses"][status] = json!({ "description": words, "content": { "application/problem+json":
            { "schema": { "$ref": "#/components/schemas/ProblemBody" } } } });
    }
    let end = operation(
        "terminate",
        ["Gives an upload up.", "tus Termination: what was stored is removed."],
        vec![id(), version()],
        ("204", json!({ "description": "Gone." })),
        &[409, 410, 412],
    );
    [
        ("/api/v1/uploads", json!({ "post": create, "options": options })),
        ("/api/v1/uploads/{id}", json!({ "head": look, "patch": send, "delete": end })),
    ]
}
