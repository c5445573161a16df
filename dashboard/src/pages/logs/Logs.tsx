import { useNavigate } from "@tanstack/react-router";
import { Pause, Play, ScrollText } from "lucide-react";
import { useCallback, useEffect, useMemo } from "react";
import { count } from "../../lib/format";
import type { SpanAsked } from "../../lib/span";
import { usePlace } from "../../place";
import { type LogsSearch, logsRoute } from "../../router";
import { isTyping } from "../../shell/keys";
import { Button, Empty, Problem, Skeleton } from "../../ui/basics";
import { FirstRequest } from "../../ui/FirstRequest";
import { SpanPicker } from "../../ui/SpanPicker";
import { SHOWN_BY_DEFAULT } from "./columns";
import { Drawer } from "./Drawer";
import { LogMenu } from "./Export";
import { LogTable } from "./LogTable";
import { ColumnPicker, SearchBar } from "./SearchBar";
import { useLogs } from "./useLogs";

export function Logs() {
  const place = usePlace();
  const search = logsRoute.useSearch();
  const navigate = useNavigate();
  const change = useCallback(
    (next: Partial<LogsSearch>, replace = false) =>
      navigate({
        to: "/g/$gateway/logs",
        params: { gateway: place.gateway },
        search: (now) => ({ ...now, ...next }) as LogsSearch,
        replace,
      }),
    [navigate, place.gateway],
  );
  const { q, sort, live, log, range, from, to, columns } = search;
  const logs = useLogs({ q, sort, range, from, to }, live);
  const { rows, total, exact, pages, canFollow, asked } = logs;
  const shown = useMemo(() => (columns ? columns.split(",") : SHOWN_BY_DEFAULT), [columns]);
  const at = rows.findIndex(({ id }) => id === log);
  const walk = useCallback(
    (step: number) => {
      const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))];
      if (next) change({ log: next.id }, true);
    },
    [rows, at, change],
  );
  useWalkKeys(walk, () => change({ log: undefined }));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const choose = useCallback((id: string) => change({ log: id }, true), [change]);

  return (
    <div className="page page-fill">
      <h1 className="visually-hidden">Logs</h1>
      <div className="log-bar">
        <SearchBar q={q} onChange={(next) => change({ q: next })} />
        <div className="row">
          <SpanPicker all value={{ range, from, to }} onChange={(next: SpanAsked) => change(next)} />
          <Button aria-pressed={live && canFollow} disabled={!canFollow} onClick={() => change({ live: !live }, true)}>
            {live && canFollow ? <Pause size={14} aria-hidden /> : <Play size={14} aria-hidden />}
            Live
          </Button>
          <ColumnPicker
            shown={shown}
            onChange={(next) => change({ columns: next.join() === SHOWN_BY_DEFAULT.join() ? "" : next.join() }, true)}
          />
          <LogMenu asked={canFollow ? { ...asked, to: undefined } : asked} total={total} />
        </div>
      </div>
      <div className="log-status num" role="status">
        {pages.isSuccess ? `${exact ? "" : "at least "}${count(total)} ${total === 1 ? "request" : "requests"}` : " "}
      </div>
      <Problem error={pages.error} />
      <div className="log-area" data-open={log !== undefined}>
        {pages.isPending ? (
          <div className="stack stack-s log-table">
            {["a", "b", "c", "d", "e", "f", "g", "h"].map((key) => (
              <Skeleton key={key} height={32} />
            ))}
          </div>
        ) : rows.length === 0 ? (
          <Nothing
            filtered={q !== "" || range !== "all" || from !== undefined}
            onClear={() => change({ q: "", range: "all", from: undefined, to: undefined })}
          />
        ) : (
          <LogTable
            rows={rows}
            total={total}
            shown={shown}
            sort={sort}
            onSort={(next) => change({ sort: next })}
            chosen={log}
            onChoose={choose}
            onEnd={onEnd}
          />
        )}
        {log ? (
          <Drawer
            key={log}
            id={log}
            onClose={() => change({ log: undefined })}
            onWalk={walk}
            tab={search.tab}
            onTab={(tab) => change({ tab }, true)}
          />
        ) : null}
      </div>
    </div>
  );
}

function Nothing({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return (
    <div className="card log-nothing">
      {filtered ? (
        <Empty icon={<ScrollText size={28} aria-hidden />} title="Nothing matches">
          <p>No request in the log passes all filters.</p>
          <Button onClick={onClear}>Show everything</Button>
        </Empty>
      ) : (
        <FirstRequest title="Waiting for the first request">
          Paste this into a terminal: it appears here the moment it was answered. The provider “sandbox” is built in and
          needs no key.
        </FirstRequest>
      )}
    </div>
  );
}

/** j and k walk, Esc closes. */
function useWalkKeys(walk: (step: number) => void, close: () => void) {
  useEffect(() => {
    function heard(event: KeyboardEvent) {
      if (isTyping(event)) return;
      if (event.key === "j") walk(1);
      if (event.key === "k") walk(-1);
      if (event.key === "Escape" && !event.defaultPrevented) close();
    }
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  });
}
