// The account: name, password, where I am signed in, API tokens, theme.
import "./account.css";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Link } from "wouter";
import * as api from "../../api/calls";
import { inWords, Problem } from "../../api/problem";
import { keys, queryClient, useMe } from "../../api/queries";
import type { Scope, User, UserSession } from "../../api/types";
import { deviceName } from "../../lib/device";
import { bytes } from "../../lib/format";
import { prefer, preferences } from "../../lib/preferences";
import { useStore } from "../../lib/store";
import { type ThemeChoice, themeChoice } from "../../lib/theme";
import { CaptionStyleForm } from "../../player/caption-style";
import { Streams } from "../../player/crowded";
import { rates } from "../../player/keys";
import { Button, Failure, Field, Notice, Skeleton, useTitle, When } from "../../ui/basics";
import { Icon, type IconName } from "../../ui/icon";
import { Confirm, Dialog } from "../../ui/overlay";
import { Segments, Toggle } from "../../ui/segments";
import { toast } from "../../ui/toast";

export default function AccountPage() {
  useTitle("Account");
  const me = useMe();
  if (!me) return null;
  return (
    <div className="page narrow">
      <div className="page-head">
        <h1>Account</h1>
        <nav className="push line" aria-label="Yours">
          <Link className="btn" href="/list">
            <Icon name="plus" />
            My list
          </Link>
          <Link className="btn" href="/history">
            <Icon name="history" />
            History
          </Link>
        </nav>
      </div>
      <Profile me={me} />
      <Appearance />
      <Watching />
      <Password />
      <WatchedNow />
      <Sessions />
      <Tokens me={me} />
    </div>
  );
}

function Panel({
  title,
  about,
  end,
  children,
}: {
  title: string;
  about?: string;
  end?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="panel" aria-label={title}>
      <header>
        <div>
          <h2>{title}</h2>
          {about && <p className="muted small">{about}</p>}
        </div>
        {end}
      </header>
      {children}
    </section>
  );
}

function Profile({ me }: { me: User }) {
  const [name, setName] = useState(me.name);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setWrong(undefined);
    try {
      await api.updateMe({ name });
      await queryClient.invalidateQueries({ queryKey: keys.session });
      toast("Your name is saved.");
    } catch (error) {
      setWrong(inWords(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="Profile">
      <form className="inline-form" onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          required
          maxLength={80}
          autoComplete="name"
          value={name}
          wrong={wrong}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" busy={busy} disabled={name.trim() === "" || name === me.name}>
          Save
        </Button>
      </form>
      <dl className="account-facts">
        <dt>E-mail</dt>
        <dd>{me.email}</dd>
        <dt>Role</dt>
        <dd>{{ viewer: "Viewer", creator: "Creator", admin: "Administrator" }[me.role]}</dd>
        {me.role !== "viewer" && (
          <>
            <dt>Storage</dt>
            <dd>
              {bytes(me.used_bytes)}
              {me.quota_bytes ? ` of ${bytes(me.quota_bytes)}` : ""}
            </dd>
          </>
        )}
      </dl>
    </Panel>
  );
}

const themeOptions: [ThemeChoice, string, IconName][] = [
  ["system", "System", "screen"],
  ["dark", "Dark", "moon"],
  ["light", "Light", "sun"],
];

function Appearance() {
  const choice = useStore(themeChoice);
  const { layout } = useStore(preferences);
  return (
    <Panel title="Appearance" about="Kept on this device.">
      <Segments
        label="Theme"
        value={choice}
        onValue={(value) => themeChoice.set(value)}
        options={themeOptions.map(([value, label, icon]) => ({
          value,
          label: (
            <>
              <Icon name={icon} size={16} />
              {label}
            </>
          ),
        }))}
      />
      <Segments
        label="Layout"
        value={layout}
        onValue={(value) => prefer({ layout: value })}
        options={[
          { value: "auto", label: "Fit the device" },
          { value: "near", label: "Near by" },
          { value: "tv", label: "Across the room" },
        ]}
      />
    </Panel>
  );
}

function Watching() {
  const { saver, capToScreen, autoplayNext, previews, speed } = useStore(preferences);
  const [look, setLook] = useState(false);
  return (
    <Panel title="Watching" about="Kept on this device.">
      <div className="switches">
        <Toggle
          label="Data saver"
          hint="At most 480p, a small buffer, nothing plays by itself."
          on={saver}
          onValue={(on) => prefer({ saver: on })}
        />
        <Toggle
          label="No more than fits the screen"
          hint="Fetches no sharper picture than this screen can show."
          on={capToScreen}
          onValue={(on) => prefer({ capToScreen: on })}
        />
        <Toggle
          label="Go on with the next title"
          hint={saver ? "Off while the data saver is on." : "After a countdown that can be cancelled."}
          on={autoplayNext}
          onValue={(on) => prefer({ autoplayNext: on })}
        />
        <Toggle
          label="Previews on cards"
          hint="A card that is looked at plays a muted piece of its title."
          on={previews}
          onValue={(on) => prefer({ previews: on })}
        />
      </div>
      <Segments
        label="Speed"
        value={String(speed)}
        onValue={(rate) => prefer({ speed: Number(rate) })}
        options={rates.map((rate) => ({ value: String(rate), label: rate === 1 ? "Normal" : `${rate}×` }))}
      />
      <div>
        <Button icon="captions" onClick={() => setLook(true)}>
          How captions look
        </Button>
      </div>
      <Dialog open={look} onClose={() => setLook(false)} title="How captions look">
        <CaptionStyleForm />
      </Dialog>
    </Panel>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [fresh, setFresh] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const fields = error instanceof Problem ? error.fields : {};
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await api.changePassword({ current_password: current, new_password: fresh });
      setCurrent("");
      setFresh("");
      void queryClient.invalidateQueries({ queryKey: keys.sessions });
      toast("Your password is changed. Other devices are signed out.");
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="Password" about="A new password signs out all other devices.">
      <form className="stack" onSubmit={(event) => void submit(event)}>
        {error !== null && Object.keys(fields).length === 0 && <Notice tone="bad">{inWords(error)}</Notice>}
        <div className="two">
          <Field
            label="Current password"
            type="password"
            required
            autoComplete="current-password"
            value={current}
            wrong={fields.current_password}
            onChange={(event) => setCurrent(event.target.value)}
          />
          <Field
            label="New password"
            type="password"
            required
            minLength={10}
            autoComplete="new-password"
            value={fresh}
            wrong={fields.new_password ?? fields.password}
            onChange={(event) => setFresh(event.target.value)}
          />
        </div>
        <div>
          <Button type="submit" busy={busy} disabled={!current || !fresh}>
            Change password
          </Button>
        </div>
      </form>
    </Panel>
  );
}

/** What the account watches on all its devices; nothing while it watches nothing. */
function WatchedNow() {
  const list = useQuery({ queryKey: keys.streams, queryFn: api.streams, refetchInterval: 10_000 });
  if (!list.data?.length) return null;
  return (
    <Panel title="Watching now">
      <Streams />
    </Panel>
  );
}

function Sessions() {
  const list = useQuery({ queryKey: keys.sessions, queryFn: api.sessions });
  const [asked, setAsked] = useState<readonly UserSession[]>([]);
  const others = (list.data ?? []).filter((one) => !one.current);
  const revoke = async (sessions: readonly UserSession[]) => {
    try {
      for (const one of sessions) await api.revokeSession(one.id);
      toast(sessions.length === 1 ? "That device is signed out." : "All other devices are signed out.");
    } catch (error) {
      toast(`It could not be signed out. ${inWords(error)}`);
    }
    void queryClient.invalidateQueries({ queryKey: keys.sessions });
  };
  return (
    <Panel
      title="Signed-in devices"
      end={others.length > 1 && <Button onClick={() => setAsked(others)}>Sign out all others</Button>}
    >
      {list.isPending ? (
        <Skeleton height="72px" />
      ) : list.isError ? (
        <Failure what="The devices could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : (
        <ul className="entries">
          {list.data.map((one) => (
            <li key={one.id}>
              <Icon name="screen" size={24} />
              <div>
                <b>{deviceName(one.name)}</b>
                <div className="small muted">
                  {one.current ? (
                    "This device"
                  ) : (
                    <>
                      Last used <When at={one.last_used_at} />
                    </>
                  )}{" "}
                  · since <When at={one.created_at} />
                  {one.watched_at && (
                    <>
                      {" "}
                      · watched <When at={one.watched_at} />
                    </>
                  )}
                </div>
              </div>
              {!one.current && (
                <Button
                  size="small"
                  className="push"
                  aria-label={`Sign out ${deviceName(one.name)}`}
                  onClick={() => setAsked([one])}
                >
                  Sign out
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      <Confirm
        open={asked.length > 0}
        title={asked.length === 1 ? `Sign out ${deviceName(asked[0]?.name ?? "")}?` : "Sign out all other devices?"}
        yes="Sign out"
        danger
        onAnswer={(yes) => {
          if (yes) void revoke(asked);
          setAsked([]);
        }}
      >
        Whoever uses it must sign in again with the password.
      </Confirm>
    </Panel>
  );
}

const scopeWords: Record<Scope, { label: string; hint: string }> = {
  read: { label: "Read", hint: "See titles and play them." },
  upload: { label: "Upload", hint: "Upload new titles." },
  manage: { label: "Manage", hint: "Edit, publish and delete titles." },
  admin: { label: "Administer", hint: "Manage accounts and all titles." },
};

function Tokens({ me }: { me: User }) {
  const list = useQuery({ queryKey: keys.tokens, queryFn: api.tokens });
  const [adding, setAdding] = useState(false);
  const [asked, setAsked] = useState<{ id: string; name: string } | null>(null);
  const revoke = async (id: string) => {
    try {
      await api.revokeToken(id);
      toast("The token no longer works.");
    } catch (error) {
      toast(`It could not be revoked. ${inWords(error)}`);
    }
    void queryClient.invalidateQueries({ queryKey: keys.tokens });
  };
  return (
    <Panel
      title="API tokens"
      about="For programs: the command line, scripts, other services."
      end={
        <Button icon="plus" onClick={() => setAdding(true)}>
          New token
        </Button>
      }
    >
      {list.isPending ? (
        <Skeleton height="72px" />
      ) : list.isError ? (
        <Failure what="The tokens could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : list.data.length === 0 ? (
        <p className="muted">No tokens. Create one to use Kinora from a program.</p>
      ) : (
        <ul className="entries">
          {list.data.map((one) => (
            <li key={one.id}>
              <Icon name="key" size={24} />
              <div>
                <b>{one.name}</b>
                <div className="small muted">
                  {one.scopes.map((scope) => scopeWords[scope].label).join(", ")} · expires <When at={one.expires_at} />
                </div>
              </div>
              <Button
                size="small"
                look="danger"
                className="push"
                aria-label={`Revoke ${one.name}`}
                onClick={() => setAsked(one)}
              >
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
      <NewToken open={adding} onClose={() => setAdding(false)} me={me} />
      <Confirm
        open={asked !== null}
        title={`Revoke “${asked?.name ?? ""}”?`}
        yes="Revoke"
        danger
        onAnswer={(yes) => {
          if (yes && asked) void revoke(asked.id);
          setAsked(null);
        }}
      >
        Programs that use it stop working at once. This cannot be undone; a new token can be made.
      </Confirm>
    </Panel>
  );
}

function NewToken({ open, onClose, me }: { open: boolean; onClose: () => void; me: User }) {
  const scopes = (Object.keys(scopeWords) as Scope[]).filter((scope) =>
    scope === "admin" ? me.role === "admin" : scope === "read" || me.role !== "viewer",
  );
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [chosen, setChosen] = useState<readonly Scope[]>(["read"]);
  const [secret, setSecret] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const close = () => {
    setSecret(null);
    setName("");
    setError(null);
    onClose();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const made = await api.createToken({ name, scopes: [...chosen], expires_in_days: Number(days) });
      setSecret(made.token);
      void queryClient.invalidateQueries({ queryKey: keys.tokens });
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  if (secret)
    return (
      <Dialog open={open} onClose={close} title="Your new token" description="Copy it now. It is not shown again.">
        <code className="secret">{secret}</code>
        <div className="actions">
          <Button
            icon="copy"
            look="primary"
            onClick={() =>
              void navigator.clipboard.writeText(secret).then(
                () => toast("The token is copied."),
                () => toast("The browser did not allow copying."),
              )
            }
          >
            Copy
          </Button>
          <Button onClick={close}>Done</Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog open={open} onClose={close} title="New API token">
      <form className="stack" onSubmit={(event) => void submit(event)}>
        {error !== null && <Notice tone="bad">{inWords(error)}</Notice>}
        <Field
          label="What is it for?"
          required
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <fieldset className="choices">
          <legend className="legend">It may</legend>
          {scopes.map((scope) => (
            <label className="choice" key={scope}>
              <input
                type="checkbox"
                checked={chosen.includes(scope)}
                onChange={(event) =>
                  setChosen(event.target.checked ? [...chosen, scope] : chosen.filter((one) => one !== scope))
                }
              />
              <b>{scopeWords[scope].label}</b>
              <span>{scopeWords[scope].hint}</span>
            </label>
          ))}
        </fieldset>
        <Field
          label="Expires after (days)"
          type="number"
          min={1}
          max={3650}
          required
          value={days}
          onChange={(event) => setDays(event.target.value)}
        />
        <div className="actions">
          <Button look="quiet" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" look="primary" busy={busy} disabled={!name.trim() || chosen.length === 0}>
            Create token
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
