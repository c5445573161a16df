// What a first visit loads must stay small: the page, its script and styles, and what they load at once.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BYTES_MAX = 400 * 1024;

const root = new URL("../dist/web/", import.meta.url);
const page = readFileSync(new URL("index.html", root), "utf8");
const named = [...page.matchAll(/(?:src|href)="\/dashboard\/([^"]+)"/g)].map((match) => match[1]);
const seen = new Set();

/** A module loads what it imports statically; `import("…")` waits until its page is opened. */
function add(name) {
  if (seen.has(name)) return;
  seen.add(name);
  if (!name.endsWith(".js")) return;
  const text = readFileSync(new URL(name, root), "utf8");
  for (const match of text.matchAll(/(?:from|^import|;import)\s*"\.\/([^"]+)"/g)) add(`assets/${match[1]}`);
}
named.forEach(add);

const size = (name) => gzipSync(readFileSync(new URL(name, root))).length;
const total = [...seen].reduce((sum, name) => sum + size(name), gzipSync(page).length);
console.log(`first view: ${(total / 1024).toFixed(1)} KB gzip in ${seen.size + 1} files, limit ${BYTES_MAX / 1024} KB`);
if (total > BYTES_MAX) process.exit(1);
