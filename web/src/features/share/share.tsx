// Sharing a title: its link, and the code that puts the player into another page, from a chosen moment on.
import "./share.css";
import { useId, useState } from "react";
import type { Video } from "../../api/types";
import { clock } from "../../lib/format";
import { Button } from "../../ui/basics";
import { LateDialog } from "../../ui/dialog";
import { toast } from "../../ui/toast";

/** The button and its dialog. `position` tells where the viewer is, in seconds. */
export function Share({ video, position }: { video: Video; position?: () => number }) {
  const [at, setAt] = useState<number | null>(null);
  return (
    <>
      <Button icon="link" onClick={() => setAt(Math.floor(position?.() ?? nowPlaying()))}>
        Share
      </Button>
      <LateDialog open={at !== null} onClose={() => setAt(null)} title="Share">
        {at !== null && <Choices video={video} now={at} />}
      </LateDialog>
    </>
  );
}

const nowPlaying = () => document.querySelector<HTMLVideoElement>(".player video")?.currentTime ?? 0;

function Choices({ video, now }: { video: Video; now: number }) {
  const [from, setFrom] = useState(false);
  const [muted, setMuted] = useState(false);
  const start = from && now > 0 ? now : null;
  const embed = new URL(`/embed/${video.id}`, location.origin);
  const link = new URL(`/watch/${video.id}`, location.origin);
  if (start !== null) {
    link.searchParams.set("t", String(start));
    embed.searchParams.set("t", String(start));
  }
  if (muted) {
    embed.searchParams.set("autoplay", "1");
    embed.searchParams.set("muted", "1");
  }
  const [width, height] = [video.width ?? 16, video.height ?? 9];
  const size = { width: 640, height: Math.max(1, Math.round((640 * height) / width)) };
  const code =
    `<iframe src="${embed.href.replaceAll("&", "&amp;")}" width="${size.width}" height="${size.height}" ` +
    `title="${escaped(video.title)}" frameborder="0" ` +
    'allow="autoplay; fullscreen; picture-in-picture; encrypted-media" allowfullscreen></iframe>';
  const isPrivate = video.visibility !== "public" && video.visibility !== "unlisted";
  return (
    <div className="share">
      {isPrivate && <p className="muted">Only those who may see this title can open the link.</p>}
      <Line label="Link" text={link.href} said="The link is copied." />
      {now > 0 && (
        <label className="line">
          <input type="checkbox" checked={from} onChange={() => setFrom(!from)} />
          Start at {clock(now * 1000)}
        </label>
      )}
      {!isPrivate && (
        <>
          <Line label="Code for your page" text={code} said="The code is copied." area />
          <label className="line">
            <input type="checkbox" checked={muted} onChange={() => setMuted(!muted)} />
            Play by itself, without sound
          </label>
          <p className="small muted">
            Your page can control the player:{" "}
            <a className="link" href="/docs/embedding">
              how to embed
            </a>
            .
          </p>
        </>
      )}
    </div>
  );
}

function Line({ label, text, said, area }: { label: string; text: string; said: string; area?: boolean }) {
  const id = useId();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(said);
    } catch {
      toast("The browser did not allow copying.");
    }
  };
  const select = (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => event.currentTarget.select();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="share-line">
        {area ? (
          <textarea id={id} className="input" rows={6} readOnly value={text} onFocus={select} />
        ) : (
          <input id={id} className="input" readOnly value={text} onFocus={select} />
        )}
        <Button icon="copy" aria-label={`Copy: ${label}`} onClick={() => void copy()} />
      </div>
    </div>
  );
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
