// Viewers of a live event, as many as are asked for: each waits for the next playlist and then takes the part that it tells.
// `live-fanout.mjs live ORIGIN FOLDERS VIEWERS SECONDS KEEP`: of an LL-HLS event; the first viewer keeps what it got as files.
// `live-fanout.mjs files ORIGIN - VIEWERS SECONDS KEEP`: the same bytes as files, when they came. Says "ready" when all are there, and figures at the end.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

const [mode, origin, foldersFile, count, seconds, keep] = process.argv.slice(2);
const { hostname, port } = new URL(origin);
const viewers = Number(count);
const folders = mode === "live" ? JSON.parse(readFileSync(foldersFile, "utf8")) : [];
mkdirSync(keep, { recursive: true });
const schedule = mode === "files" ? JSON.parse(readFileSync(join(keep, "schedule.json"), "utf8")) : [];

let watching = 0;
let measuring = false;
let requests = 0;
let bytes = 0;
let broken = 0;
/** When something first came to anyone, and how much later it came to the others, milliseconds. */
const first = new Map();
const late = [];

/** One connection: a request at a time, its answer's body as a Buffer. */
function client() {
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  let [pieces, have, need, answered] = [[], 0, -1, null];
  socket.on("data", (piece) => {
    pieces.push(piece);
    have += piece.length;
    if (need < 0) {
      const all = pieces.length > 1 ? Buffer.concat(pieces) : pieces[0];
      pieces = [all];
      const end = all.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = all.toString("latin1", 0, end);
      const length = /content-length: (\d+)/i.exec(head);
      if (!head.startsWith("HTTP/1.1 200") || !length) return fail(`${head}\n`);
      need = end + 4 + Number(length[1]);
      pieces.start = end + 4;
    }
    if (have < need) return;
    const all = pieces.length > 1 ? Buffer.concat(pieces) : pieces[0];
    const body = all.subarray(need - (need - pieces.start));
    [pieces, have, need] = [[], 0, -1];
    answered(body);
  });
  const fail = (why) => {
    if (done) return;
    broken += 1;
    if (broken < 4) process.stderr.write(`${why}\n`);
    socket.destroy();
  };
  socket.on("error", (error) => fail(error.message));
  socket.on("close", () => !done && fail("closed"));
  return (path) =>
    new Promise((resolve) => {
      answered = (body) => {
        if (measuring) {
          requests += 1;
          bytes += body.length;
        }
        resolve(body);
      };
      socket.write(`GET ${path} HTTP/1.1\r\nHost: viewers\r\n\r\n`);
    });
}

let done = false;
const began = performance.now();
const came = (what) => {
  const now = performance.now();
  if (!first.has(what)) first.set(what, now);
  if (measuring) late.push(now - first.get(what));
  return now;
};
const entered = () => {
  watching += 1;
  if (watching < viewers) return;
  process.stdout.write("ready\n");
  measuring = true;
  setTimeout(finish, Number(seconds) * 1000);
};

function next(playlist) {
  const at = playlist.lastIndexOf("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=");
  const [, segment, part] = /URI="(\d+)\.(\d+)\.m4s"/.exec(playlist.slice(at));
  return { segment, part };
}

async function watch(n) {
  const get = client();
  const folder = folders[n % folders.length];
  let hint = next((await get(`${folder}/playlist.m3u8`)).toString("latin1"));
  const kept = [];
  for (let turn = 0; !done; turn += 1) {
    const name = `${hint.segment}.${hint.part}`;
    const list = await get(`${folder}/playlist.m3u8?_HLS_msn=${hint.segment}&_HLS_part=${hint.part}`);
    const at = came(name);
    const part = await get(`${folder}/${name}.m4s`);
    if (n === 0) {
      writeFileSync(join(keep, `${turn}.m3u8`), list);
      writeFileSync(join(keep, `${turn}.m4s`), part);
      kept.push(at - began);
      writeFileSync(join(keep, "schedule.json"), JSON.stringify(kept));
    }
    hint = next(list.toString("latin1"));
    if (turn === 1) entered();
  }
}

/** Everybody asks when it came then, and again from the beginning when all is over. */
async function replay() {
  const get = client();
  const length = schedule[schedule.length - 1] - schedule[0] + 333;
  for (let turn = 0; !done; turn += 1) {
    const at = began + 1000 + Math.floor(turn / schedule.length) * length + schedule[turn % schedule.length] - schedule[0];
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
    const name = turn % schedule.length;
    await get(`/${name}.m3u8`);
    came(turn);
    await get(`/${name}.m4s`);
    if (turn === 1) entered();
  }
}

function finish() {
  done = true;
  late.sort((a, b) => a - b);
  const told = { requests, megabytes: bytes / 1e6, broken, parts: first.size, late_ms: late[Math.floor(late.length * 0.99)] ?? 0 };
  process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0));
}

// Not all in one moment.
for (let n = 0; n < viewers; n += 1) setTimeout(() => (mode === "live" ? watch(n) : replay()), n * 2);
