// The guides. Their examples are files under docs/examples, which tests run against a live server.
import { Link } from "wouter";
import authenticatePy from "../../../../docs/examples/authenticate.py?raw";
import authenticateSh from "../../../../docs/examples/authenticate.sh?raw";
import authenticateTs from "../../../../docs/examples/authenticate.ts?raw";
import embedHtml from "../../../../docs/examples/embed.html?raw";
import uploadPy from "../../../../docs/examples/upload.py?raw";
import uploadSh from "../../../../docs/examples/upload.sh?raw";
import uploadTs from "../../../../docs/examples/upload.ts?raw";
import webhookPy from "../../../../docs/examples/webhook.py?raw";
import webhookSh from "../../../../docs/examples/webhook.sh?raw";
import webhookTs from "../../../../docs/examples/webhook.ts?raw";
import { Code, Example } from "./code";

export function Start() {
  return (
    <>
      <p>
        Everything that these pages do, your programs can do over HTTP: JSON in, JSON out, under{" "}
        <code>{location.origin}/api/v1</code>. The <Link href="/docs/api">reference</Link> lists every operation; it is
        made from the <a href="/api/v1/openapi.json">OpenAPI document</a>, from which clients can be generated.
      </p>
      <ol>
        <li>
          Make an API token in your <Link href="/account">account</Link>, with the scopes that your program needs.
        </li>
        <li>
          Send it as <code>Authorization: Bearer kin_…</code>: see{" "}
          <Link href="/docs/authentication">authentication</Link>.
        </li>
        <li>
          <Link href="/docs/uploading">Upload</Link> a film, be told by a <Link href="/docs/webhooks">webhook</Link>{" "}
          when it is ready, and <Link href="/docs/embedding">embed</Link> it.
        </li>
      </ol>
      <h2>What holds everywhere</h2>
      <dl>
        <dt>Errors</dt>
        <dd>
          Every error is <code>application/problem+json</code> (RFC 9457): <code>detail</code> for people,{" "}
          <code>code</code> for programs, <code>field</code> where one is meant. <code>X-Request-Id</code> names the
          request in our logs.
        </dd>
        <dt>Sending again</dt>
        <dd>
          A <code>POST</code> with an <code>Idempotency-Key</code> has its effect once: within a day the same request
          with the same key gets the same answer, marked <code>Idempotency-Replayed: true</code>.
        </dd>
        <dt>Editing</dt>
        <dd>
          Send the <code>ETag</code> that you read as <code>If-Match</code>, and an edit is refused with 412 if somebody
          else was quicker. An edit changes only the fields that it names, so the header is never required.
        </dd>
        <dt>Limits</dt>
        <dd>
          <code>RateLimit-Policy</code> and <code>RateLimit</code> say how many requests you may send and how many are
          left; after a 429 wait for <code>Retry-After</code> seconds.
        </dd>
      </dl>
    </>
  );
}

export function Authentication() {
  return (
    <>
      <p>
        Programs send an API token; browsers have a session cookie. A token reaches as far as its scopes:{" "}
        <code>read</code> (see what you see), <code>upload</code>, <code>manage</code> (edit and delete your titles,
        webhooks) and <code>admin</code>. Tokens cannot manage your account.
      </p>
      <p>
        Lists come in pages of up to 100. <code>next_cursor</code> leads to the next one; titles that are added
        meanwhile neither repeat nor hide others.
      </p>
      <Example
        name="Who am I, and which titles are mine"
        of={{ sh: authenticateSh, ts: authenticateTs, py: authenticatePy }}
      />
    </>
  );
}

export function Uploading() {
  return (
    <>
      <p>
        Files are sent by <a href="https://tus.io/protocols/resumable-upload">tus 1.0</a>, so that an upload goes on
        where it broke off, and any tus client will do. What the server has answered is stored for good. These examples
        need no client at all.
      </p>
      <Example name="Upload a file" of={{ sh: uploadSh, ts: uploadTs, py: uploadPy }} />
      <p>
        A title is <code>ready</code> as soon as its beginning can be played; <code>complete</code> turns true when all
        renditions are there. Rather than asking, let a <Link href="/docs/webhooks">webhook</Link> tell you.
      </p>
    </>
  );
}

export function Webhooks() {
  return (
    <>
      <p>
        A webhook is an address of yours that we tell what happens to your titles. Make one in the{" "}
        <Link href="/studio/webhooks">studio</Link> or by the API; administrators can have ones for everybody’s titles.
      </p>
      <Example name="Make a webhook and test it" of={{ sh: webhookSh }} />
      <h2>Messages</h2>
      <p>
        A message is a <code>POST</code> with a JSON body <code>{`{"type", "timestamp", "data"}`}</code>, as{" "}
        <a href="https://www.standardwebhooks.com">Standard Webhooks</a> describes. Types are{" "}
        <code>title.playable</code>, <code>title.ready</code>, <code>title.failed</code>, <code>title.published</code>,{" "}
        <code>title.edited</code>, <code>title.deleted</code>, <code>title.restored</code> and <code>webhook.test</code>
        .
      </p>
      <p>
        Answer with any 2xx within fifteen seconds. Otherwise we try again after 5 seconds, 5 and 30 minutes, 2, 5, 10,
        14, 20 and 24 hours. An address that nothing has reached for three days is switched off, and so is one that
        answers 410; the studio says so, and what was missed can be sent again. Messages can arrive twice or out of
        order: <code>webhook-id</code> stays the same for every try and every replay.
      </p>
      <p>Only public addresses are called, redirects are not followed, and nothing but the message is sent.</p>
      <h2>Checking the signature</h2>
      <p>
        <code>webhook-signature</code> is <code>v1,</code> and the base64 of HMAC-SHA256, by the bytes of your secret,
        over <code>webhook-id.webhook-timestamp.body</code>. For a day after a secret was changed there are two.
      </p>
      <Example name="Receive and check" of={{ ts: webhookTs, py: webhookPy }} />
    </>
  );
}

export function Embedding() {
  return (
    <>
      <p>
        Public and unlisted titles can be put into any page: the share button below a title gives the code. Sites that
        know <a href="https://oembed.com">oEmbed</a> find it by themselves from a title’s link, at{" "}
        <code>/oembed?url=…</code>.
      </p>
      <h2>Parameters</h2>
      <dl>
        <dt>
          <code>t</code>
        </dt>
        <dd>
          Where to begin: seconds, or <code>1m30s</code>.
        </dd>
        <dt>
          <code>autoplay=1</code>
        </dt>
        <dd>
          Play by itself. Browsers mostly allow that only with <code>muted=1</code>.
        </dd>
        <dt>
          <code>muted=1</code>
        </dt>
        <dd>Begin without sound.</dd>
        <dt>
          <code>controls=0</code>
        </dt>
        <dd>Only the picture; your page steers.</dd>
        <dt>
          <code>origin</code>
        </dt>
        <dd>The origin of your page: no other page may then steer the player or hear of it.</dd>
      </dl>
      <h2>Steering the player</h2>
      <p>
        Send <code>{`{kinora: 1, command, value}`}</code> by <code>postMessage</code>. Commands are <code>listen</code>,{" "}
        <code>play</code>, <code>pause</code>, <code>seek</code> (seconds), <code>volume</code> (0 to 1),{" "}
        <code>mute</code> and <code>unmute</code>. After the first one the player answers with{" "}
        <code>{`{kinora: 1, event, position, …}`}</code>: <code>ready</code>, <code>play</code>, <code>pause</code>,{" "}
        <code>time</code>, <code>seek</code>, <code>volume</code>, <code>ended</code> and <code>error</code> (with a{" "}
        <code>code</code>).
      </p>
      <Code text={embedHtml} label="A page that embeds and steers a title" />
      <h2>Feeds</h2>
      <p>
        <a href="/feeds/latest.xml">/feeds/latest.xml</a> has the latest public titles, and{" "}
        <code>/feeds/channels/{"{user_id}"}.xml</code> those of one channel, as RSS 2.0 with Media RSS.
      </p>
    </>
  );
}
