// Import from a link: the server fetches the file; each link has its own line, its steps, its cancel.
import { useRef, useState } from "react";
import * as api from "../../api/calls";
import { inWords, Problem } from "../../api/problem";
import { listsChanged, useVideo } from "../../api/queries";
import { bytes, percent } from "../../lib/format";
import { Bar, Button, Field } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { cancelWork, retryWork } from "./actions";
import { Processing } from "./upload";

type Import = { id: string; link: string };

export function Imports({ onReady }: { onReady: (text: string) => void }) {
  const [list, setList] = useState<readonly Import[]>([]);
  return (
    <section className="stack" aria-label="Links">
      <ImportForm onStarted={(one) => setList((old) => [one, ...old])} />
      {list.length > 0 && (
        <ul className="stack" aria-label="Imports">
          {list.map((one) => (
            <Item key={one.id} one={one} onReady={onReady} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** Asks for a link; what it leads to becomes a title, or the next version of one. */
export function ImportForm({ onStarted, replaces }: { onStarted: (one: Import) => void; replaces?: string }) {
  const [link, setLink] = useState("");
  const [wrong, setWrong] = useState<string>();
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const start = async () => {
    if (!link.trim()) {
      setWrong("Put the link of a video file here.");
      input.current?.focus();
      return;
    }
    setBusy(true);
    try {
      const made = await api.importLink({ url: link.trim(), replaces: replaces ?? null });
      onStarted({ id: made.video_id, link: made.url });
      listsChanged();
      setLink("");
      setWrong(undefined);
    } catch (error) {
      setWrong((error instanceof Problem && error.fields.url) || inWords(error));
      input.current?.focus();
    }
    setBusy(false);
  };
  return (
    // No form element: one may be around it.
    <div className="import-form">
      <Field
        ref={input}
        label={replaces ? "Or fetch it from a link" : "Import from a link"}
        inputMode="url"
        autoComplete="off"
        spellCheck={false}
        placeholder="https://example.org/film.mp4"
        hint="The address of a video file. The server fetches it; you may close this page meanwhile."
        value={link}
        wrong={wrong}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          void start();
        }}
        onChange={(event) => {
          setLink(event.target.value);
          setWrong(undefined);
        }}
      />
      <Button busy={busy} onClick={() => void start()}>
        Import
      </Button>
    </div>
  );
}

function Item({ one, onReady }: { one: Import; onReady: (text: string) => void }) {
  const { data: video } = useVideo(one.id);
  const name = video?.title ?? one.link;
  const fetching = video?.state === "uploading";
  const step = video?.steps?.find((step) => step.name === "upload");
  return (
    <li className="panel upload" aria-label={name} data-state={video?.state}>
      <div className="line">
        <Icon name="link" />
        <b className="upload-name">{name}</b>
        <span className="push" />
        {video && (video.state === "failed" || video.state === "cancelled") && (
          <Button size="small" icon="retry" aria-label={`Try ${name} again`} onClick={() => void retryWork(video)}>
            Try again
          </Button>
        )}
        {video && (fetching || video.state === "processing") && (
          <Button look="quiet" icon="close" aria-label={`Cancel ${name}`} onClick={() => void cancelWork(video)} />
        )}
      </div>
      {fetching && (
        <>
          <Bar value={step && step.total > 0 ? percent(step.done, step.total) : 0} label={`Import of ${name}`} />
          <p className="small muted">
            {step && step.total > 0
              ? `${Math.floor(percent(step.done, step.total))} % · ${bytes(step.done)} of ${bytes(step.total)}`
              : "Asking that server for the file"}
          </p>
        </>
      )}
      {video?.state === "cancelled" && <p className="small muted">Cancelled</p>}
      {video && !fetching && video.state !== "cancelled" && <Processing id={one.id} onReady={onReady} />}
    </li>
  );
}
