// Asks one model, as any caller would, and tells what arrives while it arrives.

import { get } from "../../api/client";
import { logPath } from "../../api/queries";
import type { LogDetail } from "../../api/types";
import { deltas } from "../../lib/conversation";
import { dataHeaders } from "../../lib/data";
import { streamFrames } from "../../lib/sse";
import { dataPath, type Place } from "../../place";

export interface Asking {
  model: string;
  system: string;
  messages: { role: string; content: string }[];
  temperature?: number | undefined;
  maxTokens?: number | undefined;
}

export interface Outcome {
  state: "asking" | "done" | "failed" | "stopped";
  text: string;
  thinking: string;
  calls: string;
  error: string;
  firstMs: number | null;
  totalMs: number | null;
  log: LogDetail | null;
  logId: string | null;
  cache: string | null;
}

export const NOTHING: Outcome = {
  state: "asking",
  text: "",
  thinking: "",
  calls: "",
  error: "",
  firstMs: null,
  totalMs: null,
  log: null,
  logId: null,
  cache: null,
};

export function requestBody({ model, system, messages, temperature, maxTokens }: Asking) {
  return {
    model,
    messages: [...(system ? [{ role: "system", content: system }] : []), ...messages],
    stream: true,
    stream_options: { include_usage: true },
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
}

/** The unified API: every provider behind one form. */
export const PATH = "compat/chat/completions";

export async function run(
  place: Place,
  asking: Asking,
  signal: AbortSignal,
  tell: (outcome: Outcome) => void,
): Promise<void> {
  const began = performance.now();
  let now = { ...NOTHING };
  const say = (next: Partial<Outcome>) => {
    now = { ...now, ...next };
    tell(now);
  };
  say({});
  try {
    const headers = { ...dataHeaders(), "content-type": "application/json" };
    const response = await fetch(dataPath(place, PATH), {
      method: "POST",
      headers,
      body: JSON.stringify(requestBody(asking)),
      signal,
    });
    say({ logId: response.headers.get("cf-aig-log-id"), cache: response.headers.get("cf-aig-cache-status") });
    if (!response.ok) say({ state: "failed", error: await refusal(response) });
    else await listen(response, began, () => now, say);
  } catch (cause) {
    say(
      signal.aborted
        ? { state: "stopped" }
        : { state: "failed", error: cause instanceof Error ? cause.message : String(cause) },
    );
  }
  say({ totalMs: performance.now() - began, state: now.state === "asking" ? "done" : now.state });
  if (now.logId) say({ log: await findLog(place, now.logId) });
}

async function listen(response: Response, began: number, now: () => Outcome, say: (next: Partial<Outcome>) => void) {
  for await (const { data } of streamFrames(response)) {
    if (data === "[DONE]") return;
    const frame = JSON.parse(data);
    if (frame.error) return say({ state: "failed", error: frame.error.message ?? JSON.stringify(frame.error) });
    for (const { part } of deltas(frame)) {
      const firstMs = now().firstMs ?? performance.now() - began;
      if (part.kind === "thinking") say({ firstMs, thinking: now().thinking + part.text });
      else if (part.kind === "call") say({ firstMs, calls: now().calls + part.name + part.text });
      else say({ firstMs, text: now().text + part.text });
    }
  }
}

async function refusal(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const said = JSON.parse(text);
    return `${response.status}: ${said.message ?? said.error?.message ?? said.error?.[0]?.message ?? text}`;
  } catch {
    return `${response.status}: ${text.slice(0, 500)}`;
  }
}

const LOOKS = 6;
const PAUSE_MS = 150;

/** The record has the cost; it is there when the last byte was sent, but a look may be faster than the disk. */
async function findLog(place: Place, id: string): Promise<LogDetail | null> {
  for (let look = 0; look < LOOKS; look++) {
    const found = await get<LogDetail>(logPath(place, id)).catch(() => null);
    if (found) return found.result;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return null;
}
