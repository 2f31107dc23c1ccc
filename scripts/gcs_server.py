"""A stand-in for Google Cloud Storage in tests: moto's S3 behind the words in which Google's XML API differs from S3's.

The emulators in the package registries speak Google's JSON API only; the client library that Kinora uses speaks the XML API
(https://cloud.google.com/storage/docs/xml-api/overview), which is S3's apart from credentials, preconditions and generations.
What Google does not know is refused here, so that a client cannot pass by speaking S3.

    python gcs_server.py        serves on a free port of 127.0.0.1, which it prints as `Running on http://…`
"""

import itertools
from urllib.parse import unquote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import MotoRequestHandler
from werkzeug.serving import run_simple

S3_CREDENTIALS = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


class GoogleDialect:
    def __init__(self, s3):
        self.s3 = s3
        self.generations = itertools.count(1_700_000_000_000_000)

    def __call__(self, environ, start_response):
        def refuse(status, reason):
            body = f"<Error><Code>{reason}</Code></Error>".encode()
            start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]

        if not environ.get("HTTP_AUTHORIZATION", "Bearer").startswith("Bearer"):
            return refuse("401 Unauthorized", "AuthenticationRequired")
        if foreign := [name for name in environ if name.startswith("HTTP_X_AMZ_")]:
            return refuse("400 Bad Request", f"UnknownHeader {foreign[0]}")
        if "delete" in environ.get("QUERY_STRING", "").split("&"):
            return refuse("501 Not Implemented", "NoMultiObjectDelete")
        if environ["REQUEST_METHOD"] == "PUT" and "HTTP_IF_NONE_MATCH" in environ:
            return refuse("400 Bad Request", "PreconditionsGoByGeneration")
        match environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None):
            case None:
                pass
            case "0":
                environ["HTTP_IF_NONE_MATCH"] = "*"
            case _:
                return refuse("501 Not Implemented", "OnlyGenerationZeroHere")
        if source := environ.pop("HTTP_X_GOOG_COPY_SOURCE", None):
            environ["HTTP_X_AMZ_COPY_SOURCE"] = unquote(source)
        environ["HTTP_AUTHORIZATION"] = S3_CREDENTIALS
        # Google's clients escape every sign that is no letter, the slashes in names too; moto looks at what was sent.
        path, question, query = environ["REQUEST_URI"].partition("?")
        environ["REQUEST_URI"] = environ["RAW_URI"] = unquote(path) + question + query

        def answer(status, headers, exc_info=None):
            kept = [(name, value) for name, value in headers if not name.lower().startswith("x-amz-")]
            kept.append(("x-goog-generation", str(next(self.generations))))
            return start_response(status, kept, exc_info)

        return self.s3(environ, answer)


if __name__ == "__main__":
    moto = DomainDispatcherApplication(create_backend_app)
    run_simple("127.0.0.1", 0, GoogleDialect(moto), threaded=True, request_handler=MotoRequestHandler)
