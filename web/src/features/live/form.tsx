// The form of a live event: new, or its settings.
import { type ReactNode, useState } from "react";
import type { EventBody } from "../../api/live";
import { inWords, Problem } from "../../api/problem";
import type { EventState, Latency, LiveEvent, Visibility } from "../../api/types";
import { Area, Button, Choices, Field, Notice } from "../../ui/basics";
import { InstantField, Select } from "../../ui/inputs";
import { Toggle } from "../../ui/segments";
import { visibilities } from "../studio/state";
import { dvrName, dvrOptions, latencies } from "./words";

export type Draft = {
  title: string;
  description: string;
  starts_at: string | null;
  visibility: Visibility;
  latency: Latency;
  dvr_seconds: number;
  record: boolean;
};

export const blank: Draft = {
  title: "",
  description: "",
  starts_at: null,
  visibility: "public",
  latency: "low",
  dvr_seconds: 7200,
  record: true,
};

export const draftOf = ({ video, starts_at, latency, dvr_seconds, record }: LiveEvent): Draft => ({
  title: video.title,
  description: video.description,
  starts_at,
  visibility: video.visibility,
  latency,
  dvr_seconds,
  record,
});

/** Only what differs is sent. */
export function changesOf(before: Draft, after: Draft): EventBody {
  const differ = (Object.keys(after) as (keyof Draft)[]).filter((name) => before[name] !== after[name]);
  return Object.fromEntries(differ.map((name) => [name, after[name]])) as EventBody;
}

type Props = {
  /** What is there already. */
  from: Draft;
  state: EventState;
  save: string;
  onSave: (draft: Draft) => Promise<void>;
  /** Saving is offered only after a change. */
  changed?: boolean;
  children?: ReactNode;
};

export function EventForm({ from, state, save, onSave, changed, children }: Props) {
  const [draft, setDraft] = useState(from);
  const [fields, setFields] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const submit = async () => {
    setBusy(true);
    setFailure("");
    setFields({});
    try {
      await onSave(draft);
    } catch (error) {
      const wrong = error instanceof Problem ? error.fields : {};
      setFields(wrong);
      setFailure(Object.keys(wrong).length ? "Some fields need another look." : inWords(error));
    }
    setBusy(false);
  };
  const dirty = Object.keys(changesOf(from, draft)).length > 0;
  return (
    <form
      className="stack live-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {failure && <Notice tone="bad">{failure}</Notice>}
      <section className="panel" aria-label="What it is">
        <Field
          label="Title"
          required
          maxLength={200}
          value={draft.title}
          wrong={fields.title}
          onChange={(event) => set({ title: event.target.value })}
        />
        <Area
          label="Description"
          rows={4}
          maxLength={10_000}
          value={draft.description}
          wrong={fields.description ?? ""}
          onValue={(description) => set({ description })}
        />
        <StartField state={state} draft={draft} wrong={fields.starts_at} set={set} />
      </section>
      <section className="panel" aria-label="Who can watch">
        <Choices
          legend="Who can watch"
          value={draft.visibility}
          onValue={(visibility) => set({ visibility })}
          options={visibilitiesFor(from.visibility).map((value) => ({ value, ...visibilities[value] }))}
        />
        {fields.visibility && <Notice tone="bad">{fields.visibility}</Notice>}
      </section>
      <section className="panel" aria-label="How it is sent">
        {state === "upcoming" ? (
          <Choices
            legend="How far behind viewers are"
            value={draft.latency}
            onValue={(latency) => set({ latency })}
            options={(["low", "standard"] as const).map((value) => ({ value, ...latencies[value] }))}
          />
        ) : (
          <Fixed name="How far behind viewers are" value={latencies[draft.latency].label} />
        )}
        {fields.latency && <Notice tone="bad">{fields.latency}</Notice>}
        {state === "ended" ? (
          <Fixed name="How far viewers could go back" value={dvrName(draft.dvr_seconds)} />
        ) : (
          <Select
            label="How far viewers can go back"
            value={String(draft.dvr_seconds)}
            onValue={(seconds) => set({ dvr_seconds: Number(seconds) })}
            options={dvrOptions(draft.dvr_seconds)}
            wrong={fields.dvr_seconds}
            hint="While it is live. “Not at all” keeps everybody at the present."
          />
        )}
        {state !== "ended" && (
          <Toggle
            label="Keep a recording"
            hint="When the event ends it becomes an ordinary title under the same address. Without this nothing stays."
            on={draft.record}
            onValue={(record) => set({ record })}
          />
        )}
      </section>
      {children}
      <div className="line">
        <Button type="submit" look="primary" busy={busy} disabled={changed && !dirty}>
          {save}
        </Button>
        {changed && dirty && (
          <Button look="quiet" onClick={() => setDraft(from)}>
            Discard
          </Button>
        )}
      </div>
    </form>
  );
}

/** A title that was planned to become public elsewhere keeps that choice. */
const visibilitiesFor = (now: Visibility): Visibility[] =>
  now === "scheduled" ? ["public", "unlisted", "private", "scheduled"] : ["public", "unlisted", "private"];

function StartField(props: {
  state: EventState;
  draft: Draft;
  wrong: string | undefined;
  set: (change: Partial<Draft>) => void;
}) {
  const { state, draft, wrong, set } = props;
  if (state !== "upcoming") return null;
  return (
    <InstantField
      label="Starts at"
      value={draft.starts_at}
      wrong={wrong}
      hint={
        draft.starts_at
          ? undefined
          : "For your viewers; leave it empty while you do not know. You can go live at any time."
      }
      onValue={(starts_at) => set({ starts_at })}
    />
  );
}

function Fixed({ name, value }: { name: string; value: string }) {
  return (
    <div className="field">
      <span className="legend">{name}</span>
      <span>{value}</span>
    </div>
  );
}
