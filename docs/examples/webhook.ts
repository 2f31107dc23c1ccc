// Receives messages and checks that they are Kinora's. Needs PORT and KINORA_WEBHOOK_SECRET (whsec_…).
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from((process.env.KINORA_WEBHOOK_SECRET ?? "").replace(/^whsec_/, ""), "base64");

/** True when the message is signed by us and is not an old one sent again by somebody else. */
function isGenuine(headers: Record<string, unknown>, body: string): boolean {
  const [id, sent] = [String(headers["webhook-id"]), String(headers["webhook-timestamp"])];
  if (Math.abs(Date.now() / 1000 - Number(sent)) > 300) return false;
  const expected = createHmac("sha256", key).update(`${id}.${sent}.${body}`).digest();
  // While a secret is being changed there are two signatures, separated by a space.
  return String(headers["webhook-signature"])
    .split(" ")
    .some((signature) => {
      const given = Buffer.from(signature.replace(/^v1,/, ""), "base64");
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
}

createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  if (!isGenuine(request.headers, body)) {
    response.writeHead(401).end("this is not from Kinora");
    return;
  }
  // Answer at once and work afterwards. The same webhook-id may come again: have its effect once.
  response.writeHead(204).end();
  const { type, data } = JSON.parse(body);
  console.log(`genuine: ${type} about ${data.id}`);
}).listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
