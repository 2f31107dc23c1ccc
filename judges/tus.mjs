// tus-js-client against a running Kinora: whole, cut off and resumed, in parallel pieces, terminated.
//
//     node judges/tus.mjs SERVER TOKEN FILE    prints one JSON line: the titles made; exits 1 with the reason otherwise

import { createReadStream, readFileSync, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const [server, token, path] = process.argv.slice(2);
if (!path) {
  console.error("usage: node judges/tus.mjs SERVER TOKEN FILE");
  process.exit(2);
}
const size = statSync(path).size;

// One upload with `options`; settles when it ended. `cutAt` aborts it once so many bytes were sent.
function upload(name, options, cutAt = Infinity) {
  return new Promise((resolve, reject) => {
    let video = null;
    const upload = new Upload(createReadStream(path), {
      endpoint: `${server}/api/v1/uploads`,
      uploadSize: size,
      headers: { Authorization: `Bearer ${token}` },
      retryDelays: [0, 200, 500, 1000],
      metadata: { filename: `${name}.mp4`, filetype: "video/mp4", title: name },
      onAfterResponse: (_, response) => {
        video = response.getHeader("kinora-video-id") ?? video;
      },
      onError: reject,
      onProgress: (sent) => {
        if (sent >= cutAt) upload.abort().then(() => resolve({ upload, video }), reject);
      },
      onSuccess: () => resolve({ upload, video }),
      ...options,
    });
    upload.start();
  });
}

function check(condition, words) {
  if (!condition) throw new Error(words);
}

async function head(url) {
  const response = await fetch(url, {
    method: "HEAD",
    headers: { Authorization: `Bearer ${token}`, "Tus-Resumable": "1.0.0" },
  });
  return { status: response.status, offset: Number(response.headers.get("upload-offset")) };
}

const chunkSize = Math.max(256 * 1024, Math.floor(size / 5));
const videos = {};

const whole = await upload("whole", { chunkSize });
videos.whole = whole.video;
check((await head(whole.upload.url)).offset === size, "the whole upload does not stand at its end");

const withData = await upload("with-data", { chunkSize, uploadDataDuringCreation: true });
videos["with-data"] = withData.video;

const cut = await upload("resumed", { chunkSize }, size / 3);
const before = await head(cut.upload.url);
check(before.status === 200 && before.offset < size, `cut off, but it stands at ${before.offset} of ${size}`);
const resumed = await upload("resumed", { chunkSize, uploadUrl: cut.upload.url });
check((await head(resumed.upload.url)).offset === size, "the resumed upload does not stand at its end");
videos.resumed = cut.video;

const overridden = await upload("override", { chunkSize, overridePatchMethod: true });
videos.override = overridden.video;

const pieces = await new Promise((resolve, reject) => {
  let video = null;
  const joined = new Upload(readFileSync(path), {
    endpoint: `${server}/api/v1/uploads`,
    parallelUploads: 3,
    headers: { Authorization: `Bearer ${token}` },
    metadata: { filename: "parallel.mp4", filetype: "video/mp4", title: "parallel" },
    onAfterResponse: (_, response) => {
      video = response.getHeader("kinora-video-id") ?? video;
    },
    onError: reject,
    onSuccess: () => resolve({ upload: joined, video }),
  });
  joined.start();
});
check((await head(pieces.upload.url)).offset === size, "the joined upload does not stand at its end");
videos.parallel = pieces.video;

const doomed = await upload("doomed", { chunkSize }, size / 4);
await Upload.terminate(doomed.upload.url, { headers: { Authorization: `Bearer ${token}` } });
check((await head(doomed.upload.url)).status === 404, "a terminated upload is still there");

for (const [name, video] of Object.entries(videos)) {
  const response = await fetch(`${server}/api/v1/videos/${video}`, { headers: { Authorization: `Bearer ${token}` } });
  check(response.ok, `the title of ${name} is not there: ${response.status}`);
  const title = await response.json();
  check(title.title === name && title.state !== "uploading", `${name}: ${JSON.stringify(title)}`);
}
console.log(JSON.stringify(videos));
