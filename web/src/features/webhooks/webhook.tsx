// One webhook: how it stands, what can be done with it, and its log.
import "./webhooks.css";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { inWords } from "../../api/problem";
import { queryClient } from "../../api/queries";
import * as api from "../../api/webhooks";
import { Button, Failure, Notice, Skeleton, useTitle, When } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Confirm, Menu } from "../../ui/overlay";
import { toast } from "../../ui/toast";
import { Secret, WebhookForm } from "./form";
import { listKey } from "./webhooks";
import { eventWords, outcome, standing } from "./words";

const key = (id: string) => ["webhooks", id] as const;
const logKey = (id: string) => ["webhooks", id, "log"] as const;

export default function WebhookPage({ id }: { id: string }) {
  const query = useQuery({ queryKey: key(id), queryFn: () => api.webhook(id) });
  const [, navigate] = useLocation();
  useTitle(query.data ? query.data.description || query.data.url : "Webhook");
  return (
    <div className="page narrow">
      <div className="page-head">
        <Button
          look="quiet"
          icon="left"
          aria-label="Back to the webhooks"
          onClick={() => navigate("/studio/webhooks")}
        />
        <h1 className="hook-url">{query.data ? query.data.description || "Webhook" : "Webhook"}</h1>
      </div>
      {query.isPending ? (
        <Skeleton height="240px" />
      ) : query.isError ? (
        <Failure whole what="The webhook could not be loaded" error={query.error} retry={() => void query.refetch()} />
      ) : (
        <>
          <Settings webhook={query.data} />
          <Log webhook={query.data} />
        </>
      )}
    </div>
  );
}

function Settings({ webhook }: { webhook: api.Webhook }) {
  const [, navigate] = useLocation();
  const [editing, setEditing] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [asked, setAsked] = useState<"delete" | "rotate" | null>(null);
  const state = standing(webhook);
  const refresh = () => {
    void queryClient.invalidateQueries({ queryKey: listKey });
  };
  const act = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
      toast(done);
    } catch (error) {
      toast(inWords(error));
    }
    refresh();
  };
  const remove = async () => {
    try {
      await api.deleteWebhook(webhook.id);
    } catch (error) {
      toast(inWords(error));
      return;
    }
    // Only the list is asked anew: this page's own questions would find nothing any more.
    void queryClient.invalidateQueries({ queryKey: listKey, exact: true });
    toast("The webhook is deleted.");
    navigate("/studio/webhooks");
  };
  const switchTo = (enabled: boolean) =>
    act(
      () => api.editWebhook(webhook.id, webhook.revision, { enabled }),
      enabled ? "It is told again from now on." : "It is told nothing more.",
    );
  return (
    <section className="panel" aria-label="Settings">
      {webhook.disabled_reason && <Notice>{webhook.disabled_reason}</Notice>}
      <div className="line hook-head">
        <div>
          <div className="hook-url">{webhook.url}</div>
          <div className="small hook-state" data-state={state.look}>
            {state.text}
            {webhook.failing_since && webhook.enabled && (
              <span>
                since <When at={webhook.failing_since} />
              </span>
            )}
          </div>
        </div>
        <span className="push" />
        <Button
          disabled={!webhook.enabled}
          onClick={() => void act(() => api.testWebhook(webhook.id), "A test message is on its way.")}
        >
          Send test
        </Button>
        <Menu
          trigger={<Button look="quiet" icon="more" aria-label="More" />}
          items={[
            { label: "Change…", icon: "edit", onSelect: () => setEditing(true) },
            webhook.enabled
              ? { label: "Switch off", icon: "pause", onSelect: () => void switchTo(false) }
              : { label: "Switch on", icon: "play", onSelect: () => void switchTo(true) },
            { label: "New secret…", icon: "key", onSelect: () => setAsked("rotate") },
            "line",
            { label: "Delete…", icon: "trash", danger: true, onSelect: () => setAsked("delete") },
          ]}
        />
      </div>
      <p className="small muted">
        Told of{" "}
        {webhook.events.length === 0 ? "everything" : webhook.events.map((event) => eventWords[event]).join(", ")}
        {webhook.all_titles && " · everybody’s titles"}
        {webhook.old_secret_until && (
          <>
            {" "}
            · the old secret signs, too, until <When at={webhook.old_secret_until} />
          </>
        )}
      </p>
      <WebhookForm
        webhook={webhook}
        open={editing}
        onClose={() => setEditing(false)}
        onSaved={() => {
          setEditing(false);
          toast("The webhook is saved.");
          refresh();
        }}
      />
      <Secret secret={secret} onClose={() => setSecret(null)} />
      <Confirm
        open={asked === "delete"}
        title="Delete the webhook?"
        yes="Delete"
        danger
        onAnswer={(yes) => {
          setAsked(null);
          if (yes) void remove();
        }}
      >
        Its log is deleted with it, and what is on its way is not delivered.
      </Confirm>
      <Confirm
        open={asked === "rotate"}
        title="Make a new secret?"
        yes="New secret"
        onAnswer={(yes) => {
          setAsked(null);
          if (yes)
            void act(
              async () => setSecret((await api.rotateSecret(webhook.id)).secret),
              "The webhook has a new secret.",
            );
        }}
      >
        For a day messages are signed with both, so that your program can change over without missing any.
      </Confirm>
    </section>
  );
}

const replayChoices = [
  { label: "Of the last hour", hours: 1 },
  { label: "Of the last day", hours: 24 },
  { label: "Of the last week", hours: 168 },
  { label: "Everything in the log", hours: 24 * 31 },
];

function Log({ webhook }: { webhook: api.Webhook }) {
  const list = useInfiniteQuery({
    queryKey: logKey(webhook.id),
    queryFn: ({ pageParam }) => api.deliveries(webhook.id, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    // Messages under way change by themselves.
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some((item) => item.state === "pending")) ? 2000 : 10_000,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const replay = async (hours: number) => {
    try {
      const since = new Date(Date.now() - hours * 3_600_000).toISOString();
      const { deliveries } = await api.replaySince(webhook.id, since);
      toast(deliveries === 1 ? "One message is sent again." : `${deliveries} messages are sent again.`);
    } catch (error) {
      toast(inWords(error));
    }
    void list.refetch();
  };
  return (
    <section className="panel" aria-label="Messages">
      <header>
        <div>
          <h2>Messages</h2>
          <p className="small muted">Kept for thirty days, and at most a thousand.</p>
        </div>
        {items.length > 0 && (
          <Menu
            trigger={
              <Button icon="retry" disabled={!webhook.enabled}>
                Send again
              </Button>
            }
            items={replayChoices.map(({ label, hours }) => ({ label, onSelect: () => void replay(hours) }))}
          />
        )}
      </header>
      {list.isPending ? (
        <Skeleton height="160px" />
      ) : list.isError ? (
        <Failure what="The log could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : items.length === 0 ? (
        <p className="muted">Nothing was sent yet. Try it with a test message.</p>
      ) : (
        <ul className="log">
          {items.map((item) => (
            <Entry key={item.id} webhook={webhook} delivery={item} onChange={() => void list.refetch()} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
    </section>
  );
}

function Entry({
  webhook,
  delivery,
  onChange,
}: {
  webhook: api.Webhook;
  delivery: api.Delivery;
  onChange: () => void;
}) {
  const [open, setOpen] = useState(false);
  const state = outcome(delivery);
  return (
    <li>
      <button type="button" className="log-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span>{eventWords[delivery.event] ?? delivery.event}</span>
        <span className="small hook-state" data-state={state.look}>
          {state.text}
        </span>
        <span className="small muted when">
          <When at={delivery.created_at} />
        </span>
        <Icon name="down" size={16} />
      </button>
      {open && <Details webhook={webhook} delivery={delivery} onChange={onChange} />}
    </li>
  );
}

function Details({
  webhook,
  delivery,
  onChange,
}: {
  webhook: api.Webhook;
  delivery: api.Delivery;
  onChange: () => void;
}) {
  const query = useQuery({
    queryKey: [...logKey(webhook.id), delivery.id, delivery.attempts, delivery.state],
    queryFn: () => api.delivery(webhook.id, delivery.id),
    placeholderData: (old) => old,
  });
  const replay = async () => {
    try {
      await api.replayDelivery(webhook.id, delivery.id);
      toast("The message is sent again.");
    } catch (error) {
      toast(inWords(error));
    }
    onChange();
  };
  if (query.isPending) return <Skeleton height="120px" />;
  if (query.isError) return <Failure what="The message could not be loaded" error={query.error} />;
  return (
    <div className="log-body">
      <div className="line">
        <code className="small muted hook-url">{delivery.id}</code>
        <span className="push" />
        <Button
          size="small"
          icon="retry"
          disabled={!webhook.enabled || delivery.state === "pending"}
          onClick={() => void replay()}
        >
          Send again
        </Button>
      </div>
      <h3>What was sent</h3>
      <pre>{JSON.stringify(query.data.payload, null, 2)}</pre>
      <h3>What came back</h3>
      {query.data.log.length === 0 && <p className="muted small">It was not sent yet.</p>}
      <ul className="tries">
        {query.data.log.map((attempt) => (
          <li key={attempt.number}>
            <div className="small">
              <b>{attempt.status ?? "No answer"}</b> · {attempt.duration_ms} ms · <When at={attempt.at} />
              {attempt.error && <> · {attempt.error}</>}
            </div>
            {attempt.answer && <pre>{attempt.answer}</pre>}
          </li>
        ))}
      </ul>
    </div>
  );
}
