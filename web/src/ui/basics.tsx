// Button, field, skeleton, empty and failure states, progress, times: what every page is made of.
import {
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  useEffect,
  useId,
  useState,
} from "react";
import { inWords } from "../api/problem";
import { ago, exact } from "../lib/format";
import { Icon, type IconName } from "./icon";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: "plain" | "primary" | "danger" | "quiet";
  size?: "small" | "medium" | "large";
  icon?: IconName;
  /** Shows a spinner and ignores presses. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

export function Button({ look = "plain", size = "medium", icon, busy, children, className, ...rest }: ButtonProps) {
  const name = ["btn", look !== "plain" && look, size !== "medium" && size, !children && "icon", className]
    .filter(Boolean)
    .join(" ");
  return (
    <button type="button" {...rest} className={name} disabled={rest.disabled || busy} aria-busy={busy || undefined}>
      {busy ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

type FieldProps = InputHTMLAttributes<HTMLInputElement> & {
  label: string;
  hint?: ReactNode;
  wrong?: string | undefined;
  ref?: Ref<HTMLInputElement>;
};

export function Field({ label, hint, wrong, ...rest }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        className="input"
        id={id}
        aria-invalid={Boolean(wrong)}
        aria-describedby={hint || wrong ? `${id}-more` : undefined}
        {...rest}
      />
      <FieldNote id={id} hint={hint} wrong={wrong} />
    </div>
  );
}

type AreaProps = {
  label: string;
  value: string;
  onValue: (value: string) => void;
  rows?: number;
  hint?: ReactNode;
  wrong?: string;
  maxLength?: number;
};

export function Area({ label, value, onValue, hint, wrong, ...rest }: AreaProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        className="input"
        id={id}
        value={value}
        onChange={(event) => onValue(event.target.value)}
        aria-invalid={Boolean(wrong)}
        aria-describedby={hint || wrong ? `${id}-more` : undefined}
        {...rest}
      />
      <FieldNote id={id} hint={hint} wrong={wrong} />
    </div>
  );
}

export function FieldNote({ id, hint, wrong }: { id: string; hint: ReactNode; wrong: string | undefined }) {
  if (wrong)
    return (
      <span className="wrong" id={`${id}-more`} role="alert">
        <Icon name="warning" size={16} />
        {wrong}
      </span>
    );
  return hint ? (
    <span className="hint" id={`${id}-more`}>
      {hint}
    </span>
  ) : null;
}

/** One of a few, each with its consequence spelled out. */
export function Choices<V extends string>(props: {
  legend: string;
  value: V;
  onValue: (value: V) => void;
  options: readonly { value: V; label: string; hint: string }[];
}) {
  const name = useId();
  return (
    <fieldset className="choices">
      <legend className="legend">{props.legend}</legend>
      {props.options.map((option) => (
        <label className="choice" key={option.value}>
          <input
            type="radio"
            name={name}
            checked={props.value === option.value}
            onChange={() => props.onValue(option.value)}
          />
          <b>{option.label}</b>
          <span>{option.hint}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Skeleton({
  width,
  height,
  ratio,
  round,
}: {
  width?: string;
  height?: string;
  ratio?: string;
  round?: boolean;
}) {
  return (
    <div
      className="skeleton"
      aria-hidden="true"
      style={{ width, height, aspectRatio: ratio, borderRadius: round ? "50%" : undefined }}
    />
  );
}

/** `whole`: this is all that the page shows, so its words are the page's heading. */
export function Empty({
  whole,
  icon,
  title,
  children,
  actions,
}: {
  whole?: boolean;
  icon: IconName;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="empty">
      <div className="icon-round">
        <Icon name={icon} size={32} />
      </div>
      {whole ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children && <p>{children}</p>}
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}

/** A failure: what, why, and the button. */
export function Failure(props: { what: string; error: unknown; retry?: () => void; whole?: boolean }) {
  const { what, error, retry, whole } = props;
  return (
    <div role="alert">
      <Empty
        whole={whole ?? false}
        icon="warning"
        title={what}
        actions={
          retry && (
            <Button icon="retry" onClick={retry}>
              Try again
            </Button>
          )
        }
      >
        {inWords(error)}
      </Empty>
    </div>
  );
}

export function Notice({
  tone = "plain",
  icon,
  children,
}: {
  tone?: "plain" | "bad" | "accent";
  icon?: IconName;
  children: ReactNode;
}) {
  return (
    <div className={`notice ${tone === "plain" ? "" : tone}`} role={tone === "bad" ? "alert" : undefined}>
      <Icon name={icon ?? (tone === "bad" ? "warning" : "info")} />
      <div>{children}</div>
    </div>
  );
}

/** `value` in percent; `null` when it is not known yet. */
export function Bar({ value, label, good }: { value: number | null; label: string; good?: boolean }) {
  return (
    <div
      className={`bar ${value === null ? "unknown" : ""} ${good ? "good" : ""}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(value)}
    >
      <i style={value === null ? undefined : { width: `${value}%` }} />
    </div>
  );
}

export function Avatar({ name }: { name: string }) {
  const initials = name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0])
    .join("");
  return (
    <span className="avatar" aria-hidden="true">
      {initials || "?"}
    </span>
  );
}

/** A relative time with the exact one on hover and for screen readers. */
export function When({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={exact(at)}>
      {ago(at, now)}
    </time>
  );
}

/** The document's title while a page is shown. */
export function useTitle(title: string | undefined) {
  useEffect(() => {
    document.title = title ? `${title} · Kinora` : "Kinora";
  }, [title]);
}
