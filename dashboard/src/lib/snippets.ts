// A logged request as a program. Secrets are never in the log, so keys stand as names of environment variables.

import type { LogDetail } from "../api/types";

export interface Asked {
  url: string;
  method: string;
  contentType: string;
  body: string;
  metadata: string | null;
  locked: boolean;
}

export type SnippetLanguage = "curl" | "python" | "typescript";

export const SNIPPET_LANGUAGES: readonly (readonly [SnippetLanguage, string])[] = [
  ["curl", "curl"],
  ["python", "Python"],
  ["typescript", "TypeScript"],
];

export function askedOf(log: LogDetail, url: string, body: string, locked: boolean): Asked {
  const { method, metadata } = log;
  return { url, method, contentType: log.request_content_type ?? "application/json", body, metadata, locked };
}

function headers({ contentType, metadata, locked }: Asked): [string, string][] {
  const all: [string, string][] = [["content-type", contentType]];
  if (metadata) all.push(["cf-aig-metadata", metadata]);
  if (locked) all.push(["cf-aig-authorization", "Bearer $TOLLGATE_TOKEN"]);
  return all;
}

/** Nothing inside single quotes means anything to a shell, except their end. */
const shell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function snippet(language: SnippetLanguage, asked: Asked): string {
  if (language === "curl") return curl(asked);
  return language === "python" ? python(asked) : typescript(asked);
}

function curl(asked: Asked): string {
  const said = headers(asked).map(
    ([name, value]) => `  -H ${value.includes("$TOLLGATE") ? `"${name}: ${value}"` : shell(`${name}: ${value}`)}`,
  );
  const body = asked.body ? [`  --data-raw ${shell(asked.body)}`] : [];
  return [`curl -X ${asked.method} ${shell(asked.url)}`, ...said, ...body].join(" \\\n");
}

function python(asked: Asked): string {
  const value = (text: string) =>
    text.includes("$TOLLGATE") ? '"Bearer " + os.environ["TOLLGATE_TOKEN"]' : JSON.stringify(text);
  const said = headers(asked).map(([name, text]) => `        ${JSON.stringify(name)}: ${value(text)},`);
  return `import os
import urllib.request

request = urllib.request.Request(
    ${JSON.stringify(asked.url)},
    method=${JSON.stringify(asked.method)},
    headers={
${said.join("\n")}
    },
    data=${JSON.stringify(asked.body)}.encode(),
)
with urllib.request.urlopen(request) as response:
    print(response.read().decode())`;
}

function typescript(asked: Asked): string {
  const value = (text: string) =>
    text.includes("$TOLLGATE") ? "`Bearer ${process.env.TOLLGATE_TOKEN}`" : JSON.stringify(text);
  const said = headers(asked).map(([name, text]) => `    ${JSON.stringify(name)}: ${value(text)},`);
  return `const response = await fetch(${JSON.stringify(asked.url)}, {
  method: ${JSON.stringify(asked.method)},
  headers: {
${said.join("\n")}
  },
  body: ${JSON.stringify(asked.body)},
});
console.log(await response.text());`;
}
