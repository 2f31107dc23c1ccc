// One of a few short choices, side by side: radio buttons underneath, so arrows choose.
import { type ReactNode, useId } from "react";

export function Segments<V extends string>(props: {
  label: string;
  value: V;
  onValue: (value: V) => void;
  options: readonly { value: V; label: ReactNode }[];
  /** The label is for readers only: the place says it already. */
  quiet?: boolean;
}) {
  const name = useId();
  return (
    <fieldset className="segments">
      <legend className={props.quiet ? "sr" : "legend"}>{props.label}</legend>
      <div className="segmented">
        {props.options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              className="sr"
              name={name}
              checked={props.value === option.value}
              onChange={() => props.onValue(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** On or off, with what it means. */
export function Toggle(props: { label: string; hint?: string; on: boolean; onValue: (on: boolean) => void }) {
  const id = useId();
  return (
    <div className="switch">
      <div>
        <label htmlFor={id}>{props.label}</label>
        {props.hint && (
          <p className="small muted" id={`${id}-hint`}>
            {props.hint}
          </p>
        )}
      </div>
      <button
        type="button"
        role="switch"
        id={id}
        aria-checked={props.on}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        onClick={() => props.onValue(!props.on)}
      >
        <i />
      </button>
    </div>
  );
}
