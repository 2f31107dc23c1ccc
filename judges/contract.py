"""Schemathesis over the API's own description: no server error, no answer that the description does not name.

python3 contract.py SERVER ADMIN_TOKEN CREATOR_COOKIE TITLE SPARE [SECONDS]: as administrator (API token), as creator (a
browser's session) and as nobody, SECONDS each. TITLE can be played and is left alone by DELETE; SPARE may be deleted.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
]
# Streams do not end by themselves; tus bodies have judges of their own; the others would sign the caller out or lock them out.
LEFT_OUT = [
    "uploads_send",
    "events_video",
    "events_studio",
    "session_sign_out",
    "session_sign_in",
    "account_change_password",
    "account_end_session",
    "tokens_revoke",
]


def described(server, title, spare):
    """The description with real titles among the ids to try."""
    with urllib.request.urlopen(f"{server}/api/v1/openapi.json") as answer:
        document = json.load(answer)
    for path, item in document["paths"].items():
        if not path.startswith("/api/v1/videos/"):
            continue
        for method, operation in item.items():
            for parameter in operation.get("parameters", []):
                if parameter.get("name") == "id" and parameter.get("in") == "path":
                    known = spare if method == "delete" else title
                    parameter["schema"] = {"type": "string", "enum": [known, spare, parameter["example"]]}
                    parameter["example"] = known
    return document


def judge(name, headers, server, schema, seconds):
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")), "run", schema, "--url", server,
        "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing",
        "--max-time", str(seconds), "--max-examples", "25", "--request-timeout", "20", "--seed", "1",
        "--generation-database", "none", "--no-color", "--no-shrink", "--warnings", "off", "--continue-on-failure",
    ]
    for operation in LEFT_OUT:
        command += ["--exclude-operation-id", operation]
    for header in headers:
        command += ["--header", header]
    # It keeps what it found where it stands.
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(command, capture_output=True, text=True, cwd=place)
    print(f"{name}: {'passed' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode != 0:
        print(done.stdout[-20000:], done.stderr[-4000:], sep="\n")
    return done.returncode == 0


def main():
    server, admin, creator, title, spare = sys.argv[1:6]
    seconds = int(sys.argv[6]) if len(sys.argv) > 6 else 40
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(described(server, title, spare), file)
        file.flush()
        roles = {
            "nobody": [],
            "creator": [f"Cookie: {creator}", "Sec-Fetch-Site: same-origin"],
            "administrator": [f"Authorization: Bearer {admin}"],
        }
        results = [judge(name, headers, server, file.name, seconds) for name, headers in roles.items()]
    sys.exit(0 if all(results) else 1)


main()
