// Server-sent events, whole or as they arrive.

export interface Frame {
  event?: string;
  data: string;
}

function readFrame(block: string): Frame | null {
  const data: string[] = [];
  let event: string | undefined;
  for (const line of block.split(/\r?\n|\r/)) {
    if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    else if (line.startsWith("event:")) event = line.slice(6).trim();
  }
  if (data.length === 0) return null;
  return event === undefined ? { data: data.join("\n") } : { event, data: data.join("\n") };
}

const END = /\r?\n\r?\n|\r\r/;

export function readFrames(text: string): Frame[] {
  return text
    .split(END)
    .map(readFrame)
    .filter((frame) => frame !== null);
}

export const looksLikeFrames = (text: string): boolean => /^(?:data|event|id|:)/.test(text.trimStart());

/** Frames of a response while it streams. */
export async function* streamFrames(response: Response): AsyncGenerator<Frame> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let rest = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    rest += value;
    const blocks = rest.split(END);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const frame = readFrame(block);
      if (frame) yield frame;
    }
  }
  const last = readFrame(rest);
  if (last) yield last;
}

/** JSON of each frame that is JSON. */
export function jsonFrames(text: string): unknown[] {
  const lines = looksLikeFrames(text) ? readFrames(text).map(({ data }) => data) : text.split("\n");
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
