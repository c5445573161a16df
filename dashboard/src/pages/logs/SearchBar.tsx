import { Columns3, Filter as FilterIcon, Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { parse, TERM_HELP, without, withTerm } from "../../lib/grammar";
import { Button } from "../../ui/basics";
import { Popover } from "../../ui/overlays";
import { COLUMN_IDS, META, SHOWN_BY_DEFAULT } from "./columns";

const PAUSE_MS = 350;

export function SearchBar({ q, onChange }: { q: string; onChange: (q: string) => void }) {
  const [text, setText] = useState(q);
  const input = useRef<HTMLInputElement>(null);
  const change = useRef(onChange);
  change.current = onChange;
  // The address may change without this box: back, a chip, a link.
  useEffect(() => setText(q), [q]);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => change.current(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, q]);
  const { terms } = parse(q);
  return (
    <div className="search">
      <form
        className="search-box"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          onChange(text.trim());
        }}
      >
        <Search size={15} aria-hidden />
        <input
          ref={input}
          data-search
          className="input"
          aria-label="Filter the log"
          placeholder="status:error model:gpt cost:>0.05 meta.team:search"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") input.current?.blur();
          }}
        />
        <FilterHelp onPick={(term) => setText(withTerm(text, term))} />
      </form>
      {terms.length > 0 ? (
        <ul className="chips" aria-label="Filters in force">
          {terms.map(({ text: term }) => (
            <li key={term}>
              <button
                type="button"
                className="chip"
                onClick={() => onChange(without(q, term))}
                aria-label={`Remove the filter ${term}`}
              >
                {term}
                <X size={12} aria-hidden />
              </button>
            </li>
          ))}
          <li>
            <button type="button" className="link-button" onClick={() => onChange("")}>
              Clear
            </button>
          </li>
        </ul>
      ) : null}
    </div>
  );
}

function FilterHelp({ onPick }: { onPick: (term: string) => void }) {
  return (
    <Popover
      label="Filters"
      align="end"
      trigger={
        <Button look="quiet" small aria-label="Filters">
          <FilterIcon size={14} aria-hidden />
          Filters
        </Button>
      }
    >
      <div className="menu-label">What can be asked</div>
      {TERM_HELP.map(({ term, help }) => (
        <button key={term} type="button" className="menu-item" onClick={() => onPick(term)}>
          <code>{term}</code>
          <span className="hint">{help}</span>
        </button>
      ))}
      <div className="menu-label">All must hold. Other words are searched in metadata.</div>
    </Popover>
  );
}

export function ColumnPicker({ shown, onChange }: { shown: string[]; onChange: (shown: string[]) => void }) {
  return (
    <Popover
      label="Columns"
      align="end"
      trigger={
        <Button icon aria-label="Columns">
          <Columns3 size={15} aria-hidden />
        </Button>
      }
    >
      <div className="menu-label">Columns</div>
      {COLUMN_IDS.map((id) => (
        <label key={id} className="menu-item">
          <input
            type="checkbox"
            checked={shown.includes(id)}
            disabled={id === "time"}
            onChange={(event) =>
              onChange(COLUMN_IDS.filter((each) => (each === id ? event.target.checked : shown.includes(each))))
            }
          />
          {META[id]?.label}
        </label>
      ))}
      <button type="button" className="menu-item" onClick={() => onChange(SHOWN_BY_DEFAULT)}>
        Usual columns
      </button>
    </Popover>
  );
}
