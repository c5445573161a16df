import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/client";
import { usePlace } from "../../place";
import { Empty, Problem, Skeleton } from "../../ui/basics";
import { Dialog } from "../../ui/overlays";
import type { Below, Row } from "./kinds";

const PER_PAGE = 50;

/** The newest of what belongs to a row. */
export function BelowDialog({ below, row, onClose }: { below: Below; row: Row; onClose: () => void }) {
  const place = usePlace();
  const url = below.url(row, place);
  const rows = useQuery({
    queryKey: ["below", url],
    queryFn: ({ signal }) => get<Row[]>(url, { per_page: PER_PAGE }, signal),
    staleTime: 0,
  });
  const all = rows.data?.result ?? [];
  return (
    <Dialog open wide onClose={onClose} title={below.title(row)}>
      <Problem error={rows.error} />
      {rows.isPending ? <Skeleton height={120} /> : null}
      {rows.isSuccess && all.length === 0 ? <Empty title={below.empty} /> : null}
      {all.length > 0 ? (
        <div className="table-wrap">
          <table className="table">
            <thead>
              <tr>
                {below.columns.map(({ label }) => (
                  <th key={label} scope="col">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {all.map((each) => (
                <tr key={below.key(each)}>
                  {below.columns.map(({ label, cell }) => (
                    <td key={label}>{cell(each, place)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </Dialog>
  );
}
