// What operators have edges do: bring titles near, take things out.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { Warming } from "../../api/types";
import { exact } from "../../lib/format";
import { Button, Field, Notice, When } from "../../ui/basics";
import { InstantField, Select } from "../../ui/inputs";
import { Dialog } from "../../ui/overlay";
import { Segments, Toggle } from "../../ui/segments";
import { toast } from "../../ui/toast";
import { Part, Title } from "./parts";

type Chosen = { id: string; title: string };
const refresh = () => queryClient.invalidateQueries({ queryKey: keys.edges });

export function Bringing({ warmings }: { warmings: readonly Warming[] }) {
  const [open, setOpen] = useState(false);
  return (
    <Part
      title="Brought near before anybody asks"
      wide
      end={
        <Button size="small" icon="plus" onClick={() => setOpen(true)}>
          Bring a title near…
        </Button>
      }
    >
      {warmings.length === 0 ? (
        <p className="muted">
          Nothing is planned. Before a première or a rush, edges can fetch a title in time: its first viewers then wait
          for nobody.
        </p>
      ) : (
        <table className="sheet folds">
          <thead>
            <tr>
              <th scope="col">Title</th>
              <th scope="col">How much</th>
              <th scope="col">Next</th>
              <th scope="col">Last</th>
              <th scope="col">
                <span className="sr">What to do</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {warmings.map((one) => (
              <Planned key={one.id} warming={one} />
            ))}
          </tbody>
        </table>
      )}
      <WarmDialog open={open} onClose={() => setOpen(false)} />
    </Part>
  );
}

function Planned({ warming }: { warming: Warming }) {
  const [busy, setBusy] = useState(false);
  const remove = async () => {
    setBusy(true);
    try {
      await api.forgetWarming(warming.id);
      const { video, part, in_quiet_hours, every_day, next_at } = warming;
      const again = { video_id: video.id, part, in_quiet_hours, every_day };
      if (next_at)
        toast(`“${video.title}” will not be brought near.`, {
          label: "Undo",
          run: () => void api.warm({ ...again, at: next_at }).then(refresh, (error) => toast(inWords(error))),
        });
    } catch (error) {
      toast(`That failed. ${inWords(error)}`);
    }
    await refresh();
    setBusy(false);
  };
  return (
    <tr>
      <th scope="row" className="name">
        <Title video={warming.video} />
      </th>
      <td data-label="how much">
        {warming.part === "all" ? "Everything" : "The first half minute"}
        {warming.in_quiet_hours && <span className="muted">, in quiet hours</span>}
      </td>
      <td data-label="next" className="when">
        {warming.next_at ? exact(warming.next_at) : <span className="muted">–</span>}
        {warming.every_day && <span className="muted">, every day</span>}
      </td>
      <td data-label="last" className="when">
        {warming.last_at ? <When at={warming.last_at} /> : <span className="muted">–</span>}
      </td>
      <td className="end">
        <Button
          size="small"
          look="quiet"
          icon="close"
          busy={busy}
          aria-label={`Remove ${warming.video.title}`}
          onClick={() => void remove()}
        />
      </td>
    </tr>
  );
}

/** Finds a title by its name. */
function TitlePicker({ chosen, onChosen }: { chosen: Chosen | null; onChosen: (chosen: Chosen | null) => void }) {
  const [text, setText] = useState("");
  const q = text.trim();
  const found = useQuery({
    queryKey: keys.titlesCalled(q),
    queryFn: () => api.studio({ trash: false, all: true, ...(q ? { q } : {}) }, null),
    enabled: !chosen,
    placeholderData: keepPreviousData,
  });
  if (chosen)
    return (
      <div className="line">
        <span>
          <span className="muted small">Title</span>
          <br />
          <strong>{chosen.title}</strong>
        </span>
        <Button size="small" className="push" onClick={() => onChosen(null)}>
          Another
        </Button>
      </div>
    );
  const items = found.data?.items.slice(0, 6) ?? [];
  return (
    <div className="title-picker">
      <Field
        label="Title"
        value={text}
        onChange={(event) => setText(event.target.value)}
        hint={
          found.isError
            ? inWords(found.error)
            : found.data && items.length === 0
              ? "No title is called so."
              : "Type a part of its name, then choose it."
        }
      />
      {items.length > 0 && (
        <ul aria-label="Titles">
          {items.map(({ id, title }) => (
            <li key={id}>
              <button type="button" onClick={() => onChosen({ id, title })}>
                {title}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function WarmDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [part, setPart] = useState<"start" | "all">("start");
  const [when, setWhen] = useState<"now" | "later">("now");
  const [at, setAt] = useState<string | null>(null);
  const [daily, setDaily] = useState(false);
  const [quiet, setQuiet] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const later = when === "later";
  const send = async () => {
    if (!chosen) return;
    setBusy(true);
    setWrong(null);
    try {
      const time = later && at ? { at } : {};
      await api.warm({ video_id: chosen.id, part, every_day: daily, in_quiet_hours: quiet, ...time });
      toast(later ? `Edges will fetch “${chosen.title}” in time.` : `Edges fetch “${chosen.title}”.`);
      await refresh();
      setChosen(null);
      onClose();
    } catch (error) {
      setWrong(inWords(error));
    }
    setBusy(false);
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Bring a title near"
      description="All edges fetch it before anybody asks, so that its first viewers start at once."
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <TitlePicker chosen={chosen} onChosen={setChosen} />
        <Segments
          label="How much"
          value={part}
          onValue={setPart}
          options={[
            { value: "start", label: "First half minute" },
            { value: "all", label: "Everything" },
          ]}
        />
        <Segments
          label="When"
          value={when}
          onValue={setWhen}
          options={[
            { value: "now", label: "Now" },
            { value: "later", label: "At a time" },
          ]}
        />
        {later && <InstantField label="Time" value={at} onValue={setAt} required />}
        <Toggle label="Every day" hint="Again at the same time, until it is removed." on={daily} onValue={setDaily} />
        <Toggle
          label="In quiet hours"
          hint="Each edge waits for the hours that its configuration has for this (edge.warming.hours)."
          on={quiet}
          onValue={setQuiet}
        />
        {wrong && <Notice tone="bad">{wrong}</Notice>}
        <div className="actions">
          <Button type="button" look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" busy={busy} disabled={!chosen || (later && !at)}>
            Bring near
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const kinds = [
  { value: "manifest", label: "Lists of all titles (HLS and DASH)" },
  { value: "playlist", label: "Lists of all renditions" },
  { value: "segment", label: "All segments" },
  { value: "init", label: "All initialisation segments" },
  { value: "storyboard", label: "All pictures for seeking" },
  { value: "iframe", label: "All single pictures of renditions" },
];

export function PurgeDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [what, setWhat] = useState<"title" | "kind">("title");
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [kind, setKind] = useState("manifest");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const ready = what === "kind" || chosen;
  const send = async () => {
    setBusy(true);
    setWrong(null);
    try {
      await api.purge(what === "title" && chosen ? { video_id: chosen.id } : { tag: kind });
      toast("All edges forget it.");
      setChosen(null);
      onClose();
    } catch (error) {
      setWrong(inWords(error));
    }
    await refresh();
    setBusy(false);
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Purge the edges"
      description="All edges forget it within a second. Nothing is lost: whoever asks next gets it from the origin, a little slower."
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Segments
          label="What"
          value={what}
          onValue={setWhat}
          options={[
            { value: "title", label: "A title" },
            { value: "kind", label: "A kind of file" },
          ]}
        />
        {what === "title" ? (
          <TitlePicker chosen={chosen} onChosen={setChosen} />
        ) : (
          <Select label="Kind" value={kind} onValue={setKind} options={kinds} />
        )}
        {what === "kind" && kind === "segment" && (
          <Notice tone="accent">Origins will have to deliver everything anew: better in quiet hours.</Notice>
        )}
        {wrong && <Notice tone="bad">{wrong}</Notice>}
        <div className="actions">
          <Button type="button" look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="danger" busy={busy} disabled={!ready}>
            Purge
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
