// The form of a bulk edit: each field leaves the titles as they are until something is chosen.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as api from "../../../api/calls";
import { keys } from "../../../api/queries";
import { soon, zone } from "../../../lib/instant";
import { commonLanguages, languageName } from "../../../lib/names";
import { Button, Notice } from "../../../ui/basics";
import { Chips, InstantField, Select, Toggles } from "../../../ui/inputs";
import { CountryChips } from "../countries";
import { visibilities } from "../state";
import { type Chosen, editOf, nothing } from "./changes";

const keep = { value: "", label: "Leave as it is" };

export function ChangesForm({ busy, onDone }: { busy: boolean; onDone: (form: api.Bulk) => Promise<void> }) {
  const words = useQuery({ queryKey: keys.vocabulary, queryFn: api.vocabulary, staleTime: 60_000 });
  const [chosen, setChosen] = useState(nothing);
  const set = (change: Partial<Chosen>) => setChosen((now) => ({ ...now, ...change }));
  const edit = editOf(chosen);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        if (edit) void onDone(edit);
      }}
    >
      <div className="field-grid">
        <Select
          label="Visibility"
          value={chosen.visibility}
          onValue={(visibility) => set({ visibility, publishAt: chosen.publishAt ?? soon() })}
          options={[
            keep,
            ...(["public", "unlisted", "private", "scheduled"] as const).map((value) => ({
              value,
              label: visibilities[value].label,
            })),
          ]}
        />
        {chosen.visibility === "scheduled" && (
          <InstantField
            label="Becomes public"
            required
            value={chosen.publishAt}
            onValue={(publishAt) => set({ publishAt })}
          />
        )}
        <Select
          label="Kind"
          value={chosen.kind}
          onValue={(kind) => set({ kind })}
          options={[
            keep,
            { value: "movie", label: "Movie" },
            { value: "clip", label: "Clip" },
            { value: "recording", label: "Recording" },
          ]}
        />
        <Select
          label="Spoken language"
          value={chosen.language}
          onValue={(language) => set({ language })}
          options={[keep, ...commonLanguages.map((tag) => ({ value: tag, label: languageName(tag) }))]}
        />
        <Select
          label="Maturity rating"
          value={chosen.rating}
          onValue={(rating) => set({ rating })}
          options={[keep, ...(words.data?.ratings ?? []).map(({ id }) => ({ value: id, label: id }))]}
        />
        <Select
          label="When they play"
          value={chosen.plays}
          onValue={(plays) => set({ plays: plays as Chosen["plays"] })}
          options={[keep, { value: "always", label: "At all times" }, { value: "between", label: "Between two times" }]}
        />
        {words.data?.knows_countries && (
          <Select
            label="Where they play"
            value={chosen.where}
            onValue={(where) => set({ where: where as Chosen["where"] })}
            options={[
              keep,
              { value: "everywhere", label: "Everywhere" },
              { value: "only", label: "Only in some countries" },
            ]}
          />
        )}
      </div>
      {chosen.plays === "between" && (
        <div className="field-grid">
          <InstantField
            label="From"
            hint={`Empty: no limit. In your time, ${zone()}.`}
            value={chosen.from}
            onValue={(from) => set({ from })}
          />
          <InstantField
            label="Until"
            hint={`Empty: no limit. In your time, ${zone()}.`}
            value={chosen.until}
            onValue={(until) => set({ until })}
          />
        </div>
      )}
      {chosen.where === "only" && (
        <CountryChips
          values={chosen.countries}
          hint="Only there; viewers whose country is unknown cannot watch them."
          onValues={(countries) => set({ countries })}
        />
      )}
      <Chips
        label="Add tags"
        max={30}
        maxLength={200}
        values={chosen.addTags}
        onValues={(addTags) => set({ addTags })}
      />
      <Chips
        label="Remove tags"
        max={30}
        maxLength={200}
        values={chosen.removeTags}
        onValues={(removeTags) => set({ removeTags })}
      />
      <Toggles
        legend="Add genres"
        max={5}
        values={chosen.addGenres}
        onValues={(addGenres) => set({ addGenres })}
        options={(words.data?.genres ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      />
      <Notice>Titles that a change does not fit stay as they are, and you are told which and why.</Notice>
      <div className="actions">
        <Button type="submit" look="primary" disabled={!edit} busy={busy}>
          Apply
        </Button>
      </div>
    </form>
  );
}
