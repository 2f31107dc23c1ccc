// Accounts: search, make, change role and quota, disable and enable with undo.
import "./control.css";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useState } from "react";
import * as api from "../../api/calls";
import { inWords, Problem } from "../../api/problem";
import { keys, queryClient, useMe } from "../../api/queries";
import type { Role, User } from "../../api/types";
import { bytes } from "../../lib/format";
import { Avatar, Button, Empty, Failure, Field, Notice, Skeleton, useTitle, When } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Dialog, Menu } from "../../ui/overlay";
import { toast } from "../../ui/toast";
import { ControlTabs } from "./tabs";

const roles: Record<Role, string> = { viewer: "Viewer", creator: "Creator", admin: "Administrator" };
const GIGABYTE = 1_000_000_000;

export default function UsersPage() {
  useTitle("Accounts");
  const [text, setText] = useState("");
  const q = useDeferredValue(text.trim());
  const [making, setMaking] = useState(false);
  const [quotaOf, setQuotaOf] = useState<User | null>(null);
  const list = useInfiniteQuery({
    queryKey: keys.users(q),
    queryFn: ({ pageParam }) => api.users(q, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
  const users = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="page">
      <div className="page-head">
        <h1>Accounts</h1>
        <ControlTabs />
        <Button look="primary" icon="plus" className="push" onClick={() => setMaking(true)}>
          New account
        </Button>
      </div>
      <search className="people-bar">
        <input
          className="input"
          type="search"
          aria-label="Search accounts"
          placeholder="Name or e-mail"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </search>
      {list.isPending ? (
        <div className="stack" role="status" aria-label="Loading">
          {[1, 2, 3].map((row) => (
            <Skeleton key={row} height="56px" />
          ))}
        </div>
      ) : list.isError ? (
        <Failure what="The accounts could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : users.length === 0 ? (
        <Empty icon="user" title={`Nobody is called “${q}”`}>
          Names and e-mail addresses are searched for these letters.
        </Empty>
      ) : (
        <People users={users} onQuota={setQuotaOf} />
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
      {making && <NewAccount onClose={() => setMaking(false)} />}
      {quotaOf && <Quota user={quotaOf} onClose={() => setQuotaOf(null)} />}
    </div>
  );
}

const changed = () => queryClient.invalidateQueries({ queryKey: ["users"] });

/** Changes an account and says so, with a way back. */
async function change(user: User, edit: api.UserEdit, done: string, undo?: api.UserEdit) {
  try {
    await api.editUser(user.id, edit);
    if (undo) toast(done, { label: "Undo", run: () => void change(user, undo, "Undone.") });
    else toast(done);
  } catch (error) {
    toast(`That failed. ${inWords(error)}`);
  }
  await changed();
}

function People({ users, onQuota }: { users: readonly User[]; onQuota: (user: User) => void }) {
  const me = useMe();
  return (
    <section className="panel" aria-label="All accounts">
      <table className="sheet folds people">
        <thead>
          <tr>
            <th scope="col">Person</th>
            <th scope="col">Role</th>
            <th scope="col">Storage</th>
            <th scope="col">Since</th>
            <th scope="col">
              <span className="sr">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <Person key={user.id} user={user} own={user.id === me?.id} onQuota={() => onQuota(user)} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Person({ user, own, onQuota }: { user: User; own: boolean; onQuota: () => void }) {
  return (
    <tr data-off={user.disabled || undefined}>
      <th scope="row">
        <span className="who">
          <Avatar name={user.name} />
          <span>
            <b>{user.name}</b> {own && <span className="pill">You</span>}{" "}
            {user.disabled && <span className="pill bad">Disabled</span>}
            <br />
            <span className="small muted">{user.email}</span>
          </span>
        </span>
      </th>
      <td className="whole">
        <span className="select">
          <select
            className="input role-select"
            aria-label={`Role of ${user.name}`}
            value={user.role}
            onChange={(event) => {
              const role = event.target.value as Role;
              void change(user, { role }, `${user.name} is now ${roles[role].toLowerCase()}.`, { role: user.role });
            }}
          >
            {Object.entries(roles).map(([role, name]) => (
              <option key={role} value={role}>
                {name}
              </option>
            ))}
          </select>
          <Icon name="down" size={16} />
        </span>
      </td>
      <td className="muted whole" data-label="Storage">
        {bytes(user.used_bytes)}
        {user.quota_bytes !== null && ` of ${bytes(user.quota_bytes)}`}
      </td>
      <td className="muted" data-label="Since">
        <When at={user.created_at} />
      </td>
      <td className="end">
        <Menu
          trigger={<Button look="quiet" icon="more" aria-label={`More for ${user.name}`} />}
          items={[
            { label: "Storage quota…", icon: "edit", onSelect: onQuota },
            "line",
            user.disabled
              ? {
                  label: "Enable",
                  icon: "check",
                  onSelect: () =>
                    void change(user, { disabled: false }, `${user.name} may sign in again.`, { disabled: true }),
                }
              : {
                  label: "Disable",
                  icon: "lock",
                  danger: true,
                  onSelect: () =>
                    void change(
                      user,
                      { disabled: true },
                      `${user.name} is signed out everywhere and may not sign in.`,
                      { disabled: false },
                    ),
                },
          ]}
        />
      </td>
    </tr>
  );
}

function Quota({ user, onClose }: { user: User; onClose: () => void }) {
  const [text, setText] = useState(user.quota_bytes === null ? "" : String(user.quota_bytes / GIGABYTE));
  const amount = Number(text.replace(",", "."));
  const wrong = text.trim() !== "" && !(Number.isFinite(amount) && amount >= 0) ? "A number of gigabytes." : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wrong) return;
    const quota_bytes = text.trim() === "" ? null : Math.round(amount * GIGABYTE);
    const now = quota_bytes === null ? "the default quota" : `a quota of ${bytes(quota_bytes)}`;
    void change(user, { quota_bytes }, `${user.name} has ${now}.`, { quota_bytes: user.quota_bytes });
    onClose();
  };
  return (
    <Dialog open title={`Storage of ${user.name}`} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <Field
          label="Quota in gigabytes"
          inputMode="decimal"
          value={text}
          wrong={wrong}
          hint={`Leave it empty for the default of this site. In use: ${bytes(user.used_bytes)}.`}
          onChange={(event) => setText(event.target.value)}
        />
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary">
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function NewAccount({ onClose }: { onClose: () => void }) {
  const [draft, setDraft] = useState({ name: "", email: "", password: "", role: "viewer" as Role });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const fields = error instanceof Problem ? error.fields : {};
  const set = (part: Partial<typeof draft>) => setDraft((old) => ({ ...old, ...part }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await api.createUser(draft);
      toast(`${draft.name} has an account now.`);
      await changed();
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog open title="New account" onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        {error !== null && Object.keys(fields).length === 0 && <Notice tone="bad">{inWords(error)}</Notice>}
        <Field
          label="Name"
          required
          maxLength={80}
          autoComplete="off"
          value={draft.name}
          wrong={fields.name}
          onChange={(event) => set({ name: event.target.value })}
        />
        <Field
          label="E-mail"
          type="email"
          required
          autoComplete="off"
          value={draft.email}
          wrong={fields.email}
          onChange={(event) => set({ email: event.target.value })}
        />
        <Field
          label="Password"
          type="password"
          required
          minLength={8}
          autoComplete="new-password"
          hint="Hand it over in person; it can be changed on the account page."
          value={draft.password}
          wrong={fields.password}
          onChange={(event) => set({ password: event.target.value })}
        />
        <div className="field">
          <label htmlFor="new-role">Role</label>
          <span className="select">
            <select
              id="new-role"
              className="input"
              value={draft.role}
              onChange={(event) => set({ role: event.target.value as Role })}
            >
              {Object.entries(roles).map(([role, name]) => (
                <option key={role} value={role}>
                  {name}
                </option>
              ))}
            </select>
            <Icon name="down" size={16} />
          </span>
        </div>
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" busy={busy}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
