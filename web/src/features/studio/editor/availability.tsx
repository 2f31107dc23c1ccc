// Who can find and open the title, from when until when, and where.
import { useQuery } from "@tanstack/react-query";
import * as api from "../../../api/calls";
import { keys } from "../../../api/queries";
import { soon } from "../../../lib/instant";
import { Choices, Notice } from "../../../ui/basics";
import { InstantField } from "../../../ui/inputs";
import { CountryChips } from "../countries";
import { visibilities } from "../state";
import type { Form } from "./draft";

export function Availability({ form }: { form: Form }) {
  const { draft, fields, set } = form;
  return (
    <>
      <section className="panel" aria-label="Visibility">
        <Choices
          legend="Visibility"
          value={draft.visibility}
          onValue={(visibility) =>
            set({
              visibility,
              publish_at: visibility === "scheduled" ? (draft.publish_at ?? soon()) : null,
            })
          }
          options={(["public", "unlisted", "private", "scheduled"] as const).map((value) => ({
            value,
            ...visibilities[value],
          }))}
        />
        {draft.visibility === "scheduled" && (
          <InstantField
            label="Becomes public"
            required
            value={draft.publish_at}
            wrong={fields.publish_at}
            onValue={(publish_at) => set({ publish_at })}
          />
        )}
        {fields.visibility && <Notice tone="bad">{fields.visibility}</Notice>}
      </section>
      <section className="panel" aria-labelledby="window">
        <h2 id="window">When it plays</h2>
        <p className="muted small">
          Outside these times nobody but you and administrators can find or play it. Leave a field empty for no limit.
        </p>
        <div className="field-grid">
          <InstantField
            label="From"
            value={draft.available_from}
            wrong={fields.available_from}
            onValue={(available_from) => set({ available_from })}
          />
          <InstantField
            label="Until"
            value={draft.available_until}
            wrong={fields.available_until}
            onValue={(available_until) => set({ available_until })}
          />
        </div>
      </section>
      <Countries form={form} />
    </>
  );
}

function Countries({ form }: { form: Form }) {
  const { draft, fields, set } = form;
  const words = useQuery({ queryKey: keys.vocabulary, queryFn: api.vocabulary, staleTime: 60_000 });
  const knows = words.data?.knows_countries ?? false;
  return (
    <section className="panel" aria-labelledby="countries">
      <h2 id="countries">Where it plays</h2>
      {words.isSuccess && !knows && (
        <Notice>
          This site cannot tell where its viewers are, so a title plays everywhere. An administrator can set{" "}
          <code>geo.database</code> or <code>geo.country_header</code>.
        </Notice>
      )}
      {(knows || draft.countries !== null) && (
        <CountryChips
          values={draft.countries ?? []}
          wrong={fields.countries}
          hint={
            draft.countries === null
              ? "Everywhere. Name countries to play it only there."
              : "Only there; viewers whose country is unknown cannot watch it."
          }
          onValues={(countries) => set({ countries: countries.length ? countries : null })}
        />
      )}
    </section>
  );
}
