// Where the gateway is, what can be asked of the sandbox behind it, and what the log remembers.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

const { TOLLGATE_URL, TOLLGATE_ACCOUNT: account, TOLLGATE_GATEWAY: gateway } = process.env;
const url = TOLLGATE_URL.replace(/\/+$/, '');

export const TOKEN = process.env.TOLLGATE_TOKEN;
// A bare sandbox server, without a gateway before it.
export const DIRECT = process.env.TOLLGATE_DIRECT === '1';
export const ROOT = DIRECT ? url : `${url}/v1/${account}/${gateway}`;
export const SANDBOX = DIRECT ? url : `${ROOT}/sandbox`;
export const API = `${url}/client/v4/accounts/${account}`;
export const ACCOUNT = account;
export const GATEWAY = gateway;
export const URL_OF_GATEWAY = url;
export const MODEL = 'sandbox-1';

/**
 * Providers by their compat prefix, with how the REST API calls their author. Each is another dialect on the wire: openai-chat,
 * anthropic-messages, gemini, cohere-v2.
 */
export const TARGETS = { openai: 'openai', anthropic: 'anthropic', 'google-ai-studio': 'google', cohere: 'cohere' };

const LOGS = `${url}/client/v4/accounts/${account}/ai-gateway/gateways/${gateway}/logs`;
const LOG_MS_MAX = 10_000;

/** A test of what only the gateway has: log, cache, its own refusals. */
export const gatewayTest = (name, body) => test(name, { skip: DIRECT && 'TOLLGATE_DIRECT=1: there is no gateway' }, body);

/** A model name that tells the sandbox how to behave: `sandbox-1:status=429,retry_after=1`. */
export const dial = (dials) => `${MODEL}:${Object.entries(dials).map(([name, value]) => `${name}=${value}`).join(',')}`;

/** The same behind a provider's name: `anthropic/sandbox-1:status=429`. */
export const dialled = (prefix, dials) => `${prefix}/${dials ? dial(dials) : MODEL}`;

export const unique = () => randomUUID().replaceAll('-', '');

export async function collect(iterable) {
  const all = [];
  for await (const item of iterable) all.push(item);
  return all;
}

/** The whole record of one request. It is readable as soon as the answer has ended. */
export const record = (logId) => get(`/${logId}`);

/** The record of a request whose answer never came, so that its log id is not known. */
export async function recordOfEvent(eventId) {
  for (const deadline = Date.now() + LOG_MS_MAX; Date.now() < deadline; await wait(50)) {
    const rows = await get('?per_page=50&order_by=created_at&order_by_direction=desc');
    const found = rows.find((row) => row.event_id === eventId);
    if (found) return found;
  }
  assert.fail(`no record with event id ${eventId} within ${LOG_MS_MAX} ms`);
}

async function get(path) {
  const answer = await fetch(LOGS + path, { headers: { authorization: `Bearer ${TOKEN}` } });
  const told = await answer.json();
  assert.equal(told.success, true, JSON.stringify(told));
  return told.result;
}
