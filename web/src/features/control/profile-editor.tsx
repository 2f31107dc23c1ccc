// One profile: its ladder, codecs and sound, with what the server says of it beside the fields and what it would take.
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useDeferredValue, useState } from "react";
import { useLocation } from "wouter";
import * as api from "../../api/calls";
import { inWords, Problem } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { Profile, Profiles, VideoCodec } from "../../api/types";
import { useUnsaved } from "../../shell/guard";
import { Button, Field, FieldNote, Notice } from "../../ui/basics";
import { Select } from "../../ui/inputs";
import { Confirm } from "../../ui/overlay";
import { Toggle } from "../../ui/segments";
import { toast } from "../../ui/toast";
import { Part } from "./parts";
import { EstimatePart, type Preset, presets } from "./profile-estimate";
import {
  emptyRung,
  emptyVideo,
  type Form,
  place,
  type RungForm,
  same,
  toForm,
  toProfile,
  usualCrf,
  type VideoForm,
  videoCodecs,
  type Wrong,
} from "./profile-form";
import { addressOf, codecName } from "./words";

type Props = { profile: Profile; isStandard: boolean } & (
  | { kind: "built-in" }
  | { kind: "new" }
  | { kind: "stored"; name: string; revision: number }
);

const reload = () => queryClient.invalidateQueries({ queryKey: keys.profiles });
/** The list as it is now, asked for at once. */
const fresh = () => queryClient.fetchQuery({ queryKey: keys.profiles, queryFn: api.profiles, staleTime: 0 });

export function Editor(props: Props) {
  const { kind, profile, isStandard } = props;
  const isFixed = kind === "built-in";
  const [, navigate] = useLocation();
  const [base, setBase] = useState(() => ({
    form: toForm(profile),
    revision: kind === "stored" ? props.revision : null,
  }));
  const [form, setForm] = useState(base.form);
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [conflict, setConflict] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const [preset, setPreset] = useState<Preset>("1080p");
  const isDirty = !same(form, base.form) || name !== "";
  useUnsaved(!isFixed && isDirty);

  const made = toProfile(form);
  const wanted = useDeferredValue(
    "profile" in made ? JSON.stringify({ ...presets[preset].source, profile: made.profile }) : null,
  );
  const estimate = useQuery({
    queryKey: keys.estimate(wanted),
    queryFn: ({ signal }) => api.estimate(JSON.parse(wanted ?? "{}") as api.EstimateBody, signal),
    enabled: wanted !== null,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
  });
  // A refused one leaves nothing in the cache; the last good one stays in sight.
  const [lastGood, setLastGood] = useState(estimate.data);
  if (estimate.data && estimate.data !== lastGood) setLastGood(estimate.data);
  const refused = failure instanceof Problem && failure.status === 422 ? failure : estimate.error;
  const wrong: Wrong = {
    ...("wrong" in made ? made.wrong : {}),
    ...(refused instanceof Problem
      ? Object.assign({}, ...Object.entries(refused.fields).map(([field, words]) => place(field, words, form)))
      : {}),
  };
  const change = (part: Partial<Form>) => {
    setForm({ ...form, ...part });
    setFailure(null);
  };

  const save = async (revision: number | null) => {
    if (!("profile" in made)) return;
    const called = kind === "stored" ? props.name : name.trim();
    setBusy(true);
    setFailure(null);
    setConflict(false);
    try {
      const saved = await api.putProfile(called, made.profile, revision);
      setBase({ form, revision: saved.revision });
      setName("");
      toast(`“${called}” is saved.`);
      await reload();
      // Nothing is unsaved once this has been drawn.
      if (kind === "new") setTimeout(() => navigate(addressOf(called)));
    } catch (error) {
      if (error instanceof Problem && error.status === 412 && kind === "stored") setConflict(true);
      else if (error instanceof Problem && error.status === 412)
        setFailure(new Problem(422, "", "", { name: "There is a profile of this name already." }));
      else setFailure(error);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save(base.revision);
  };
  const theirs = async (take: boolean) => {
    try {
      const now = (await fresh()).items.find((item) => kind === "stored" && item.name === props.name);
      if (take && now) {
        const form = toForm(now.profile);
        setBase({ form, revision: now.revision });
        setForm(form);
        setConflict(false);
      } else await save(now?.revision ?? null);
    } catch (error) {
      setFailure(error);
    }
  };
  const choose = async () => {
    const before = queryClient.getQueryData<Profiles>(keys.profiles)?.standard ?? null;
    const to = kind === "stored" ? props.name : null;
    const words = (name: string | null) => (name === null ? "the built-in profile" : `“${name}”`);
    const set = async (name: string | null, undo: boolean) => {
      try {
        await api.chooseProfile(name);
        const said = `Titles are made with ${words(name)} from now on.`;
        if (undo) toast(said, { label: "Undo", run: () => void set(before, false) });
        else toast(said);
      } catch (error) {
        toast(`That failed. ${inWords(error)}`);
      }
      await reload();
    };
    setBusy(true);
    await set(to, true);
    setBusy(false);
  };
  const remove = async () => {
    if (kind !== "stored") return;
    const again = async () => {
      try {
        await api.putProfile(props.name, profile, null);
        toast(`“${props.name}” is back.`);
      } catch (error) {
        toast(`That failed. ${inWords(error)}`);
      }
      await reload();
    };
    try {
      await api.deleteProfile(props.name);
      setBase({ ...base, form });
      toast(`“${props.name}” is deleted.`, { label: "Undo", run: () => void again() });
      setTimeout(() => navigate(addressOf(null)));
    } catch (error) {
      toast(`That failed. ${inWords(error)}`);
    }
    await reload();
  };

  const title = kind === "stored" ? props.name : isFixed ? "Built-in" : "New profile";
  return (
    <form className="profile" onSubmit={submit} noValidate>
      <Part
        title={title}
        end={
          <div className="line">
            {isStandard ? (
              <span className="pill good">Standard</span>
            ) : (
              kind !== "new" && (
                <Button size="small" icon="check" disabled={isDirty || busy} onClick={() => void choose()}>
                  Choose as standard
                </Button>
              )
            )}
            {kind === "stored" && (
              <Button
                size="small"
                look="quiet"
                icon="trash"
                aria-label={`Delete ${props.name}`}
                title={isStandard ? "The standard profile cannot be deleted" : "Delete"}
                disabled={isStandard || busy}
                onClick={() => setDeleting(true)}
              />
            )}
          </div>
        }
      >
        {isFixed && (
          <p className="muted small">
            H.264 and AAC in the rungs of the configuration (<code>encoding.ladder</code>): plays everywhere, cheap to
            make. It cannot be changed here; a new profile begins as a copy of the standard one.
          </p>
        )}
        {kind === "new" && (
          <Field
            label="Name"
            value={name}
            required
            maxLength={60}
            autoComplete="off"
            placeholder="Film archive"
            wrong={wrong.name}
            onChange={(event) => {
              setName(event.target.value);
              setFailure(null);
            }}
          />
        )}
        {conflict && (
          <Notice tone="bad">
            Someone else changed this profile in the meantime.
            <div className="line conflict">
              <Button size="small" onClick={() => void theirs(true)}>
                Show theirs
              </Button>
              <Button size="small" onClick={() => void theirs(false)}>
                Save mine over it
              </Button>
            </div>
          </Notice>
        )}
        <Group
          legend="Ladder"
          hint="Bit rates are the most that H.264 may take; other codecs get a share. Sources are never enlarged."
          wrong={wrong.ladder}
        >
          <Ladder rungs={form.ladder} fixed={isFixed} wrong={wrong} onChange={(ladder) => change({ ladder })} />
        </Group>
        <Group
          legend="Video codecs"
          hint="H.264 makes a title playable; the others are added when they are complete."
          wrong={wrong.video}
        >
          <Codecs video={form.video} fixed={isFixed} wrong={wrong} onChange={(video) => change({ video })} />
        </Group>
        <Group legend="Sound" wrong={wrong.audio}>
          <fieldset className="bare" disabled={isFixed}>
            <Toggle
              label="Opus beside AAC"
              hint="Smaller at the same quality, where players know it."
              on={form.audio.includes("opus")}
              onValue={(on) =>
                change({ audio: on ? [...form.audio, "opus"] : form.audio.filter((one) => one !== "opus") })
              }
            />
            <Toggle
              label="Keep Dolby sound"
              hint="Takes over E-AC-3, with Atmos where the source has it."
              on={form.keepDolby}
              onValue={(keepDolby) => change({ keepDolby })}
            />
          </fieldset>
        </Group>
        {failure !== null && !(failure instanceof Problem && failure.status === 422) && (
          <Notice tone="bad">{inWords(failure)}</Notice>
        )}
        {!isFixed && (
          <div className="actions save">
            {isDirty && (
              <Button
                look="quiet"
                onClick={() => {
                  setForm(base.form);
                  setName("");
                  setFailure(null);
                  setConflict(false);
                }}
              >
                Discard
              </Button>
            )}
            <Button
              type="submit"
              look="primary"
              busy={busy}
              disabled={
                Object.keys(wrong).some((field) => field !== "name") || (kind === "new" ? !name.trim() : !isDirty)
              }
            >
              {kind === "new" ? "Make the profile" : "Save"}
            </Button>
          </div>
        )}
      </Part>
      <EstimatePart
        preset={preset}
        onPreset={setPreset}
        estimate={lastGood}
        isWrong={"wrong" in made || estimate.isError}
        error={estimate.error instanceof Problem && estimate.error.status === 422 ? null : estimate.error}
        retry={() => void estimate.refetch()}
      />
      <Confirm
        open={deleting}
        danger
        title={`Delete “${title}”?`}
        yes="Delete"
        onAnswer={(yes) => {
          setDeleting(false);
          if (yes) void remove();
        }}
      >
        Titles that were made with it stay as they are.
      </Confirm>
    </form>
  );
}

function Group(props: { legend: string; hint?: string; wrong: string | undefined; children: ReactNode }) {
  return (
    <fieldset className="bare group">
      <legend>{props.legend}</legend>
      {props.hint && <p className="small muted">{props.hint}</p>}
      {props.children}
      <div className="field">
        <FieldNote id={`of-${props.legend}`} hint={null} wrong={props.wrong} />
      </div>
    </fieldset>
  );
}

function Ladder(props: { rungs: RungForm[]; fixed: boolean; wrong: Wrong; onChange: (rungs: RungForm[]) => void }) {
  const { rungs, fixed, wrong, onChange } = props;
  const set = (key: number, part: Partial<RungForm>) =>
    onChange(rungs.map((rung) => (rung.key === key ? { ...rung, ...part } : rung)));
  return (
    <div className="stack rungs">
      {rungs.map((rung, at) => (
        <div className="rung" key={rung.key}>
          <Field
            label="Height"
            aria-label={`Height of rung ${at + 1}`}
            inputMode="numeric"
            value={rung.height}
            readOnly={fixed}
            wrong={wrong[`rung ${rung.key} height`]}
            onChange={(event) => set(rung.key, { height: event.target.value })}
          />
          <Field
            label="Mb/s"
            aria-label={`Bit rate of rung ${at + 1} in Mb/s`}
            inputMode="decimal"
            value={rung.mbps}
            readOnly={fixed}
            wrong={wrong[`rung ${rung.key} mbps`]}
            onChange={(event) => set(rung.key, { mbps: event.target.value })}
          />
          {!fixed && (
            <Button
              look="quiet"
              icon="close"
              aria-label={`Remove rung ${at + 1}`}
              title="Remove"
              onClick={() => onChange(rungs.filter((other) => other.key !== rung.key))}
            />
          )}
        </div>
      ))}
      {!fixed && rungs.length < 12 && (
        <Button size="small" icon="plus" className="add" onClick={() => onChange([...rungs, emptyRung()])}>
          Add a rung
        </Button>
      )}
    </div>
  );
}

const efforts = [
  { value: "fast", label: "Fast" },
  { value: "balanced", label: "Balanced: 2.5 times the CPU time" },
  { value: "thorough", label: "Thorough: 6 times the CPU time" },
] as const;

const about: Record<VideoCodec, string> = {
  h264: "Plays everywhere. Always made.",
  hevc: "A third smaller; Apple devices and TVs. Keeps HDR.",
  vp9: "A third smaller; browsers and Android.",
  av1: "Nearly half the size; new devices. Keeps HDR.",
};

function Codecs(props: { video: VideoForm[]; fixed: boolean; wrong: Wrong; onChange: (video: VideoForm[]) => void }) {
  const { video, fixed, wrong, onChange } = props;
  const set = (codec: VideoCodec, part: Partial<VideoForm>) =>
    onChange(video.map((one) => (one.codec === codec ? { ...one, ...part } : one)));
  return (
    <div className="stack">
      {videoCodecs.map((codec) => {
        const one = video.find((other) => other.codec === codec);
        const name = codecName(codec);
        return (
          <fieldset className="bare codec" key={codec} disabled={fixed} data-off={!one || undefined}>
            <legend className="sr">{name}</legend>
            {codec === "h264" ? (
              <div>
                <b>{name}</b>
                <p className="small muted">{about[codec]}</p>
              </div>
            ) : (
              <Toggle
                label={name}
                hint={about[codec]}
                on={one !== undefined}
                onValue={(on) =>
                  onChange(on ? [...video, emptyVideo(codec)] : video.filter((other) => other.codec !== codec))
                }
              />
            )}
            {one && (
              <div className="codec-fields">
                <Select
                  label="Effort"
                  value={one.effort}
                  options={efforts}
                  onValue={(effort) => set(codec, { effort: effort as VideoForm["effort"] })}
                />
                <Field
                  label="CRF"
                  inputMode="numeric"
                  placeholder={String(usualCrf[codec])}
                  value={one.crf}
                  wrong={wrong[`${codec} crf`]}
                  hint="Lower is better and larger."
                  onChange={(event) => set(codec, { crf: event.target.value })}
                />
                <Field
                  label="From height"
                  inputMode="numeric"
                  placeholder="all"
                  value={one.from}
                  wrong={wrong[`${codec} from`]}
                  hint="Smaller rungs are left out."
                  onChange={(event) => set(codec, { from: event.target.value })}
                />
              </div>
            )}
          </fieldset>
        );
      })}
    </div>
  );
}
