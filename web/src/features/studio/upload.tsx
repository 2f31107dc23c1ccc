// Upload: drop or choose files; each has its own bar, then its steps, then its link.
import "./studio.css";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { Link } from "wouter";
import * as api from "../../api/calls";
import { useStudioEvents } from "../../api/events";
import { keys, useInstance, useMe, useVideo } from "../../api/queries";
import type { OpenUpload } from "../../api/types";
import { bytes, percent, timeLeft, titleFromFile } from "../../lib/format";
import { useStore } from "../../lib/store";
import { warmWatch } from "../../player/warm";
import { Bar, Button, Notice, useTitle } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { secondsLeft, speed } from "../../upload/rate";
import { over, type Upload } from "../../upload/state";
import { cancel, forgetDone, pause, resume, uploads } from "../../upload/transfer";
import { DropAnywhere, takeFiles } from "./drop";
import { Duplicate } from "./duplicate";
import { Imports } from "./import";
import { Steps } from "./steps";

export default function UploadPage() {
  useTitle("Upload");
  useStudioEvents();
  const list = useStore(uploads);
  const me = useMe();
  const instance = useInstance();
  const input = useRef<HTMLInputElement>(null);
  const [ready, setReady] = useState("");
  const quota = me?.quota_bytes;
  return (
    <div className="page narrow">
      <DropAnywhere />
      <div className="page-head">
        <h1>Upload</h1>
        <Link href="/studio" className="btn quiet push">
          Library
          <Icon name="right" size={16} />
        </Link>
      </div>
      <div className="drop">
        <Icon name="upload" size={40} />
        <h2>
          <span className="by-mouse">Drop video files here</span>
          <span className="by-touch">Videos from this device</span>
        </h2>
        <p className="muted small">
          MP4, MOV, MKV, WebM and most other formats
          {instance.data && instance.data.max_upload_bytes > 0
            ? `, up to ${bytes(instance.data.max_upload_bytes)} each`
            : ""}
          . New titles are private until you publish them.
        </p>
        <Button look="primary" icon="plus" onClick={() => input.current?.click()}>
          Choose files
        </Button>
        <input
          ref={input}
          className="sr"
          type="file"
          multiple
          accept="video/*,audio/*,.mkv,.mxf,.ts,.m2ts"
          aria-label="Video files"
          tabIndex={-1}
          onChange={(event) => {
            takeFiles(event.target.files ?? []);
            event.target.value = "";
          }}
        />
        {me && quota ? (
          <p className="small muted">
            {bytes(me.used_bytes)} of {bytes(quota)} used
          </p>
        ) : null}
      </div>
      <Imports onReady={setReady} />
      <div className="sr" role="status">
        {ready}
      </div>
      {list.length > 0 && (
        <section className="stack" aria-label="Uploads">
          <div className="page-head">
            <h2>This visit</h2>
            {list.some(over) && (
              <Button look="quiet" size="small" className="push" onClick={forgetDone}>
                Clear finished
              </Button>
            )}
          </div>
          <ul className="stack">
            {[...list].reverse().map((upload) => (
              <Item key={upload.key} upload={upload} onReady={setReady} />
            ))}
          </ul>
        </section>
      )}
      <Unfinished here={list} />
    </div>
  );
}

function Item({ upload, onReady }: { upload: Upload; onReady: (text: string) => void }) {
  const title = titleFromFile(upload.name);
  return (
    <li className="panel upload" aria-label={upload.name} data-phase={upload.phase}>
      <div className="line">
        <span className={upload.phase === "failed" ? "upload-icon bad-text" : "upload-icon"}>
          <Icon name={upload.phase === "failed" ? "warning" : "film"} />
        </span>
        <b className="upload-name">{title}</b>
        <span className="push" />
        {(upload.phase === "sending" || upload.phase === "starting" || upload.phase === "retrying") && (
          <Button size="small" icon="pause" aria-label={`Pause ${title}`} onClick={() => pause(upload.key)}>
            Pause
          </Button>
        )}
        {upload.phase === "paused" && (
          <Button size="small" icon="play" aria-label={`Resume ${title}`} onClick={() => resume(upload.key)}>
            Resume
          </Button>
        )}
        {upload.phase === "failed" && (
          <Button size="small" icon="retry" aria-label={`Try ${title} again`} onClick={() => resume(upload.key)}>
            Try again
          </Button>
        )}
        {!over(upload) && (
          <Button look="quiet" icon="close" aria-label={`Cancel ${title}`} onClick={() => cancel(upload.key)} />
        )}
      </div>
      {!over(upload) && upload.phase !== "failed" && (
        <Bar value={percent(upload.sent, upload.size)} label={`Upload of ${title}`} />
      )}
      <Line upload={upload} />
      {upload.phase === "done" && upload.videoId && <Processing id={upload.videoId} onReady={onReady} />}
    </li>
  );
}

function Line({ upload }: { upload: Upload }) {
  const rate = speed(upload.samples);
  const left = secondsLeft(upload.size, upload.sent, rate);
  const of = `${bytes(upload.sent)} of ${bytes(upload.size)}`;
  const words: Record<Upload["phase"], string> = {
    queued: `Waiting its turn · ${bytes(upload.size)}`,
    starting: "Starting",
    sending: [
      `${Math.floor(percent(upload.sent, upload.size))} %`,
      of,
      rate !== null ? `${bytes(rate)}/s` : "",
      left !== null ? timeLeft(left) : "",
    ]
      .filter(Boolean)
      .join(" · "),
    paused: `Paused · ${of}`,
    retrying: upload.message ?? "Waiting for the connection",
    failed: upload.message ?? "It failed.",
    done: `Uploaded · ${bytes(upload.size)}`,
    cancelled: "Cancelled",
  };
  return (
    <p
      className={`small ${upload.phase === "failed" ? "bad-text" : "muted"}`}
      role={upload.phase === "failed" ? "alert" : undefined}
    >
      {words[upload.phase]}
    </p>
  );
}

/** After the last byte: the workflow of the title, and its links as soon as they work. */
export function Processing({ id, onReady }: { id: string; onReady: (text: string) => void }) {
  const { data: video } = useVideo(id);
  const told = useRef(false);
  if (!video) return null;
  if (video.state === "ready" && !told.current) {
    told.current = true;
    queueMicrotask(() => onReady(`${video.title} can be watched now.`));
  }
  return (
    <>
      {video.state === "failed" && <Notice tone="bad">{video.error ?? "The file could not be prepared."}</Notice>}
      <Duplicate video={video} />
      {video.steps && !video.complete && <Steps steps={video.steps} />}
      <div className="line">
        {video.state === "ready" && (
          <Link
            href={`/watch/${id}`}
            className="btn primary"
            onPointerEnter={() => warmWatch()}
            onClick={() => warmWatch(id)}
          >
            <Icon name="play" />
            {video.complete ? "Watch" : "Watch what is ready"}
          </Link>
        )}
        <Link href={`/studio/videos/${id}`} className="btn">
          <Icon name="edit" />
          Edit details
        </Link>
        {video.visibility === "private" && (
          <span className="small muted">Only you can see it. Publish it in its details.</span>
        )}
      </div>
    </>
  );
}

/** Uploads of an earlier visit: the server keeps their bytes until they expire. */
function Unfinished({ here }: { here: readonly Upload[] }) {
  const open = useQuery({ queryKey: keys.uploads, queryFn: api.openUploads });
  const rest = (open.data ?? []).filter(
    (one: OpenUpload) => !here.some((upload) => upload.name === one.filename && upload.size === one.length),
  );
  if (rest.length === 0) return null;
  return (
    <Notice tone="accent">
      <b>Unfinished uploads</b>
      <p className="small muted">Choose the same file again to go on where it stopped.</p>
      <ul>
        {rest.map((one) => (
          <li key={one.id} className="small">
            {one.filename} · {bytes(one.received)} of {bytes(one.length)}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
