// alchemy's AiGateway resource, unmodified: create, adopt, update, delete, as a program that describes its infrastructure does.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { API, HEADERS, environment } from './gateway.js';

Object.assign(process.env, environment());
const { default: alchemy } = await import('alchemy');
const { AiGateway } = await import('alchemy/cloudflare');

const stored = async (id) => {
  const answer = await fetch(`${API}/ai-gateway/gateways/${id}`, { headers: HEADERS });
  return answer.status === 200 ? (await answer.json()).result : answer.status;
};

test('a gateway that a program describes', async () => {
  const gatewayName = `al-${randomUUID().slice(0, 8)}`;
  const rootDir = await mkdtemp(join(tmpdir(), 'alchemy-'));
  await alchemy('tollgate', { stage: 'test', rootDir, quiet: true, noTrack: true, phase: 'up' });
  try {
    const made = await AiGateway('gateway', { gatewayName, cacheTtl: 60 });
    assert.equal(made.id, gatewayName);
    assert.equal((await stored(gatewayName)).cache_ttl, 60);
    const changed = await AiGateway('gateway', { gatewayName, cacheTtl: 300, collectLogs: false });
    assert.equal(changed.internalId, made.internalId);
    const now = await stored(gatewayName);
    assert.deepEqual([now.cache_ttl, now.collect_logs], [300, false]);
    await alchemy.destroy(changed);
    assert.equal(await stored(gatewayName), 404);
  } finally {
    await rm(rootDir, { recursive: true, force: true });
  }
});
