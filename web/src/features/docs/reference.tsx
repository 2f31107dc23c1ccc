// The API's reference, drawn from the OpenAPI document of this very server.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Failure, Field, Skeleton } from "../../ui/basics";
import { Code } from "./code";
import { type Answer, type Operation, type Parameter, readDocument, type Schema, typeOf } from "./openapi";

async function load() {
  const answer = await fetch("/api/v1/openapi.json");
  if (!answer.ok) throw new Error("The description of the API could not be read.");
  return readDocument(await answer.json());
}

export default function Reference() {
  const query = useQuery({ queryKey: ["openapi"], queryFn: load, staleTime: Number.POSITIVE_INFINITY });
  const [wanted, setWanted] = useState("");
  if (query.isPending) return <Skeleton height="600px" />;
  if (query.isError)
    return <Failure what="The reference could not be loaded" error={query.error} retry={() => void query.refetch()} />;
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (operation: Operation) => {
    const text = `${operation.method} ${operation.path} ${operation.summary}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const groups = query.data.tags
    .map((tag) => ({ ...tag, operations: tag.operations.filter(fits) }))
    .filter((tag) => tag.operations.length > 0);
  return (
    <div className="reference">
      <Field
        label="Find an operation"
        type="search"
        placeholder="webhooks, post /api/v1/…"
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      {groups.length === 0 && <p className="muted">No operation has these words.</p>}
      {groups.map((tag) => (
        <section key={tag.name} aria-labelledby={`tag-${tag.name}`}>
          <h2 id={`tag-${tag.name}`}>{tag.name}</h2>
          <p className="muted">{tag.description}</p>
          {tag.operations.map((operation) => (
            <OneOperation key={operation.id} operation={operation} />
          ))}
        </section>
      ))}
    </div>
  );
}

function OneOperation({ operation }: { operation: Operation }) {
  const [open, setOpen] = useState(location.hash === `#${operation.id}`);
  return (
    <details id={operation.id} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className="method" data-method={operation.method}>
          {operation.method}
        </span>
        <code className="op-path">{operation.path}</code>
        <span className="op-about">{operation.summary}</span>
      </summary>
      {open && (
        <div className="op-body">
          {operation.description && <p>{operation.description}</p>}
          <p className="small muted">{operation.access}</p>
          {operation.parameters.length > 0 && (
            <Rows title="Parameters" rows={operation.parameters.map((one) => parameterRow(one))} />
          )}
          {operation.body && (
            <>
              <Fields title="Body" schema={operation.body.schema} />
              <Code label={`Body of ${operation.id}`} text={JSON.stringify(operation.body.example, null, 2)} />
            </>
          )}
          <h3>Answers</h3>
          {operation.answers.map((answer) => (
            <OneAnswer key={answer.status} answer={answer} id={operation.id} />
          ))}
        </div>
      )}
    </details>
  );
}

const parameterRow = ({ name, place, required, schema, description }: Parameter): Row => ({
  name,
  type: `${typeOf(schema)} in ${place}`,
  required,
  about: description,
});

function OneAnswer({ answer, id }: { answer: Answer; id: string }) {
  return (
    <div className="answer" data-good={answer.status.startsWith("2") || undefined}>
      <p>
        <b>{answer.status}</b> {answer.description}
      </p>
      {answer.status.startsWith("2") && answer.example !== undefined && (
        <Code label={`Answer ${answer.status} of ${id}`} text={JSON.stringify(answer.example, null, 2)} />
      )}
    </div>
  );
}

type Row = { name: string; type: string; required: boolean; about: string };

function Fields({ title, schema }: { title: string; schema: Schema | undefined }) {
  const rows = Object.entries(schema?.properties ?? {}).map(([name, field]) => ({
    name,
    type: typeOf(field),
    required: schema?.required?.includes(name) ?? false,
    about: field.description ?? "",
  }));
  return rows.length > 0 ? <Rows title={title} rows={rows} /> : null;
}

function Rows({ title, rows }: { title: string; rows: Row[] }) {
  return (
    <>
      <h3>{title}</h3>
      <dl className="fields">
        {rows.map((row) => (
          <div key={row.name}>
            <dt>
              <code>{row.name}</code>
              <span className="small muted">
                {row.type}
                {row.required ? "" : ", optional"}
              </span>
            </dt>
            {row.about && <dd>{row.about}</dd>}
          </div>
        ))}
      </dl>
    </>
  );
}
