import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { call, get } from "../../api/client";
import { count } from "../../lib/format";
import { usePlace } from "../../place";
import { Button, Card, Empty, PageHead, Problem, Skeleton } from "../../ui/basics";
import { Json } from "../../ui/json";
import { Confirm, Dialog } from "../../ui/overlays";
import { toast, toastError } from "../../ui/toasts";
import { BelowDialog } from "./BelowDialog";
import { CreateDialog } from "./CreateDialog";
import type { Action, Resource, Row } from "./kinds";
import { SecretDialog } from "./SecretDialog";

const PER_PAGE = 50;
const LOOK_MS = 1_500;

export function ResourcePage({ resource }: { resource: Resource }) {
  const place = usePlace();
  const [page, setPage] = useState(1);
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const { title, note, one, url, fields, icon: Icon, working } = resource;
  const rows = useQuery({
    queryKey: ["resource", resource.id, url(place), page],
    queryFn: ({ signal }) => get<Row[]>(url(place), { ...resource.query, page, per_page: PER_PAGE }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (working && state.data?.result.some(working) ? LOOK_MS : false),
  });
  const all = rows.data?.result ?? [];
  const total = rows.data?.result_info?.total_count ?? all.length;
  const button = fields ? (
    <Button look="primary" onClick={() => setMaking(true)}>
      <Plus size={15} aria-hidden /> New {one}
    </Button>
  ) : null;
  return (
    <div className="page">
      <PageHead title={title} actions={button}>
        {note}
      </PageHead>
      <Problem error={rows.error} />
      {rows.isPending ? <Skeleton height={160} /> : null}
      {rows.isSuccess && all.length === 0 ? (
        <Card>
          <Empty
            icon={<Icon size={28} aria-hidden />}
            title={`No ${one === "entry" ? "entries" : title.toLowerCase()} yet`}
          >
            <p>{resource.empty}</p>
            {button}
          </Empty>
        </Card>
      ) : null}
      {all.length > 0 ? <List resource={resource} rows={all} onSecret={setSecret} /> : null}
      {total > PER_PAGE ? <Pager page={page} total={total} onPage={setPage} /> : null}
      {making && fields ? (
        <CreateDialog resource={resource} fields={fields} onClose={() => setMaking(false)} onSecret={setSecret} />
      ) : null}
      <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />
    </div>
  );
}

function useRefresh(resource: Resource) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["resource", resource.id] });
}

function List({ resource, rows, onSecret }: { resource: Resource; rows: Row[]; onSecret: (secret: string) => void }) {
  const place = usePlace();
  const [leaving, setLeaving] = useState<Row>();
  const [shown, setShown] = useState<Row>();
  const [entered, setEntered] = useState<Row>();
  const { columns, actions = [], removes, detail, below, name } = resource;
  return (
    <Card className="card-flush">
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              {columns.map(({ label, right }) => (
                <th key={label} scope="col" className={right ? "right" : undefined}>
                  {label}
                </th>
              ))}
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={resource.key(row)}>
                {columns.map(({ label, right, cell }) => (
                  <td key={label} className={right ? "right num" : "num"}>
                    {cell(row, place)}
                  </td>
                ))}
                <td className="right">
                  <span className="row row-end">
                    {detail ? (
                      <Button small onClick={() => setShown(row)}>
                        Details
                      </Button>
                    ) : null}
                    {below ? (
                      <Button small onClick={() => setEntered(row)}>
                        {below.label}
                      </Button>
                    ) : null}
                    {actions
                      .filter((action) => action.label(row))
                      .map((action) => (
                        <ActionButton
                          key={action.label(row)}
                          resource={resource}
                          action={action}
                          row={row}
                          onSecret={onSecret}
                        />
                      ))}
                    {removes ? (
                      <Button
                        small
                        icon
                        look="quiet"
                        aria-label={`Delete ${name(row)}`}
                        onClick={() => setLeaving(row)}
                      >
                        <Trash2 size={14} aria-hidden />
                      </Button>
                    ) : null}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {leaving ? <Removal resource={resource} row={leaving} onClose={() => setLeaving(undefined)} /> : null}
      {entered && below ? <BelowDialog below={below} row={entered} onClose={() => setEntered(undefined)} /> : null}
      {shown && detail ? (
        <Dialog open wide onClose={() => setShown(undefined)} title={name(shown)}>
          <Json text={JSON.stringify(detail(shown))} label="the entry" />
        </Dialog>
      ) : null}
    </Card>
  );
}

function ActionButton({
  resource,
  action,
  row,
  onSecret,
}: {
  resource: Resource;
  action: Action;
  row: Row;
  onSecret: (secret: string) => void;
}) {
  const place = usePlace();
  const refresh = useRefresh(resource);
  const run = useMutation({
    mutationFn: () => action.run(row, place),
    onSuccess: async (answer) => {
      await refresh();
      const secret = action.secret?.((answer as { result: Row }).result);
      if (secret) onSecret(secret);
      else toast("Done");
    },
    onError: toastError,
  });
  return (
    <Button small busy={run.isPending} onClick={() => run.mutate()}>
      {action.label(row)}
    </Button>
  );
}

function Removal({ resource, row, onClose }: { resource: Resource; row: Row; onClose: () => void }) {
  const place = usePlace();
  const refresh = useRefresh(resource);
  const remove = useMutation({
    mutationFn: () => call("DELETE", `${resource.url(place)}/${encodeURIComponent(row.id)}`),
    onSuccess: async () => {
      await refresh();
      onClose();
      toast(`${resource.name(row)} is gone`);
    },
    onError: toastError,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      onConfirm={() => remove.mutate()}
      title={`Delete ${resource.name(row)}?`}
      action="Delete"
      busy={remove.isPending}
    >
      <p>{resource.removes}</p>
    </Confirm>
  );
}

function Pager({ page, total, onPage }: { page: number; total: number; onPage: (page: number) => void }) {
  const last = Math.ceil(total / PER_PAGE);
  return (
    <div className="row row-end num">
      <span className="hint">
        {count(total)} in all, page {page} of {last}
      </span>
      <Button icon aria-label="Previous page" disabled={page === 1} onClick={() => onPage(page - 1)}>
        <ChevronLeft size={15} aria-hidden />
      </Button>
      <Button icon aria-label="Next page" disabled={page === last} onClick={() => onPage(page + 1)}>
        <ChevronRight size={15} aria-hidden />
      </Button>
    </div>
  );
}
