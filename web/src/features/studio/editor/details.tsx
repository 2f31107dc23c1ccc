// What the title is: its words, its sort and genres, its people, language, year and rating.
import { useQuery } from "@tanstack/react-query";
import * as api from "../../../api/calls";
import { keys } from "../../../api/queries";
import { commonLanguages, languageName } from "../../../lib/names";
import { Area, Button, Field } from "../../../ui/basics";
import { Icon } from "../../../ui/icon";
import { Chips, type Option, Select, Toggles } from "../../../ui/inputs";
import type { Form } from "./draft";

const kinds: Option[] = [
  { value: "movie", label: "Movie" },
  { value: "clip", label: "Clip" },
  { value: "recording", label: "Recording of a live event" },
];

export function Details({ form }: { form: Form }) {
  const { draft, fields, set } = form;
  return (
    <>
      <section className="panel" aria-labelledby="details">
        <h2 id="details">Details</h2>
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
          rows={6}
          maxLength={10_000}
          value={draft.description}
          {...(fields.description ? { wrong: fields.description } : {})}
          onValue={(description) => set({ description })}
        />
        <Field
          label="Credit"
          maxLength={200}
          hint="Who made it and under which licence, when that must be told. Shown below the video."
          value={draft.attribution}
          wrong={fields.attribution}
          onChange={(event) => set({ attribution: event.target.value })}
        />
      </section>
      <Filing form={form} />
      <People form={form} />
    </>
  );
}

function Filing({ form }: { form: Form }) {
  const { draft, fields, set } = form;
  const words = useQuery({ queryKey: keys.vocabulary, queryFn: api.vocabulary, staleTime: 60_000 });
  const ratings = words.data?.ratings ?? [];
  const rating = (film: boolean) =>
    ratings
      .filter(({ id }) => id.startsWith("TV-") !== film)
      .map(({ id, age }) => ({ value: id, label: age > 0 ? `${id} · from ${age}` : `${id} · all ages` }));
  const chosen = draft.maturity_rating;
  return (
    <section className="panel" aria-labelledby="filing">
      <h2 id="filing">Where it belongs</h2>
      <div className="field-grid">
        <Select
          label="Kind"
          value={draft.kind}
          options={kinds}
          wrong={fields.kind}
          onValue={(kind) => set({ kind: kind as typeof draft.kind })}
        />
        <Field
          label="Release year"
          type="number"
          inputMode="numeric"
          min={1870}
          max={new Date().getFullYear() + 10}
          value={draft.release_year ?? ""}
          wrong={fields.release_year}
          onChange={(event) => set({ release_year: event.target.value === "" ? null : Number(event.target.value) })}
        />
        <Language form={form} />
        <Select
          label="Maturity rating"
          value={chosen ?? ""}
          wrong={fields.maturity_rating}
          options={[
            { value: "", label: "Not rated" },
            { group: "Films", options: rating(true) },
            { group: "Everything else", options: rating(false) },
            ...(chosen && ratings.length === 0 ? [{ value: chosen, label: chosen }] : []),
          ]}
          onValue={(value) => set({ maturity_rating: value || null })}
        />
      </div>
      <Toggles
        legend="Genres"
        max={5}
        values={draft.genres}
        wrong={fields.genres}
        options={(words.data?.genres ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        onValues={(genres) => set({ genres })}
      />
      <Chips
        label="Tags"
        max={30}
        maxLength={200}
        values={draft.tags}
        wrong={fields.tags}
        hint="Words that people may search for. Enter or a comma adds one."
        onValues={(tags) => set({ tags: [...new Set(tags.map((tag) => tag.replace(/^#+/, "").toLowerCase().trim()))] })}
      />
    </section>
  );
}

/** A list of the common ones; the one that is set is always among them. */
function Language({ form }: { form: Form }) {
  const { draft, fields, set } = form;
  const tags = new Set(commonLanguages);
  if (draft.language) tags.add(draft.language);
  const options = [...tags]
    .map((tag) => ({ value: tag, label: languageName(tag) }))
    .sort((a, b) => a.label.localeCompare(b.label));
  return (
    <Select
      label="Spoken language"
      value={draft.language ?? ""}
      wrong={fields.language}
      options={[{ value: "", label: "Not told" }, ...options]}
      onValue={(value) => set({ language: value || null })}
    />
  );
}

function People({ form }: { form: Form }) {
  const { draft, fields, set } = form;
  const { cast } = draft;
  const change = (at: number, part: Partial<(typeof cast)[number]>) =>
    set({ cast: cast.map((credit, index) => (index === at ? { ...credit, ...part } : credit)) });
  const move = (at: number, by: -1 | 1) => {
    const next = [...cast];
    const [moved] = next.splice(at, 1);
    if (moved) next.splice(at + by, 0, moved);
    set({ cast: next });
  };
  return (
    <section className="panel" aria-labelledby="people">
      <h2 id="people">People</h2>
      <Chips
        label="Directors"
        max={20}
        maxLength={100}
        values={draft.directors}
        wrong={fields.directors}
        onValues={(directors) => set({ directors })}
      />
      <fieldset className="cast">
        <legend className="legend">Cast</legend>
        {cast.length > 0 && (
          <ol>
            {cast.map((credit, at) => (
              // Two of them may be equal, and each keeps its input while it is typed in.
              <li key={at}>
                <input
                  className="input"
                  aria-label={`Name ${at + 1}`}
                  placeholder="Name"
                  maxLength={100}
                  required
                  value={credit.name}
                  onChange={(event) => change(at, { name: event.target.value })}
                />
                <input
                  className="input"
                  aria-label={`Role ${at + 1}`}
                  placeholder="Role"
                  maxLength={100}
                  value={credit.role}
                  onChange={(event) => change(at, { role: event.target.value })}
                />
                <span className="line">
                  <Button
                    look="quiet"
                    icon="up"
                    aria-label={`Move ${credit.name || "this person"} up`}
                    disabled={at === 0}
                    onClick={() => move(at, -1)}
                  />
                  <Button
                    look="quiet"
                    icon="down"
                    aria-label={`Move ${credit.name || "this person"} down`}
                    disabled={at === cast.length - 1}
                    onClick={() => move(at, 1)}
                  />
                  <Button
                    look="quiet"
                    icon="close"
                    aria-label={`Remove ${credit.name || "this person"}`}
                    onClick={() => set({ cast: cast.filter((_, index) => index !== at) })}
                  />
                </span>
              </li>
            ))}
          </ol>
        )}
        {fields.cast && (
          <span className="wrong" role="alert">
            <Icon name="warning" size={16} />
            {fields.cast}
          </span>
        )}
        {cast.length < 100 && (
          <Button icon="plus" size="small" onClick={() => set({ cast: [...cast, { name: "", role: "" }] })}>
            Add a person
          </Button>
        )}
      </fieldset>
    </section>
  );
}
