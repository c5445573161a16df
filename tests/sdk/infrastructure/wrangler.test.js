// wrangler as its maker ships it, pointed here by its own environment variables: every verb of its secrets store.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { API, environment } from './gateway.js';

const SECRET = 'fake-value-of-nobody';
const unique = (prefix) => `${prefix}-${randomUUID().slice(0, 8)}`;
const ID = /[0-9a-f]{32}/;

async function wrangler(...words) {
  const command = ['node_modules/wrangler/bin/wrangler.js', 'secrets-store', ...words, '--remote'];
  const { stdout } = await promisify(execFile)('node', command, { env: environment() });
  assert.ok(!stdout.includes(SECRET), 'a value is never shown');
  return stdout;
}

/** The row of a table in which something stands. */
const row = (table, name) => table.split('\n').find((line) => line.includes(name)) ?? assert.fail(`no ${name} in\n${table}`);
const idIn = (text) => ID.exec(text)?.[0] ?? assert.fail(`no id in\n${text}`);

test('whoami knows the account', async () => {
  const { stdout } = await promisify(execFile)('node', ['node_modules/wrangler/bin/wrangler.js', 'whoami'], { env: environment() });
  assert.match(stdout, /logged in with an? .*Token/i);
});

test('stores and secrets: list, create, get, update, duplicate, delete', async () => {
  const [store, name, copy] = [unique('store'), unique('secret'), unique('copy')];
  await wrangler('store', 'create', store);
  const storeId = idIn(row(await wrangler('store', 'list', '--per-page', '100'), store));
  try {
    await wrangler('secret', 'create', storeId, '--name', name, '--value', SECRET, '--scopes', 'workers', '--comment', 'one');
    const secretId = idIn(row(await wrangler('secret', 'list', storeId), name));
    assert.match(await wrangler('secret', 'get', storeId, '--secret-id', secretId), /active/);
    await wrangler('secret', 'update', storeId, '--secret-id', secretId, '--value', `${SECRET}-2`, '--comment', 'two');
    assert.match(row(await wrangler('secret', 'list', storeId), name), /two/);
    await wrangler('secret', 'duplicate', storeId, '--secret-id', secretId, '--name', copy, '--scopes', 'workers');
    const copyId = idIn(row(await wrangler('secret', 'list', storeId), copy));
    assert.notEqual(copyId, secretId);
    for (const id of [copyId, secretId]) await wrangler('secret', 'delete', storeId, '--secret-id', id);
    await assert.rejects(wrangler('secret', 'get', storeId, '--secret-id', secretId), /secret_not_found|not found/i);
  } finally {
    await wrangler('store', 'delete', storeId);
  }
  const left = await (await fetch(`${API}/secrets_store/stores?per_page=100`, { headers: { authorization: `Bearer ${environment().CLOUDFLARE_API_TOKEN}` } })).json();
  assert.ok(!left.result.some((each) => each.name === store));
});
