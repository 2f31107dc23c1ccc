# Varnish 7 as a cache in front of Kinora, without modules of others.
#
# Each request goes through here twice: first for who may, which is asked of Kinora (`/edge/check`) and remembered for two seconds
# for each token, client and kind of file; then, by a restart, for the bytes, which are the same for all who may have the
# same. More in docs/caches.md. Needs two stores: varnishd -s checks=malloc,64m -s media=malloc,8g …
vcl 4.1;

import std;

# A process with the role `edge`, alone or in front of the origin.
backend kinora {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 1s;
    # Longer than requests for live parts wait for what is still to come.
    .first_byte_timeout = 30s;
    .between_bytes_timeout = 15s;
    .probe = {
        .url = "/healthz";
        .interval = 1s;
        .timeout = 1s;
        .window = 3;
        .threshold = 2;
        .initial = 2;
    }
}

sub vcl_recv {
    if (req.restarts == 0) {
        call kinora_begin;
    }
    # What is old is used only while Kinora does not answer.
    if (req.http.X-Kinora-Away || !std.healthy(req.backend_hint)) {
        set req.grace = 24h;
    } else {
        set req.grace = 0s;
    }
    if (req.http.X-Kinora-Key) {
        set req.url = req.http.X-Kinora-Path;
        if (req.method == "OPTIONS") {
            return (pass);
        }
    } else {
        set req.url = "/edge/check";
    }
    return (hash);
}

# Takes a client's request apart. Nothing that a client sends reaches Kinora, or counts, but what is named here.
sub kinora_begin {
    unset req.http.X-Kinora-Key;
    unset req.http.X-Kinora-Away;
    unset req.http.Authorization;
    unset req.http.Cookie;
    unset req.http.CDN-Loop;
    unset req.http.Forwarded;
    unset req.http.X-Forwarded-Host;
    unset req.http.X-Real-IP;
    set req.http.X-Forwarded-For = client.ip;
    # Where TLS ends in front of this: say so here.
    set req.http.X-Forwarded-Proto = "http";
    set req.http.Host = "kinora";
    # Several parts at once are not to be had here; whoever asks for them gets the whole.
    if (req.http.Range ~ ",") {
        unset req.http.Range;
    }

    if (req.method != "GET" && req.method != "HEAD" && req.method != "OPTIONS") {
        return (synth(405));
    }
    if (req.url !~ "^/media/[\w-]+\.[\w-]+/[0-9a-f-]{36}(/[\w-][\w.-]*)+(\?|$)") {
        return (synth(404));
    }

    # The only parameters that change bytes, in one order. Everything else, such as CMCD, stays here.
    set req.http.X-Kinora-Query = "";
    call kinora_query;
    set req.http.X-Kinora-Path = regsub(req.url, "\?.*$", "") + req.http.X-Kinora-Query;
    set req.http.X-Kinora-Rest = regsub(req.http.X-Kinora-Path, "^/media/[^/]+/[^/]+", "");

    # For each kind of file one address is shown to Kinora: what it says of that one holds for all of them.
    set req.http.X-Original-URI = regsub(req.url, "^(/media/[^/]+/[^/]+)/.*$", "\1");
    if (req.http.X-Kinora-Rest ~ "\.(m3u8|mpd|vtt)(\?|$)") {
        set req.http.X-Original-URI = req.http.X-Original-URI + "/main.m3u8";
    } else {
        set req.http.X-Original-URI = req.http.X-Original-URI + "/v/init.mp4";
    }
}

sub kinora_query {
    if (req.url ~ "[?&]_HLS_msn=[0-9A-Za-z]{1,20}(&|$)") {
        set req.http.X-Kinora-Query = req.http.X-Kinora-Query + "&" + regsub(req.url, "^.*?[?&](_HLS_msn=[0-9A-Za-z]{1,20})(&.*)?$", "\1");
    }
    if (req.url ~ "[?&]_HLS_part=[0-9A-Za-z]{1,20}(&|$)") {
        set req.http.X-Kinora-Query = req.http.X-Kinora-Query + "&" + regsub(req.url, "^.*?[?&](_HLS_part=[0-9A-Za-z]{1,20})(&.*)?$", "\1");
    }
    if (req.url ~ "[?&]_HLS_skip=[0-9A-Za-z]{1,20}(&|$)") {
        set req.http.X-Kinora-Query = req.http.X-Kinora-Query + "&" + regsub(req.url, "^.*?[?&](_HLS_skip=[0-9A-Za-z]{1,20})(&.*)?$", "\1");
    }
    set req.http.X-Kinora-Query = regsub(req.http.X-Kinora-Query, "^&", "?");
}

sub vcl_hash {
    if (req.http.X-Kinora-Key) {
        hash_data("media");
        hash_data(req.http.X-Kinora-Key);
        hash_data(req.http.X-Kinora-Rest);
    } else {
        hash_data("check");
        hash_data(req.http.X-Original-URI);
        hash_data(client.ip);
        hash_data(req.http.User-Agent);
    }
    return (lookup);
}

sub vcl_backend_fetch {
    # Varnish asks for texts packed by itself, and unpacks them for those who take no gzip.
    if (bereq.url != "/edge/check") {
        unset bereq.http.X-Original-URI;
    }
    unset bereq.http.X-Kinora-Path;
    unset bereq.http.X-Kinora-Rest;
    unset bereq.http.X-Kinora-Query;
    unset bereq.http.X-Kinora-Key;
    unset bereq.http.X-Kinora-Away;
}

sub vcl_backend_response {
    if (bereq.url == "/edge/check") {
        if (beresp.status == 204 && beresp.http.X-Kinora-Key) {
            # So long does somebody go on who was sent away; and so long who was let in, while Kinora is away.
            set beresp.ttl = 2s;
            set beresp.grace = 6h;
        } else if (beresp.status == 401 || beresp.status == 403) {
            # Kept so that no older answer is found while Kinora is away.
            set beresp.ttl = 1s;
            set beresp.grace = 6h;
        } else {
            return (abandon);
        }
        set beresp.keep = 0s;
        set beresp.storage = storage.checks;
        return (deliver);
    }
    if (beresp.status >= 500) {
        # Something old may do.
        return (abandon);
    }
    if (beresp.http.Cache-Control ~ "(?i)no-store|private" || beresp.ttl <= 0s) {
        # For this request alone: the next one asks again, and nobody waits for it.
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
    if (beresp.status == 200) {
        set beresp.grace = 24h;
    } else {
        set beresp.grace = 0s;
    }
    set beresp.storage = storage.media;
    return (deliver);
}

sub vcl_backend_error {
    return (abandon);
}

sub vcl_deliver {
    unset resp.http.X-Varnish;
    unset resp.http.Via;
    if (!req.http.X-Kinora-Key) {
        if (resp.status == 204 && resp.http.X-Kinora-Key) {
            set req.http.X-Kinora-Key = resp.http.X-Kinora-Key;
            return (restart);
        }
        # Refused, in Kinora's words; pages of other sites may read them.
        unset resp.http.Age;
        set resp.http.Access-Control-Allow-Origin = "*";
        return (deliver);
    }
    if (obj.hits > 0) {
        set resp.http.X-Kinora-How = "varnish; hit";
    } else {
        set resp.http.X-Kinora-How = "varnish; fwd=uri-miss";
    }
    # RFC 9211, after what the caches before have said of themselves.
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", " + resp.http.X-Kinora-How;
    } else {
        set resp.http.Cache-Status = resp.http.X-Kinora-How;
    }
    unset resp.http.X-Kinora-How;
    return (deliver);
}

sub vcl_synth {
    # Kinora did not answer: once more with what is old.
    if (resp.status == 503 && !req.http.X-Kinora-Away) {
        set req.http.X-Kinora-Away = "yes";
        return (restart);
    }
    set resp.http.Access-Control-Allow-Origin = "*";
    set resp.http.Cache-Control = "no-store";
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    set resp.body = resp.reason;
    return (deliver);
}
