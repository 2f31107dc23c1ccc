//! How things are served.

rules! {
    UNAVAILABLE: "http-unavailable" Error Http "15",
        "What a playlist or manifest names can be fetched",
        "Serve it, or do not name it.";
    PLAYLIST_TYPE: "http-playlist-type" Error Hls "4",
        "A playlist is known by Content-Type application/vnd.apple.mpegurl or audio/mpegurl, or by .m3u8 or .m3u at the end of its path",
        "Serve playlists as application/vnd.apple.mpegurl.";
    CONTENT_TYPE: "http-content-type" Warning Http "8.3",
        "Playlists, manifests and segments have the Content-Type of what they are",
        "Serve application/vnd.apple.mpegurl, application/dash+xml, video/mp4, audio/mp4, video/mp2t, text/vtt.";
    RANGE: "http-range" Error Http "14.2",
        "A byte range in a playlist or manifest can be asked for: answered with 206 and that range",
        "Serve byte ranges, or files of their own.";
    GZIP: "http-gzip" Note Apple "",
        "Playlists and manifests are served with gzip to those who accept it",
        "Compress text answers.";
    CORS: "http-cors" Note Fetch "3.2",
        "Pages of other origins may read what is served",
        "Add Access-Control-Allow-Origin if players on other sites shall play it.";
}
