// One way to ask the gateway's API: the token, the envelope, and errors that say what to do.

import { forget, readToken } from "../session";

export interface Fault {
  code: number;
  message: string;
  path?: (string | number)[];
}

export interface Envelope<T> {
  result: T;
  result_info?: ResultInfo;
  messages: Fault[];
}

export interface ResultInfo {
  count: number;
  page: number;
  per_page: number;
  total_count: number;
  total_is_lower_bound?: boolean;
  next?: number;
  missed?: number;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly faults: Fault[],
  ) {
    super(describe(status, faults));
  }

  /** What is wrong with one member of the body that was sent. */
  at(...path: (string | number)[]): string | undefined {
    const wanted = ["body", ...path].join(".");
    return this.faults.find((fault) => fault.path?.join(".").startsWith(wanted))?.message;
  }
}

function describe(status: number, faults: Fault[]): string {
  if (status === 0) return "The gateway cannot be reached. Is it running?";
  if (status === 403) return "You may not do that here. It takes a token or a role with more permissions.";
  const said = faults.map((fault) => {
    const place = fault.path?.filter((step) => step !== "body").join(".");
    return place ? `${place}: ${fault.message}` : fault.message;
  });
  return said.join(" · ") || `The gateway answered with status ${status}`;
}

export type Query = Record<string, string | number | boolean | undefined>;

export function withQuery(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(
    (pair): pair is [string, string | number | boolean] => pair[1] !== undefined,
  );
  const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

async function send(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const token = readToken();
  // Without a token the cookie of whoever is signed in counts.
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["content-type"] = "application/json";
  const init: RequestInit = { method, headers, cache: "no-store" };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(`/client/v4${path}`, init);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, []);
  }
  if (response.status === 401) forget();
  return response;
}

export async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Envelope<T>> {
  const response = await send(method, path, body, signal);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || answer.success === false) throw new ApiError(response.status, answer.errors ?? []);
  return answer;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  call<T>("GET", withQuery(path, query), undefined, signal);

/** A file of any length, telling how much of it has come. */
export async function download(path: string, tell: (bytes: number) => void): Promise<Blob> {
  const response = await send("GET", path, undefined);
  if (!response.ok) throw new ApiError(response.status, (await response.json().catch(() => ({}))).errors ?? []);
  const reader = response.body?.getReader();
  const parts: BlobPart[] = [];
  let length = 0;
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
    parts.push(piece.value);
    length += piece.value.length;
    tell(length);
  }
  return new Blob(parts, { type: response.headers.get("content-type") ?? "application/octet-stream" });
}

/** Before a token is kept: is it good? */
export async function verify(token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch("/client/v4/user/tokens/verify", { headers, cache: "no-store" }).catch(() => null);
  if (response?.status === 401) throw new Error("This token is not known here, or has expired.");
  if (!response?.ok) throw new ApiError(response?.status ?? 0, []);
}

/** Bodies of the log come as they were stored, without an envelope. */
export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  const response = await send("GET", path, undefined, signal);
  if (!response.ok) throw new ApiError(response.status, []);
  return response.text();
}
