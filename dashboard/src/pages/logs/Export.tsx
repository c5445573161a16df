// The filtered log as a file, however long it is; and its removal.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, Ellipsis, FileJson, FileSpreadsheet, Trash2 } from "lucide-react";
import { useState } from "react";
import { call, download, withQuery } from "../../api/client";
import { type LogsAsked, logsQueryString } from "../../api/queries";
import { bytes, count } from "../../lib/format";
import { gatewayPath, usePlace } from "../../place";
import { Button } from "../../ui/basics";
import { Confirm, Menu, MenuItem, MenuLabel, MenuLine } from "../../ui/overlays";
import { toast, toastError } from "../../ui/toasts";

const FORMS = [
  ["export.csv", "csv", "CSV", FileSpreadsheet],
  ["export", "jsonl", "JSON lines", FileJson],
] as const;

/** One call removes at most so many. */
const REMOVED_MAX = 10_000;

export function LogMenu({ asked, total }: { asked: LogsAsked; total: number }) {
  const place = usePlace();
  const [received, setReceived] = useState<number>();
  const [removing, setRemoving] = useState(false);
  const { order_by: _, order_by_direction: __, ...filter } = logsQueryString(asked);

  async function save(path: string, ending: string) {
    setReceived(0);
    try {
      const blob = await download(withQuery(`${gatewayPath(place)}/logs/${path}`, filter), setReceived);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${place.gateway}-logs.${ending}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      toast(`${bytes(blob.size)} saved`);
    } catch (error) {
      toastError(error);
    } finally {
      setReceived(undefined);
    }
  }

  return (
    <>
      <Menu
        align="end"
        trigger={
          <Button icon={received === undefined} aria-label={received === undefined ? "Export and more" : undefined}>
            {received === undefined ? <Ellipsis size={15} aria-hidden /> : <Download size={15} aria-hidden />}
            {received === undefined ? null : bytes(received)}
          </Button>
        }
      >
        <MenuLabel>Export {count(total)} requests</MenuLabel>
        {FORMS.map(([path, ending, label, Icon]) => (
          <MenuItem
            key={path}
            onSelect={() => void save(path, ending)}
            disabled={received !== undefined}
            icon={<Icon size={15} aria-hidden />}
          >
            {label}
          </MenuItem>
        ))}
        <MenuLine />
        <MenuItem onSelect={() => setRemoving(true)} icon={<Trash2 size={15} aria-hidden />}>
          Delete these requests…
        </MenuItem>
      </Menu>
      {removing ? <Removal filter={filter} total={total} onClose={() => setRemoving(false)} /> : null}
    </>
  );
}

function Removal({
  filter,
  total,
  onClose,
}: {
  filter: ReturnType<typeof logsQueryString>;
  total: number;
  onClose: () => void;
}) {
  const place = usePlace();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      call<{ deleted: number }>("DELETE", withQuery(`${gatewayPath(place)}/logs`, { ...filter, limit: REMOVED_MAX })),
    onSuccess: async ({ result }) => {
      onClose();
      toast(`${count(result.deleted)} requests deleted`);
      await client.invalidateQueries({ queryKey: ["logs"] });
      await client.invalidateQueries({ queryKey: ["logs-fresh"] });
    },
    onError: toastError,
  });
  const many = Math.min(total, REMOVED_MAX);
  return (
    <Confirm
      open
      onClose={onClose}
      onConfirm={() => remove.mutate()}
      title={`Delete ${count(many)} requests from the log?`}
      action="Delete them"
      busy={remove.isPending}
      typed="delete"
    >
      <p>
        Those that pass the filters{total > REMOVED_MAX ? `, the oldest ${count(REMOVED_MAX)} of ${count(total)}` : ""}.
        This cannot be undone.
      </p>
    </Confirm>
  );
}
