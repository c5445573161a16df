// A table of any length: only the rows that can be seen are drawn.

import { Link } from "@tanstack/react-router";
import { useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import type { LogRow } from "../../api/types";
import { useWidth } from "../../lib/width";
import { usePlace } from "../../place";
import { COLUMN_IDS, columns, features, META } from "./columns";

const ROW_HEIGHT = 40;
/** Below this only what matters most is shown. */
const NARROW = 620;

interface Props {
  rows: LogRow[];
  total: number;
  shown: string[];
  sort: string;
  onSort: (sort: string) => void;
  chosen: string | undefined;
  onChoose: (id: string) => void;
  onEnd: () => void;
}

export function LogTable({ rows, total, shown, sort, onSort, chosen, onChoose, onEnd }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const visible = useMemo(() => (width < NARROW ? shown.filter((id) => META[id]?.narrow) : shown), [shown, width]);
  const columnVisibility = useMemo(
    () => Object.fromEntries(COLUMN_IDS.map((id) => [id, visible.includes(id)])),
    [visible],
  );
  const table = useTable({ features, columns, data: rows, state: { columnVisibility }, getRowId: (row) => row.id });
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastShown >= rows.length - 10) onEnd();
  }, [lastShown, rows.length, onEnd]);
  const at = rows.findIndex(({ id }) => id === chosen);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [chosen]);

  const model = table.getRowModel().rows;
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const natural = visible.reduce((sum, id) => sum + (META[id]?.width ?? 100), 0);
  return (
    // what scrolls must be reachable by keyboard
    <div ref={box} className="log-table" tabIndex={0} role="region" aria-label="Log rows">
      <table style={{ minWidth: width < NARROW ? undefined : natural }} aria-rowcount={total}>
        <colgroup>
          {visible.map((id) => (
            <col key={id} style={{ width: `${(100 * (META[id]?.width ?? 100)) / natural}%` }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {visible.map((id) => (
              <Head key={id} id={id} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 ? <tr style={{ height: above }} /> : null}
          {items.map(({ index }) => {
            const row = model[index];
            if (!row) return null;
            const { id } = row.original;
            return (
              <tr key={id} aria-rowindex={index + 1} aria-selected={id === chosen} onClick={() => onChoose(id)}>
                {row.getVisibleCells().map((cell, place) => (
                  <td key={cell.id} className={META[cell.column.id]?.right ? "right num" : "num"}>
                    {place === 0 ? (
                      <RowLink id={id}>
                        <table.FlexRender cell={cell} />
                      </RowLink>
                    ) : (
                      <table.FlexRender cell={cell} />
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
          {below > 0 ? <tr style={{ height: below }} /> : null}
        </tbody>
      </table>
    </div>
  );
}

function RowLink({ id, children }: { id: string; children: React.ReactNode }) {
  const { gateway } = usePlace();
  return (
    <Link
      to="/g/$gateway/logs"
      params={{ gateway }}
      search={(now) => ({ ...now, log: id })}
      className="row-link"
      onClick={(event) => event.stopPropagation()}
      preload={false}
    >
      {children}
    </Link>
  );
}

function Head({ id, sort, onSort }: { id: string; sort: string; onSort: (sort: string) => void }) {
  const meta = META[id];
  const [by, direction] = sort.split(".");
  const mine = meta?.sort !== undefined && meta.sort === by;
  const order = mine ? (direction === "asc" ? "ascending" : "descending") : undefined;
  return (
    <th scope="col" className={meta?.right ? "right" : undefined} aria-sort={order}>
      {meta?.sort ? (
        <button type="button" onClick={() => onSort(`${meta.sort}.${mine && direction === "desc" ? "asc" : "desc"}`)}>
          {meta.label}
          {mine ? direction === "asc" ? <ArrowUp size={12} aria-hidden /> : <ArrowDown size={12} aria-hidden /> : null}
        </button>
      ) : (
        meta?.label
      )}
    </th>
  );
}
