// The dialogs that make and change a webhook, and the one that shows a secret.
import { type FormEvent, useState } from "react";
import { useMe } from "../../api/queries";
import { createWebhook, type EventType, editWebhook, type Webhook } from "../../api/webhooks";
import { Button, Failure, Field } from "../../ui/basics";
import { Dialog } from "../../ui/overlay";
import { toast } from "../../ui/toast";
import { choices, eventWords } from "./words";

export function WebhookForm({
  webhook,
  open,
  onClose,
  onSaved,
}: {
  webhook?: Webhook;
  open: boolean;
  onClose: () => void;
  onSaved: (secret: string | null) => void;
}) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={webhook ? "Change the webhook" : "New webhook"}
      description="We send a signed POST with a JSON body to this address whenever one of these things happens."
    >
      <Form webhook={webhook} onSaved={onSaved} onClose={onClose} />
    </Dialog>
  );
}

function Form({
  webhook,
  onClose,
  onSaved,
}: {
  webhook: Webhook | undefined;
  onClose: () => void;
  onSaved: (secret: string | null) => void;
}) {
  const me = useMe();
  const [url, setUrl] = useState(webhook?.url ?? "");
  const [description, setDescription] = useState(webhook?.description ?? "");
  const [events, setEvents] = useState<readonly EventType[]>(
    webhook?.events.length ? (webhook.events as EventType[]) : choices,
  );
  const [all, setAll] = useState(webhook?.all_titles ?? false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    // All of them means also those that are yet to come.
    const wanted = events.length === choices.length ? [] : [...events];
    const form = { url, description, events: wanted, all_titles: all };
    try {
      if (webhook) {
        await editWebhook(webhook.id, webhook.revision, form);
        onSaved(null);
      } else onSaved((await createWebhook(form)).secret);
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  const toggle = (one: EventType) =>
    setEvents((old) => (old.includes(one) ? old.filter((event) => event !== one) : [...old, one]));
  return (
    <form className="hook-form" onSubmit={(event) => void submit(event)}>
      <Field
        label="Address"
        type="url"
        required
        placeholder="https://example.org/hooks/kinora"
        value={url}
        onChange={(event) => setUrl(event.target.value)}
      />
      <Field
        label="Description"
        maxLength={200}
        placeholder="What it is for"
        value={description}
        onChange={(event) => setDescription(event.target.value)}
      />
      <fieldset className="hook-events">
        <legend>What it is told</legend>
        {choices.map((event) => (
          <label key={event}>
            <input type="checkbox" checked={events.includes(event)} onChange={() => toggle(event)} />
            <span>
              {eventWords[event]}
              <span className="small muted">
                {" "}
                <code>{event}</code>
              </span>
            </span>
          </label>
        ))}
      </fieldset>
      {me?.role === "admin" && (
        <label className="line">
          <input type="checkbox" checked={all} onChange={() => setAll(!all)} />
          Everybody’s titles, not only mine
        </label>
      )}
      {error !== null && <Failure what="It could not be saved" error={error} />}
      <div className="actions">
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button look="primary" type="submit" busy={busy} disabled={events.length === 0 || url.trim() === ""}>
          {webhook ? "Save" : "Create"}
        </Button>
      </div>
    </form>
  );
}

export function Secret({ secret, onClose }: { secret: string | null; onClose: () => void }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret ?? "");
      toast("The secret is copied.");
    } catch {
      toast("The browser did not allow copying.");
    }
  };
  return (
    <Dialog
      open={secret !== null}
      onClose={onClose}
      title="The signing secret"
      description="Your program checks with it that a message is ours. It is not shown again."
    >
      <div className="hook-form">
        <pre>{secret}</pre>
        <div className="actions">
          <Button icon="copy" onClick={() => void copy()}>
            Copy
          </Button>
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
