// Inputs beyond the plain field: a list to choose from, chips, an instant in the person's own time.
import { type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { fromLocal, toLocal, zone } from "../lib/instant";
import { Field, FieldNote } from "./basics";
import { Icon } from "./icon";

export type Option = { value: string; label: string };

export function Select(props: {
  label: string;
  value: string;
  onValue: (value: string) => void;
  options: readonly (Option | { group: string; options: readonly Option[] })[];
  hint?: ReactNode;
  wrong?: string | undefined;
}) {
  const id = useId();
  const { hint, wrong } = props;
  const one = (option: Option) => (
    <option key={option.value} value={option.value}>
      {option.label}
    </option>
  );
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <span className="select">
        <select
          className="input"
          id={id}
          value={props.value}
          onChange={(event) => props.onValue(event.target.value)}
          aria-invalid={Boolean(wrong)}
          aria-describedby={hint || wrong ? `${id}-more` : undefined}
        >
          {props.options.map((option) =>
            "group" in option ? (
              <optgroup key={option.group} label={option.group}>
                {option.options.map(one)}
              </optgroup>
            ) : (
              one(option)
            ),
          )}
        </select>
        <Icon name="down" size={16} />
      </span>
      <FieldNote id={id} hint={hint} wrong={wrong} />
    </div>
  );
}

/** A list of short texts: Enter or a comma adds one, Backspace in the empty input takes the last one away. */
export function Chips(props: {
  label: string;
  values: readonly string[];
  onValues: (values: string[]) => void;
  max: number;
  maxLength: number;
  hint?: ReactNode;
  wrong?: string | undefined;
  /** How a chip reads, when not as its value. */
  name?: (value: string) => string;
  /** What can be added; anything when absent. Input is matched against labels and values. */
  options?: readonly Option[];
}) {
  const id = useId();
  const [text, setText] = useState("");
  const { values, options, hint, wrong } = props;
  const name = props.name ?? ((value: string) => value);
  const known = (typed: string) => {
    const folded = typed.trim().toLowerCase();
    if (!options) return typed.trim();
    const found = options.find(
      (option) => option.value.toLowerCase() === folded || option.label.toLowerCase() === folded,
    );
    return found?.value ?? "";
  };
  const add = (typed: string) => {
    const fresh = typed
      .split(",")
      .map(known)
      .filter((value, index, all) => value && !values.includes(value) && all.indexOf(value) === index);
    if (fresh.length) props.onValues([...values, ...fresh].slice(0, props.max));
    if (fresh.length || !options) setText("");
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" || event.key === ",") {
      // Enter in an empty input saves the form, as everywhere.
      if (event.key === "Enter" && !text.trim()) return;
      event.preventDefault();
      add(text);
    } else if (event.key === "Backspace" && !text && values.length) props.onValues(values.slice(0, -1));
  };
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <div className="chips input" data-invalid={wrong ? true : undefined}>
        {values.length > 0 && (
          <ul aria-label={props.label}>
            {values.map((value) => (
              <li key={value} className="chip">
                {name(value)}
                <button
                  type="button"
                  aria-label={`Remove ${name(value)}`}
                  onClick={() => props.onValues(values.filter((other) => other !== value))}
                >
                  <Icon name="close" size={14} />
                </button>
              </li>
            ))}
          </ul>
        )}
        {values.length < props.max && (
          <input
            id={id}
            value={text}
            maxLength={props.maxLength}
            list={options ? `${id}-list` : undefined}
            aria-invalid={Boolean(wrong)}
            aria-describedby={hint || wrong ? `${id}-more` : undefined}
            placeholder={values.length ? "" : "Add…"}
            onChange={(event) => {
              const typed = event.target.value;
              // Choosing from the list ends the typing.
              if (options?.some((option) => option.label === typed)) add(typed);
              else setText(typed);
            }}
            onKeyDown={onKeyDown}
            onBlur={() => text.trim() && add(text)}
          />
        )}
        {options && (
          <datalist id={`${id}-list`}>
            {options
              .filter((option) => !values.includes(option.value))
              .map((option) => (
                <option key={option.value} value={option.label} />
              ))}
          </datalist>
        )}
      </div>
      <FieldNote id={id} hint={hint} wrong={wrong} />
    </div>
  );
}

/** Some of a fixed set, at most `max`. */
export function Toggles(props: {
  legend: string;
  values: readonly string[];
  onValues: (values: string[]) => void;
  options: readonly Option[];
  max: number;
  wrong?: string | undefined;
}) {
  const id = useId();
  const full = props.values.length >= props.max;
  return (
    <fieldset className="toggles">
      <legend className="legend">{props.legend}</legend>
      <div>
        {props.options.map(({ value, label }) => {
          const on = props.values.includes(value);
          return (
            <label key={value} className="toggle">
              <input
                type="checkbox"
                className="sr"
                checked={on}
                disabled={!on && full}
                onChange={() =>
                  props.onValues(on ? props.values.filter((other) => other !== value) : [...props.values, value])
                }
              />
              {label}
            </label>
          );
        })}
      </div>
      <FieldNote id={id} hint={full ? `${props.max} is the most.` : null} wrong={props.wrong} />
    </fieldset>
  );
}

/** An instant as the person's clock shows it; `null` while it is empty or unfinished. */
export function InstantField(props: {
  label: string;
  value: string | null;
  onValue: (value: string | null) => void;
  hint?: ReactNode;
  wrong?: string | undefined;
  required?: boolean;
}) {
  const { label, value, onValue, hint, wrong, required } = props;
  return (
    <Field
      type="datetime-local"
      label={label}
      value={toLocal(value)}
      required={required}
      wrong={wrong}
      hint={hint ?? `In your time, ${zone()}.`}
      max="9999-12-31T23:59"
      onChange={(event) => onValue(fromLocal(event.target.value))}
    />
  );
}
