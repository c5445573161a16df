// Sends a logged request once more, through the gateway like any caller.

import type { LogDetail } from "../../api/types";
import { dataHeaders } from "../../lib/data";
import { dataPath, type Place } from "../../place";

export async function replay(
  place: Place,
  log: LogDetail,
  body: string,
  model?: string,
): Promise<{ id: string | null; status: number }> {
  const path = model === undefined ? `${log.provider}/${log.path}` : "compat/chat/completions";
  const sent = model === undefined ? body : JSON.stringify({ ...JSON.parse(body), model });
  const headers: Record<string, string> = {
    ...dataHeaders(),
    "content-type": log.request_content_type ?? "application/json",
    // An answer from the cache would show nothing.
    "cf-aig-skip-cache": "true",
  };
  if (log.metadata) headers["cf-aig-metadata"] = log.metadata;
  const init: RequestInit = { method: log.method, headers };
  if (log.method !== "GET") init.body = sent;
  const response = await fetch(dataPath(place, path), init);
  await response.arrayBuffer();
  return { id: response.headers.get("cf-aig-log-id"), status: response.status };
}
