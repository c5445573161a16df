// The Vercel AI SDK with its OpenAI and Anthropic providers, and Cloudflare's own provider for it, which speaks the universal endpoint.

import assert from 'node:assert/strict';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import { AiGatewayDoesNotExist, AiGatewayUnauthorizedError, createAiGateway } from 'ai-gateway-provider';
import { createAnthropic as gatewayAnthropic } from 'ai-gateway-provider/providers/anthropic';
import { createOpenAI as gatewayOpenAI } from 'ai-gateway-provider/providers/openai';
import { createUnified } from 'ai-gateway-provider/providers/unified';

import { ACCOUNT, API, GATEWAY, MODEL, ROOT, TARGETS, TOKEN, URL_OF_GATEWAY, dial, dialled, gatewayTest, unique } from './gateway.js';

const prompt = 'How is the weather in Lisbon?';
const weather = tool({
  description: 'The weather of a city.',
  inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }),
});
const quick = { prompt, maxRetries: 0 };
const headers = { 'cf-aig-gateway-id': GATEWAY };

const openai = createOpenAI({ baseURL: `${ROOT}/compat`, apiKey: TOKEN });
const anthropic = createAnthropic({ baseURL: `${API}/ai/v1`, apiKey: TOKEN, headers: { ...headers, authorization: `Bearer ${TOKEN}` } });

for (const [target, author] of Object.entries(TARGETS)) {
  const models = {
    'chat completions': openai.chat(dialled(target)),
    responses: openai.responses(dialled(target)),
    messages: anthropic(dialled(author)),
  };
  for (const [api, model] of Object.entries(models)) {
    gatewayTest(`Vercel AI SDK, ${api}, ${target}: text, stream, tools`, async () => {
      const whole = await generateText({ model, ...quick });
      assert.ok(whole.text);
      assert.ok(whole.usage.inputTokens > 0 && whole.usage.outputTokens > 0);
      const streamed = streamText({ model, ...quick });
      assert.equal(await streamed.text, whole.text);
      assert.equal(await streamed.finishReason, 'stop');
      const called = await generateText({ model, ...quick, tools: { weather }, toolChoice: 'required' });
      assert.equal(typeof called.toolCalls[0].input.city, 'string');
    });
  }
}

// That package knows only one host: requests to it are led here, as a change of base URL would.
const real = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = String(input instanceof Request ? input.url : input);
  return real(url.replace('https://gateway.ai.cloudflare.com', URL_OF_GATEWAY), init);
};

const gateway = (more) => createAiGateway({ accountId: ACCOUNT, gateway: GATEWAY, apiKey: TOKEN, ...more });

gatewayTest('ai-gateway-provider: one model, whole and streamed', async () => {
  const model = () => gateway()(gatewayOpenAI({ apiKey: 'sk-fake' }).chat(MODEL));
  const whole = await generateText({ model: model(), ...quick });
  assert.ok(whole.text);
  assert.equal(await streamText({ model: model(), ...quick }).text, whole.text);
});

gatewayTest('ai-gateway-provider: the second model answers when the first fails', async () => {
  const failing = gatewayOpenAI({ apiKey: 'sk-fake' }).chat(dial({ status: 500, key: unique() }));
  const second = gatewayAnthropic({ apiKey: 'sk-ant-fake' })(MODEL);
  const answered = await generateText({ model: gateway()([failing, second]), ...quick });
  assert.ok(answered.text);
  assert.equal(answered.response.headers['cf-aig-step'], '1');
  assert.equal(await streamText({ model: gateway()([failing, second]), ...quick }).text, answered.text);
});

gatewayTest('ai-gateway-provider: a bad model falls through as well', async () => {
  const bad = gatewayOpenAI({ apiKey: 'sk-fake' }).chat(dial({ status: 404, key: unique() }));
  const answered = await generateText({ model: gateway()([bad, gatewayOpenAI({ apiKey: 'sk-fake' }).chat(MODEL)]), ...quick });
  assert.equal(answered.response.headers['cf-aig-step'], '1');
});

gatewayTest('ai-gateway-provider: unified models, by way of compat', async () => {
  for (const target of Object.keys(TARGETS)) {
    const answered = await generateText({ model: gateway()(createUnified()(dialled(target))), ...quick });
    assert.ok(answered.text);
  }
});

gatewayTest('ai-gateway-provider: options become headers, a repeated question is a cache hit', async () => {
  const options = { cacheKey: unique(), cacheTtl: 60, metadata: { team: 'sdk' } };
  const model = () => gateway({ options })(gatewayOpenAI({ apiKey: 'sk-fake' }).chat(MODEL));
  const statuses = [];
  for (let time = 0; time < 2; time++) {
    const { response } = await generateText({ model: model(), ...quick });
    statuses.push(response.headers['cf-aig-cache-status']);
  }
  assert.deepEqual(statuses, ['MISS', 'HIT']);
});

gatewayTest('ai-gateway-provider: its own errors', async () => {
  const ask = (more) => generateText({ model: gateway(more)(gatewayOpenAI({ apiKey: 'sk-fake' }).chat(MODEL)), ...quick });
  await assert.rejects(ask({ gateway: 'nobody-made-this' }), AiGatewayDoesNotExist);
  await assert.rejects(ask({ gateway: 'locked', apiKey: 'wrong' }), AiGatewayUnauthorizedError);
});
