// The studio's webhooks: a list.
import "./webhooks.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { queryClient } from "../../api/queries";
import { type Webhook, webhooks } from "../../api/webhooks";
import { Button, Empty, Failure, Skeleton, useTitle } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Secret, WebhookForm } from "./form";
import { eventWords, standing } from "./words";

export const listKey = ["webhooks"] as const;

export default function WebhooksPage() {
  useTitle("Webhooks");
  const [, navigate] = useLocation();
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const list = useInfiniteQuery({
    queryKey: listKey,
    queryFn: ({ pageParam }) => webhooks(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const add = (
    <Button icon="plus" look="primary" className="push" onClick={() => setAdding(true)}>
      New webhook
    </Button>
  );
  return (
    <div className="page narrow">
      <div className="page-head">
        <Button look="quiet" icon="left" aria-label="Back to the studio" onClick={() => navigate("/studio")} />
        <h1>Webhooks</h1>
        {items.length > 0 && add}
      </div>
      <p className="muted hooks-about">
        Your programs are told what happens to your titles.{" "}
        <Link href="/docs/webhooks">How to receive and check messages</Link>
      </p>
      {list.isPending ? (
        <Skeleton height="180px" />
      ) : list.isError ? (
        <Failure what="The webhooks could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : items.length === 0 ? (
        <Empty icon="link" title="No webhooks yet" actions={add}>
          Add an address of yours, and we tell it when a title is ready, published, edited or gone.
        </Empty>
      ) : (
        <section className="panel" aria-label="Your webhooks">
          <ul className="hooks">
            {items.map((webhook) => (
              <Row key={webhook.id} webhook={webhook} />
            ))}
          </ul>
        </section>
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
      <WebhookForm
        open={adding}
        onClose={() => setAdding(false)}
        onSaved={(made) => {
          setAdding(false);
          setSecret(made);
          void queryClient.invalidateQueries({ queryKey: listKey });
        }}
      />
      <Secret secret={secret} onClose={() => setSecret(null)} />
    </div>
  );
}

function Row({ webhook }: { webhook: Webhook }) {
  const state = standing(webhook);
  const told = webhook.events.length === 0 ? "everything" : webhook.events.map((event) => eventWords[event]).join(", ");
  return (
    <li>
      <Link href={`/studio/webhooks/${webhook.id}`}>
        <b className="hook-url">{webhook.description || webhook.url}</b>
        {webhook.description && <div className="small hook-url">{webhook.url}</div>}
        <div className="small muted">
          Told of: {told}
          {webhook.all_titles && " · everybody’s titles"}
        </div>
      </Link>
      <span className="small hook-state" data-state={state.look}>
        {state.text}
      </span>
      <Icon name="right" size={16} />
    </li>
  );
}
