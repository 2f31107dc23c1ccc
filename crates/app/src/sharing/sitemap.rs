//! `/sitemap.xml` (sitemaps.org 0.9) and `/robots.txt` (RFC 9309).

use api::{Client, Time};
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use domain::VideoId;
use store::videos;

use super::{base, stranger, xml::escaped};
use crate::{App, Asker, Result};

/// Titles in the sitemap, the newest; the format allows 50 000.
const MOST: usize = 10_000;
const BATCH: u32 = 1000;

/// `GET /sitemap.xml`.
pub async fn get(
    State(app): State<App>,
    asker: Asker,
    client: Client,
    headers: HeaderMap,
) -> Result<Response> {
    let base = escaped(&base(&app, client, &headers)?);
    let audience = stranger(&asker);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n\
         <url><loc>{base}/</loc></url>\n"
    );
    let (mut after, mut count): (Option<(i64, VideoId)>, usize) = (None, 0);
    while count < MOST {
        let rows = videos::list_public(&mut app.store.reader().await?, &audience, after, BATCH).await?;
        for video in &rows {
            let day = Time(video.updated_at).to_string();
            let day = day.get(..10).unwrap_or_default();
            out.push_str(&format!(
                "<url><loc>{base}/watch/{}</loc><lastmod>{day}</lastmod></url>\n",
                video.id
            ));
        }
        count += rows.len();
        after = rows.last().map(|row| (row.published_at.unwrap_or_default(), row.id));
        if rows.len() < BATCH as usize {
            break;
        }
    }
    out.push_str("</urlset>\n");
    let headers = [
        (header::CONTENT_TYPE, "application/xml; charset=utf-8"),
        (header::CACHE_CONTROL, "private, max-age=600"),
    ];
    Ok((headers, out).into_response())
}

/// `GET /robots.txt`.
pub async fn robots(State(app): State<App>, client: Client, headers: HeaderMap) -> Result<Response> {
    let mut out = String::from(
        "User-agent: *\nDisallow: /account\nDisallow: /control\nDisallow: /history\nDisallow: /media/\nDisallow: /setup\n\
         Disallow: /signin\nDisallow: /studio\n",
    );
    if let Some(base) = app.base(client, &headers) {
        out.push_str(&format!("\nSitemap: {base}/sitemap.xml\n"));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "private, max-age=600"),
    ];
    Ok((headers, out).into_response())
}
