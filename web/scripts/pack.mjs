// Puts compressed copies (`.br`, `.gz`) beside what the server sends as text, so that nothing is compressed at run time.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url).pathname;
for (const name of readdirSync(dist, { recursive: true })) {
  // The page itself is made up by the server for each title.
  if (!/\.(js|css|svg|webmanifest)$/.test(name)) continue;
  const path = join(dist, name);
  const plain = readFileSync(path);
  if (plain.length < 600) continue;
  writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
  writeFileSync(
    `${path}.br`,
    brotliCompressSync(plain, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
    }),
  );
}
