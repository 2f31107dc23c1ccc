// The part of an OpenAPI 3.1 document that the reference shows, with references followed.
export type Schema = {
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  oneOf?: Schema[];
  $ref?: string;
};
export type Parameter = { name: string; place: string; required: boolean; description: string; schema: Schema };
export type Answer = { status: string; description: string; example: unknown };
export type Operation = {
  id: string;
  method: string;
  path: string;
  summary: string;
  description: string;
  /** Who may call it, in words. */
  access: string;
  parameters: Parameter[];
  body: { schema: Schema | undefined; example: unknown } | null;
  answers: Answer[];
};
export type Reference = { tags: { name: string; description: string; operations: Operation[] }[] };

type Raw = Record<string, unknown>;
const raw = (value: unknown): Raw => (typeof value === "object" && value !== null ? (value as Raw) : {});
const text = (value: unknown) => (typeof value === "string" ? value : "");
const list = (value: unknown) => (Array.isArray(value) ? value : []);

export function readDocument(json: unknown): Reference {
  const document = raw(json);
  const follow = (value: unknown): Raw => {
    const reference = text(raw(value).$ref);
    if (!reference.startsWith("#/")) return raw(value);
    const found = reference
      .slice(2)
      .split("/")
      .reduce<unknown>((at, name) => raw(at)[name], document);
    return follow(found);
  };
  const schemaOf = (value: unknown): Schema => {
    const found = follow(value) as Schema;
    const properties = Object.entries(found.properties ?? {}).map(([name, field]) => [name, named(field, follow)]);
    return found.properties ? { ...found, properties: Object.fromEntries(properties) } : named(found, follow);
  };
  const operations: (Operation & { tag: string })[] = [];
  for (const [path, item] of Object.entries(raw(document.paths)))
    for (const [method, value] of Object.entries(raw(item))) {
      const operation = raw(value);
      const json = raw(raw(raw(operation.requestBody).content)["application/json"]);
      operations.push({
        tag: text(list(operation.tags)[0]),
        id: text(operation.operationId),
        method: method.toUpperCase(),
        path,
        summary: text(operation.summary),
        description: text(operation.description),
        access: accessOf(list(operation.security)),
        parameters: list(operation.parameters).map((parameter) => {
          const one = follow(parameter);
          return {
            name: text(one.name),
            place: text(one.in),
            required: one.required === true,
            description: text(one.description),
            schema: schemaOf(one.schema),
          };
        }),
        body: json.schema ? { schema: schemaOf(json.schema), example: json.example } : null,
        answers: Object.entries(raw(operation.responses)).map(([status, answer]) => {
          const one = follow(answer);
          const content = raw(raw(one.content)["application/json"]);
          return { status, description: text(one.description), example: content.example };
        }),
      });
    }
  const tags = list(document.tags).map((tag) => {
    const name = text(raw(tag).name);
    return { name, description: text(raw(tag).description), operations: operations.filter((one) => one.tag === name) };
  });
  return { tags };
}

/** A field as it is shown: one step of references followed, its own words kept. */
function named(field: Schema, follow: (value: unknown) => Raw): Schema {
  const choice = field.oneOf?.find((one) => one.type !== "null");
  const found = (field.$ref ? follow(field) : choice ? follow(choice) : field) as Schema;
  const description = field.description ?? choice?.description ?? found.description;
  const items = found.items ? { items: follow(found.items) as Schema } : {};
  return { ...found, ...items, ...(description ? { description } : {}) };
}

function accessOf(security: unknown[]): string {
  const ways = security.map((way) => Object.keys(raw(way))[0] ?? "");
  if (ways.includes("")) return "Anybody may call it.";
  if (!ways.includes("token")) return "For people who are signed in with a browser.";
  return "For a browser’s session or an API token.";
}

/** A type in words: `string`, `one of "a", "b"`, `list of integer`. */
export function typeOf(schema: Schema): string {
  if (schema.enum) return `one of ${schema.enum.map((word) => JSON.stringify(word)).join(", ")}`;
  const kinds = Array.isArray(schema.type) ? schema.type.filter((kind) => kind !== "null") : [schema.type ?? "object"];
  const kind = kinds[0] ?? "object";
  if (kind === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`;
  return schema.format === "date-time" || schema.format === "uuid" ? schema.format : kind;
}
