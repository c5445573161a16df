import { useEffect, useState } from "react";
import type { RouteElement } from "../../api/types";
import { CopyButton } from "../../ui/basics";
import { AreaField } from "../../ui/forms";

const written = (elements: RouteElement[]): string => JSON.stringify(elements, null, 2);

/** The same elements as text: a change on either side is a change on the other. */
export function JsonPane({
  elements,
  onChange,
}: {
  elements: RouteElement[];
  onChange: (elements: RouteElement[]) => void;
}) {
  const [text, setText] = useState(() => written(elements));
  const [wrong, setWrong] = useState<string>();
  useEffect(() => {
    setText((now) => {
      try {
        if (JSON.stringify(JSON.parse(now)) === JSON.stringify(elements)) return now;
      } catch {
        // What is half typed gives way to what was drawn.
      }
      return written(elements);
    });
  }, [elements]);
  function read(said: string) {
    setText(said);
    try {
      const value = JSON.parse(said);
      const list = Array.isArray(value) ? value : (value.elements ?? value.data);
      if (!Array.isArray(list) || list.some((each) => typeof each?.id !== "string" || typeof each?.type !== "string")) {
        return setWrong("A list of elements, each with an id and a type");
      }
      setWrong(undefined);
      onChange(list);
    } catch (cause) {
      setWrong(`Not JSON yet: ${cause instanceof Error ? cause.message : cause}`);
    }
  }
  return (
    <div className="stack stack-s">
      <AreaField
        label="Elements"
        hint="Paste an export here to import it."
        className="mono json-area"
        rows={24}
        fault={wrong}
        value={text}
        onChange={(event) => read(event.target.value)}
      />
      <div>
        <CopyButton text={text} label="Copy the elements" />
      </div>
    </div>
  );
}
