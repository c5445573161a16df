import { X } from "lucide-react";
import { RANGES, type SpanAsked } from "../lib/span";
import { Button } from "./basics";
import { Segmented } from "./forms";

const short = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});

/** Ranges that end now; after a zoom, the stretch that was dragged over. */
export function SpanPicker({
  value,
  onChange,
  all,
}: {
  value: SpanAsked;
  onChange: (next: SpanAsked) => void;
  all?: boolean;
}) {
  const { range, from, to } = value;
  if (from !== undefined && to !== undefined) {
    return (
      <Button onClick={() => onChange({ range, from: undefined, to: undefined })} aria-label="Leave the zoom">
        <span className="num">
          {short.format(from)} – {short.format(to)}
        </span>
        <X size={14} aria-hidden />
      </Button>
    );
  }
  const options = RANGES.map(([name, label]) => [name as string, label as string] as const);
  return (
    <Segmented
      label="Time range"
      value={range}
      options={all ? [...options, ["all", "All"]] : options}
      onChange={(next) => onChange({ range: next, from: undefined, to: undefined })}
    />
  );
}
