// A request and its answer as people read them, whatever dialect they are in.
// Enters: two texts of the log. Leaves: turns. Never: an error: what is not understood is left to the raw view.

import { jsonFrames, looksLikeFrames } from "./sse";

export type Part =
  | { kind: "text" | "thinking"; text: string }
  | { kind: "call"; name: string; text: string }
  | { kind: "result"; text: string }
  | { kind: "image"; text: string };

export interface Turn {
  role: string;
  parts: Part[];
}

// bodies of strangers; every access below is optional
type Loose = any;

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value, null, 2);
const list = (value: unknown): Loose[] => (Array.isArray(value) ? value : []);

export function readJson(body: string): Loose {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** What was asked. */
export function requestTurns(body: string): Turn[] {
  const said = readJson(body);
  if (!said || typeof said !== "object") return [];
  const turns: Turn[] = [];
  const system = said.system ?? said.instructions ?? said.systemInstruction ?? said.system_instruction;
  if (system) turns.push({ role: "system", parts: parts(system.parts ?? system) });
  if (typeof said.prompt === "string") turns.push({ role: "user", parts: parts(said.prompt) });
  if (typeof said.input === "string") turns.push({ role: "user", parts: parts(said.input) });
  for (const message of [
    ...list(said.messages),
    ...list(said.contents),
    ...(Array.isArray(said.input) ? said.input : []),
  ])
    turns.push(turn(message));
  return turns.filter(({ parts }) => parts.length > 0);
}

function turn(message: Loose): Turn {
  if (typeof message === "string") return { role: "user", parts: parts(message) };
  if (message?.type === "function_call") return { role: "assistant", parts: [call(message.name, message.arguments)] };
  if (message?.type === "function_call_output")
    return { role: "tool", parts: [{ kind: "result", text: text(message.output) }] };
  const role = text(message?.role ?? "user");
  const found = parts(message?.content ?? message?.parts);
  for (const { function: called } of list(message?.tool_calls)) found.push(call(called?.name, called?.arguments));
  const thinking = message?.reasoning_content ?? message?.reasoning;
  if (typeof thinking === "string" && thinking) found.unshift({ kind: "thinking", text: thinking });
  if (role === "tool") return { role, parts: found.map((part) => ({ kind: "result", text: part.text })) };
  return { role: role === "model" ? "assistant" : role, parts: found };
}

const call = (name: unknown, said: unknown): Part => ({
  kind: "call",
  name: text(name),
  text: typeof said === "string" ? pretty(said) : text(said),
});

function pretty(said: string): string {
  const value = readJson(said);
  return value === null ? said : JSON.stringify(value, null, 2);
}

function parts(content: unknown): Part[] {
  if (content == null || content === "") return [];
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return (Array.isArray(content) ? content : [content]).flatMap(part);
}

function part(said: Loose): Part[] {
  if (typeof said === "string") return [{ kind: "text", text: said }];
  if (said?.type === "tool_use") return [call(said.name, said.input)];
  if (said?.type === "tool_result")
    return [
      {
        kind: "result",
        text: parts(said.content)
          .map((each) => each.text)
          .join("\n"),
      },
    ];
  if (said?.functionCall) return [call(said.functionCall.name, said.functionCall.args)];
  if (said?.functionResponse) return [{ kind: "result", text: text(said.functionResponse.response) }];
  if (typeof said?.thinking === "string") return [{ kind: "thinking", text: said.thinking }];
  if (typeof said?.text === "string")
    return said.text ? [{ kind: said.thought ? "thinking" : "text", text: said.text }] : [];
  if (typeof said?.refusal === "string") return [{ kind: "text", text: said.refusal }];
  if (/image/.test(text(said?.type)) || said?.inlineData) return [{ kind: "image", text: source(said) }];
  return [{ kind: "text", text: text(said) }];
}

function source(said: Loose): string {
  const url = said?.image_url?.url ?? said?.image_url ?? said?.source?.url;
  if (typeof url === "string") return url;
  const { media_type, mimeType, data } = said?.source ?? said?.inlineData ?? {};
  return data ? `data:${media_type ?? mimeType};base64,${data}` : "";
}

/** What was answered: whole, or put together from the frames of a stream. */
export function answerTurns(body: string): Turn[] {
  const whole = readJson(body);
  if (whole && typeof whole === "object" && !Array.isArray(whole)) return wholeAnswer(whole);
  if (Array.isArray(whole)) return streamed(whole);
  return looksLikeFrames(body) || body.startsWith("{") ? streamed(jsonFrames(body)) : [];
}

function wholeAnswer(said: Loose): Turn[] {
  if (said.error)
    return [
      {
        role: "error",
        parts: [{ kind: "text", text: text(said.error?.message ?? said.error?.[0]?.message ?? said.error) }],
      },
    ];
  if (said.choices)
    return list(said.choices).map(({ message, text: plain }) =>
      message ? turn(message) : { role: "assistant", parts: parts(plain) },
    );
  if (said.candidates)
    return list(said.candidates).map(({ content }) => turn({ role: "assistant", parts: content?.parts }));
  if (Array.isArray(said.output))
    return said.output.map((item: Loose) => outputItem(item)).filter(({ parts }: Turn) => parts.length > 0);
  if (said.message) return [turn({ role: "assistant", ...said.message })];
  if (said.content) return [turn({ role: "assistant", content: said.content })];
  return [];
}

function outputItem(item: Loose): Turn {
  if (item?.type === "reasoning")
    return {
      role: "assistant",
      parts: list(item.summary).map(({ text: said }) => ({ kind: "thinking", text: text(said) })),
    };
  return turn(item?.type === "message" ? { role: "assistant", content: item.content } : item);
}

/** Calls grow piece by piece, each under its number. */
class Growing {
  private readonly found: (Part & { key: string })[] = [];

  add(key: string, fresh: Part): void {
    const known = this.found.find((part) => part.key === key && part.kind === fresh.kind);
    if (!known) this.found.push({ ...fresh, key });
    else {
      known.text += fresh.text;
      if (known.kind === "call" && fresh.kind === "call") known.name += fresh.name;
    }
  }

  turns(): Turn[] {
    const parts = this.found
      .filter((part) => part.text || part.kind === "call")
      .map(({ key: _, ...part }) => (part.kind === "call" ? { ...part, text: pretty(part.text) } : part));
    return parts.length > 0 ? [{ role: "assistant", parts }] : [];
  }
}

function streamed(frames: Loose[]): Turn[] {
  const growing = new Growing();
  const errors: Turn[] = [];
  for (const frame of frames) {
    if (frame?.error) errors.push(...wholeAnswer(frame));
    else for (const { key, part } of deltas(frame)) growing.add(key, part);
  }
  return [...growing.turns(), ...errors];
}

export interface Delta {
  key: string;
  part: Part;
}

/** What one frame adds, in the dialects that stream. */
export function deltas(frame: Loose): Delta[] {
  if (frame?.choices) return list(frame.choices).flatMap((choice) => chatDelta(choice));
  if (frame?.candidates)
    return list(frame.candidates).flatMap(({ content }) =>
      parts(content?.parts).map((part) => ({ key: part.kind, part })),
    );
  if (typeof frame?.type === "string") return eventDelta(frame);
  if (frame?.message?.content) return parts(frame.message.content).map((part) => ({ key: "text", part }));
  return [];
}

function chatDelta({ index = 0, delta, text: plain }: Loose): Delta[] {
  const found: Delta[] = [];
  const said = delta?.content ?? plain;
  const thinking = delta?.reasoning_content ?? delta?.reasoning;
  if (typeof thinking === "string" && thinking)
    found.push({ key: `thinking ${index}`, part: { kind: "thinking", text: thinking } });
  if (typeof said === "string" && said) found.push({ key: `text ${index}`, part: { kind: "text", text: said } });
  for (const { index: number = 0, function: called } of list(delta?.tool_calls)) {
    found.push({
      key: `call ${index} ${number}`,
      part: { kind: "call", name: text(called?.name ?? ""), text: text(called?.arguments ?? "") },
    });
  }
  return found;
}

function eventDelta(frame: Loose): Delta[] {
  const at = `${frame.output_index ?? frame.index ?? 0}`;
  const grow = (kind: "text" | "thinking", said: unknown): Delta[] => [
    { key: `${kind} ${at}`, part: { kind, text: text(said) } },
  ];
  switch (frame.type) {
    case "content_block_delta":
      if (frame.delta?.type === "text_delta") return grow("text", frame.delta.text);
      if (frame.delta?.type === "thinking_delta") return grow("thinking", frame.delta.thinking);
      if (frame.delta?.type === "input_json_delta")
        return [{ key: `call ${at}`, part: { kind: "call", name: "", text: text(frame.delta.partial_json) } }];
      return [];
    case "content_block_start":
      return frame.content_block?.type === "tool_use"
        ? [{ key: `call ${at}`, part: { kind: "call", name: text(frame.content_block.name), text: "" } }]
        : [];
    case "response.output_text.delta":
      return grow("text", frame.delta);
    case "response.reasoning_summary_text.delta":
      return grow("thinking", frame.delta);
    case "response.output_item.added":
      return frame.item?.type === "function_call"
        ? [{ key: `call ${at}`, part: { kind: "call", name: text(frame.item.name), text: "" } }]
        : [];
    case "response.function_call_arguments.delta":
      return [{ key: `call ${at}`, part: { kind: "call", name: "", text: text(frame.delta) } }];
    case "content-delta":
      return grow("text", frame.delta?.message?.content?.text);
    default:
      return [];
  }
}
