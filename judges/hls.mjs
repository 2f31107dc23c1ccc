// Reads an HLS presentation with hls-parser (strict) and m3u8-parser: `node hls.mjs URL-OF-MULTIVARIANT-PLAYLIST`.
// Every playlist and every segment must be there. Prints a summary as JSON; says on standard error what is wrong.
import HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';

HLS.setOptions({ strictMode: true });

async function read(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const type = answer.headers.get('content-type');
  if (type !== 'application/vnd.apple.mpegurl') throw new Error(`${url}: content type ${type}`);
  const text = await answer.text();
  const parser = new Parser();
  // RFC 8216bis does not know the tags of image playlists.
  const warnings = [];
  parser.on('warn', (event) => warnings.push(event.message));
  parser.push(text);
  parser.end();
  if (warnings.length) throw new Error(`${url}: m3u8-parser: ${warnings.join('; ')}`);
  return { playlist: HLS.parse(text), manifest: parser.manifest, text };
}

async function exists(url) {
  const answer = await fetch(url, { method: 'HEAD' });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
}

async function media(url) {
  const { playlist, manifest } = await read(url);
  if (playlist.isMasterPlaylist) throw new Error(`${url}: not a media playlist`);
  if (playlist.segments.length !== manifest.segments.length) throw new Error(`${url}: the readers disagree`);
  for (const segment of playlist.segments) {
    if (Math.round(segment.duration) > playlist.targetDuration) throw new Error(`${url}: ${segment.uri} is too long`);
    await exists(new URL(segment.uri, url));
    if (segment.map) await exists(new URL(segment.map.uri, url));
  }
  return {
    url: String(url),
    segments: playlist.segments.length,
    duration: playlist.segments.reduce((sum, s) => sum + s.duration, 0),
    complete: playlist.endlist,
    type: playlist.playlistType,
  };
}

const base = process.argv[2];
const { playlist, manifest, text } = await read(base);
if (!playlist.isMasterPlaylist) throw new Error('not a multivariant playlist');
const summary = { variants: [], audio: [], iframes: [], images: [] };
for (const variant of playlist.variants) {
  const found = await media(new URL(variant.uri, base));
  (variant.isIFrameOnly ? summary.iframes : summary.variants).push({ ...found, codecs: variant.codecs, bandwidth: variant.bandwidth });
  for (const audio of variant.audio) {
    const url = new URL(audio.uri, base);
    if (!summary.audio.some((a) => a.url === String(url))) summary.audio.push({ ...(await media(url)), name: audio.name });
  }
}
if (manifest.playlists.length !== summary.variants.length) throw new Error('the readers disagree on the variants');
for (const [, uri] of text.matchAll(/^#EXT-X-IMAGE-STREAM-INF:.*URI="([^"]*)"/gm)) {
  summary.images.push(await media(new URL(uri, base)));
}
console.log(JSON.stringify(summary));
