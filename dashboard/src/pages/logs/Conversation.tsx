import type { UseQueryResult } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { LogDetail } from "../../api/types";
import { answerTurns, type Part, requestTurns, type Turn } from "../../lib/conversation";
import { Button, Skeleton } from "../../ui/basics";

interface Props {
  log: LogDetail;
  request: UseQueryResult<string>;
  response: UseQueryResult<string>;
}

export function Conversation({ log, request, response }: Props) {
  const asked = useMemo(() => requestTurns(request.data ?? ""), [request.data]);
  const answered = useMemo(() => answerTurns(response.data ?? ""), [response.data]);
  if (request.isLoading || response.isLoading) return <Skeleton height={120} />;
  if (log.request_body !== "kept" && log.response_body !== "kept") {
    return <p className="hint">Neither body was kept, so there is nothing to read here.</p>;
  }
  if (request.error && response.error) {
    return <p className="hint">The bodies cannot be read with this token: it needs the permission “read”.</p>;
  }
  if (asked.length + answered.length === 0) {
    return (
      <p className="hint">
        This is not a conversation, or in a form that is not known here. The raw view has all of it.
      </p>
    );
  }
  return (
    <ol className="turns">
      {[...asked, ...answered].map((turn, index) => (
        <TurnView key={index} turn={turn} />
      ))}
    </ol>
  );
}

export function TurnView({ turn }: { turn: Turn }) {
  return (
    <li className="turn" data-role={turn.role}>
      <div className="turn-role">{turn.role}</div>
      <div className="turn-parts">
        {turn.parts.map((part, index) => (
          <PartView key={index} part={part} />
        ))}
      </div>
    </li>
  );
}

const LONG = 4_000;

function PartView({ part }: { part: Part }) {
  if (part.kind === "image") return <Picture source={part.text} />;
  if (part.kind === "call") {
    return (
      <div className="turn-call">
        <span className="label mono">{part.name}()</span>
        <pre>{part.text}</pre>
      </div>
    );
  }
  if (part.kind === "result") return <pre className="turn-call">{part.text}</pre>;
  return <Words text={part.text} thinking={part.kind === "thinking"} />;
}

function Words({ text, thinking }: { text: string; thinking: boolean }) {
  const [all, setAll] = useState(text.length <= LONG);
  return (
    <div className={thinking ? "turn-text turn-thinking" : "turn-text"}>
      {all ? text : `${text.slice(0, LONG)}…`}
      {all ? null : (
        <Button small onClick={() => setAll(true)}>
          Show all {text.length.toLocaleString("en-US")} characters
        </Button>
      )}
    </div>
  );
}

/** Drawn only when asked for, and only when it is in the request itself: no picture is fetched from elsewhere. */
function Picture({ source }: { source: string }) {
  const [shown, setShown] = useState(false);
  if (!/^data:image\/(png|jpeg|gif|webp);base64,/.test(source)) {
    return <div className="turn-text hint">Image{source ? `: ${source.slice(0, 120)}` : ""}</div>;
  }
  return shown ? (
    <img className="turn-image" src={source} alt="Sent by the caller" />
  ) : (
    <Button small onClick={() => setShown(true)}>
      Show the image
    </Button>
  );
}
