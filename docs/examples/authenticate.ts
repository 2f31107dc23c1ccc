// Who am I, and which titles are mine? Needs KINORA_SERVER and KINORA_TOKEN.
const server = process.env.KINORA_SERVER;
const headers = { authorization: `Bearer ${process.env.KINORA_TOKEN}` };

async function get(path: string) {
  const answer = await fetch(`${server}${path}`, { headers });
  // Errors are application/problem+json with words for people and a code for programs.
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

const { user } = await get("/api/v1/session");
console.log(`signed in as ${user.name}`);

// Lists are paged: next_cursor leads to the next page and is null on the last one.
let cursor: string | null = null;
do {
  const query = new URLSearchParams({ limit: "2", ...(cursor ? { cursor } : {}) });
  const page = await get(`/api/v1/studio/videos?${query}`);
  for (const { id, state, title } of page.items) console.log(id, state, title);
  cursor = page.next_cursor;
} while (cursor);
