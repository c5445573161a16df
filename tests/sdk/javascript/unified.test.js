// One API for every model: unmodified OpenAI and Anthropic clients against providers of other dialects (see tests/sdk/run for who plays them).

import assert from 'node:assert/strict';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { API, GATEWAY, ROOT, TARGETS, TOKEN, collect, dialled, gatewayTest, record } from './gateway.js';

const QUESTION = 'How is the weather in Lisbon?';
const messages = [{ role: 'user', content: QUESTION }];
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather of a city.', parameters } }];
const city = {
  type: 'object',
  properties: { name: { type: 'string' }, inhabitants: { type: 'integer' } },
  required: ['name', 'inhabitants'],
  additionalProperties: false,
};
const defaultHeaders = { 'cf-aig-gateway-id': GATEWAY };

for (const [surface, baseURL] of Object.entries({ compat: `${ROOT}/compat`, rest: `${API}/ai/v1` })) {
  const client = new OpenAI({ baseURL, apiKey: TOKEN, maxRetries: 0, defaultHeaders });
  for (const [target, author] of Object.entries(TARGETS)) {
    const prefix = surface === 'rest' ? author : target;
    const ask = { model: dialled(prefix), messages };
    const chat = (more) => client.chat.completions.create({ ...ask, ...more });
    const on = (name, body) => gatewayTest(`${name}: ${surface}, ${target}`, body);

    on('chat', async () => {
      const answer = await chat();
      assert.equal(answer.choices[0].finish_reason, 'stop');
      assert.ok(answer.choices[0].message.content);
      assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    });

    on('a streamed chat says the same', async () => {
      const whole = await chat();
      const chunks = await collect(await chat({ stream: true, stream_options: { include_usage: true } }));
      const texts = chunks.map((chunk) => chunk.choices[0]?.delta.content).filter(Boolean);
      assert.ok(texts.length > 1);
      assert.equal(texts.join(''), whole.choices[0].message.content);
      assert.deepEqual(chunks.map((chunk) => chunk.usage?.total_tokens).filter(Boolean), [whole.usage.total_tokens]);
    });

    on('tools, there and back, streamed', async () => {
      const forced = { ...ask, tools, tool_choice: 'required' };
      const asked = await client.chat.completions.stream(forced).finalChatCompletion();
      assert.equal(asked.choices[0].finish_reason, 'tool_calls');
      const [call] = asked.choices[0].message.tool_calls;
      assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
      const result = { role: 'tool', tool_call_id: call.id, content: '{"sky":"clear"}' };
      const answer = await chat({ messages: [...messages, asked.choices[0].message, result], tools });
      assert.ok(answer.choices[0].message.content);
    });

    on('structured output', async () => {
      const response_format = { type: 'json_schema', json_schema: { name: 'city', schema: city, strict: true } };
      const answer = await client.chat.completions.parse({ ...ask, response_format });
      assert.ok(Number.isInteger(answer.choices[0].message.parsed.inhabitants));
    });

    on('an error keeps its status', async () => {
      const failing = client.chat.completions.create({ ...ask, model: dialled(prefix, { status: 429 }) });
      await assert.rejects(failing, (error) => error instanceof OpenAI.RateLimitError && Boolean(error.message));
    });

    on('a response, whole and streamed', async () => {
      const asked = { model: dialled(prefix), input: QUESTION };
      const whole = await client.responses.create(asked);
      assert.equal(whole.status, 'completed');
      assert.ok(whole.output_text);
      const streamed = await client.responses.stream(asked).finalResponse();
      assert.equal(streamed.output_text, whole.output_text);
      assert.equal(streamed.usage.total_tokens, whole.usage.total_tokens);
    });
  }
}

for (const [target, author] of Object.entries(TARGETS)) {
  const client = new Anthropic({ baseURL: `${API}/ai/v1`, authToken: TOKEN, maxRetries: 0, defaultHeaders });
  const ask = { model: dialled(author), max_tokens: 200, messages };
  const on = (name, body) => gatewayTest(`${name}: messages, ${target}`, body);
  const weather = { name: 'weather', description: 'The weather of a city.', input_schema: parameters };

  on('a message, whole and streamed', async () => {
    const whole = await client.messages.create(ask);
    assert.equal(whole.stop_reason, 'end_turn');
    const streamed = await client.messages.stream(ask).finalMessage();
    assert.deepEqual(streamed.content.map((block) => block.text), whole.content.map((block) => block.text));
    assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
  });

  on('tools, there and back', async () => {
    const asked = await client.messages.stream({ ...ask, tools: [weather], tool_choice: { type: 'any' } }).finalMessage();
    assert.equal(asked.stop_reason, 'tool_use');
    const call = asked.content.find((block) => block.type === 'tool_use');
    assert.equal(typeof call.input.city, 'string');
    const result = { type: 'tool_result', tool_use_id: call.id, content: 'clear' };
    const history = [...messages, { role: 'assistant', content: asked.content }, { role: 'user', content: [result] }];
    assert.ok((await client.messages.create({ ...ask, messages: history, tools: [weather] })).content[0].text);
  });

  on('tokens are counted before they are spent', async () => {
    assert.ok((await client.messages.countTokens({ model: dialled(author), messages })).input_tokens > 0);
  });
}

gatewayTest('embeddings of two providers', async () => {
  const client = new OpenAI({ baseURL: `${ROOT}/compat`, apiKey: TOKEN, maxRetries: 0 });
  for (const target of ['openai', 'google-ai-studio']) {
    // The client asks for base64 and decodes it.
    const { data } = await client.embeddings.create({ model: dialled(target), input: ['one', 'two'] });
    assert.equal(data.length, 2);
    assert.ok(data[0].embedding.length > 0);
    assert.notDeepEqual(data[0].embedding, data[1].embedding);
  }
});

gatewayTest('the log has the real provider', async () => {
  const client = new OpenAI({ baseURL: `${ROOT}/compat`, apiKey: TOKEN, maxRetries: 0 });
  const { response } = await client.chat.completions.create({ model: dialled('anthropic'), messages }).withResponse();
  const row = await record(response.headers.get('cf-aig-log-id'));
  assert.equal(row.provider, 'anthropic');
});
