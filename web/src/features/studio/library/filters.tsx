// What the studio's list shows and in which order. The address holds it, so that it can be shared and survives a reload.
import { useEffect, useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import type { StudioQuery } from "../../../api/calls";
import { Button } from "../../../ui/basics";
import { Icon } from "../../../ui/icon";
import { Select } from "../../../ui/inputs";
import { visibilities } from "../state";

const states = ["upcoming", "uploading", "processing", "ready", "failed", "cancelled", "ended"];
const names = ["q", "state", "visibility", "sort"] as const;
type Filters = Partial<Record<(typeof names)[number], string>>;

const label = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

export function useFilters() {
  const [path, navigate] = useLocation();
  const search = useSearch();
  const params = new URLSearchParams(search);
  const trash = params.get("view") === "trash";
  const query: StudioQuery = { trash };
  for (const name of names) {
    const value = params.get(name);
    if (value) query[name] = value;
  }
  const set = (change: Filters) => {
    const next = new URLSearchParams(search);
    for (const [name, value] of Object.entries(change)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    const text = next.toString();
    navigate(text ? `${path}?${text}` : path, { replace: true });
  };
  return { trash, query, set, active: Boolean(query.q || query.state || query.visibility) };
}

export function FilterBar({ filters }: { filters: ReturnType<typeof useFilters> }) {
  const { query, set, active } = filters;
  return (
    <search className="filters">
      <Words value={query.q ?? ""} onValue={(q) => set({ q })} />
      <Select
        label="State"
        value={query.state ?? ""}
        onValue={(state) => set({ state })}
        options={[{ value: "", label: "Any" }, ...states.map((value) => ({ value, label: label(value) }))]}
      />
      <Select
        label="Visibility"
        value={query.visibility ?? ""}
        onValue={(visibility) => set({ visibility })}
        options={[
          { value: "", label: "Any" },
          ...Object.entries(visibilities).map(([value, { label }]) => ({ value, label })),
        ]}
      />
      <Select
        label="Order"
        value={query.sort ?? ""}
        onValue={(sort) => set({ sort })}
        options={[
          { value: "", label: query.trash ? "Latest deleted" : "Newest" },
          { value: "oldest", label: "Oldest" },
          { value: "changed", label: "Latest changed" },
          { value: "title", label: "Title" },
        ]}
      />
      {active && (
        <Button look="quiet" icon="close" onClick={() => set({ q: "", state: "", visibility: "" })}>
          Clear
        </Button>
      )}
    </search>
  );
}

/** Asks when the typing pauses. */
function Words({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const latest = useRef(onValue);
  latest.current = onValue;
  useEffect(() => {
    // The address changed by itself: back, or "Clear".
    if (value !== told.current) {
      told.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      latest.current(text);
    }, 250);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className="field filter-words">
      <label htmlFor="studio-words">Find</label>
      <span className="with-icon">
        <Icon name="search" size={18} />
        <input
          id="studio-words"
          className="input"
          type="search"
          maxLength={200}
          placeholder="Title, tag or person"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </span>
    </div>
  );
}
