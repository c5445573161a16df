import { useMemo } from "react";
import { looksLikeFrames, readFrames } from "../../lib/sse";

const SHOWN_MAX = 400;

/** The stream as it was sent: one line per event. */
export function Frames({ text }: { text: string | undefined }) {
  const frames = useMemo(() => (text && looksLikeFrames(text) ? readFrames(text) : []), [text]);
  if (text === undefined) return <p className="hint">The stream was not kept, or cannot be read with this token.</p>;
  if (frames.length === 0) return <p className="hint">The answer is not made of events. The raw view has it.</p>;
  return (
    <div className="stack stack-s">
      <p className="hint num">
        {frames.length} events{frames.length > SHOWN_MAX ? `, the first ${SHOWN_MAX} are shown` : ""}
      </p>
      {/* what scrolls must be reachable by keyboard */}
      <ol className="frames" tabIndex={0} aria-label="Events of the stream">
        {frames.slice(0, SHOWN_MAX).map(({ event, data }, index) => (
          <li key={index}>
            <span className="num muted">{index + 1}</span>
            {event ? <span className="badge">{event}</span> : null}
            <code>{data}</code>
          </li>
        ))}
      </ol>
    </div>
  );
}
