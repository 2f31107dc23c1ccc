// Reads a DASH manifest with mpd-parser: `node dash.mjs URL-OF-MPD`. Every segment must be there.
// Prints a summary as JSON; says on standard error what is wrong.
import { parse } from 'mpd-parser';

const url = process.argv[2];
const answer = await fetch(url);
if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
const type = answer.headers.get('content-type');
if (type !== 'application/dash+xml') throw new Error(`${url}: content type ${type}`);
const warnings = [];
const manifest = parse(await answer.text(), { manifestUri: url, eventHandler: (event) => warnings.push(event.message) });
if (warnings.length) throw new Error(`mpd-parser: ${warnings.join('; ')}`);

async function check(playlist) {
  for (const segment of playlist.segments) {
    for (const uri of [segment.map?.resolvedUri, segment.resolvedUri]) {
      if (!uri) continue;
      const answer = await fetch(uri, { method: 'HEAD' });
      if (!answer.ok) throw new Error(`${uri}: ${answer.status}`);
    }
  }
  return {
    segments: playlist.segments.length,
    duration: playlist.segments.reduce((sum, s) => sum + s.duration, 0),
    codecs: playlist.attributes.CODECS,
  };
}

const audio = Object.values(manifest.mediaGroups.AUDIO.audio ?? {}).flatMap((group) => group.playlists);
const summary = {
  duration: manifest.duration,
  complete: manifest.endList,
  video: await Promise.all(manifest.playlists.map(check)),
  audio: await Promise.all(audio.map(check)),
};
console.log(JSON.stringify(summary));
