// JSON as text with colours. Everything is a text node: nothing of a log is ever parsed as HTML.

import { useMemo } from "react";
import { CopyButton } from "./basics";

/** More would make the page slow; the copy button has all of it. */
const SHOWN_MAX = 60_000;
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function* pieces(text: string) {
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) yield { text: text.slice(at, match.index), kind: "" };
    const [whole, string, colon, number] = match;
    if (string !== undefined) {
      yield { text: string, kind: colon === undefined ? "json-text" : "json-key" };
      if (colon) yield { text: colon, kind: "" };
    } else yield { text: whole, kind: number === undefined ? "json-word" : "json-number" };
    at = match.index + whole.length;
  }
  yield { text: text.slice(at), kind: "" };
}

export function Json({ text, label }: { text: string; label: string }) {
  const shown = useMemo(() => pretty(text), [text]);
  const isJson = shown !== text || /^[\s]*[[{"]/.test(text);
  const cut = shown.slice(0, SHOWN_MAX);
  return (
    <div className="code">
      {/* what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} role="region" aria-label={label}>
        {isJson
          ? Array.from(pieces(cut), (piece, index) =>
              piece.kind ? (
                <span key={index} className={piece.kind}>
                  {piece.text}
                </span>
              ) : (
                piece.text
              ),
            )
          : cut}
        {shown.length > SHOWN_MAX ? `\n… ${shown.length - SHOWN_MAX} more characters; copy to see all` : ""}
      </pre>
      <div className="code-copy">
        <CopyButton text={shown} label={`Copy ${label}`} />
      </div>
    </div>
  );
}
