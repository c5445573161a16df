// Time series on a canvas (uPlot), with the same numbers as a table for those who do not see it.

import { useEffect, useId, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useShownTheme } from "../theme";

export interface Series {
  label: string;
  values: (number | null)[];
  /** 1 to 6: the colours of the design system. */
  colour: number;
}

interface Props {
  label: string;
  /** Milliseconds, ascending. */
  times: number[];
  series: Series[];
  kind: "bars" | "line";
  stacked?: boolean;
  format: (value: number) => string;
  height?: number;
  /** A stretch of time was dragged over. */
  onZoom?: (fromMs: number, toMs: number) => void;
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const date = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const DAY_S = 86_400;

/** Seconds since 1970: the hour, or the day where ticks are days. */
function clockTicks(ticks: number[]): string[] {
  const daily = (ticks[1] ?? 0) - (ticks[0] ?? 0) >= DAY_S;
  return ticks.map((tick) => (daily ? date : clock).format(tick * 1000));
}

/** Upper edges of a stack: each series with everything below it. */
function stack(series: Series[]): (number | null)[][] {
  const sums: number[] = [];
  return series.map(({ values }) =>
    values.map((value, index) => {
      sums[index] = (sums[index] ?? 0) + (value ?? 0);
      return sums[index];
    }),
  );
}

export function Chart(props: Props) {
  const { label, times, series, kind, stacked = false, format, height = 180, onZoom } = props;
  const box = useRef<HTMLDivElement>(null);
  const theme = useShownTheme();
  const [at, setAt] = useState<number | null>(null);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const data = useMemo(() => {
    const rows = stacked ? stack(series).reverse() : series.map((each) => each.values);
    return [times.map((time) => time / 1000), ...rows] as uPlot.AlignedData;
  }, [times, series, stacked]);

  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const order = stacked ? [...series].reverse() : series;
    const bars = uPlot.paths.bars?.({ size: [0.72, 40], radius: 0.15 });
    const axis = { stroke: css("--ink-3"), font: `11px ${css("--font")}`, ticks: { show: false } };
    const chart = new uPlot(
      {
        width: place.clientWidth,
        height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          points: { show: kind === "line" },
          drag: { x: Boolean(zoom.current), y: false, setScale: false },
        },
        scales: { x: { time: true }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.12 : 1] } },
        axes: [
          { ...axis, grid: { show: false }, size: 30, space: 80, values: (_, ticks) => clockTicks(ticks) },
          {
            ...axis,
            grid: { stroke: css("--line"), width: 1 },
            size: 56,
            space: 36,
            values: (_, ticks) => ticks.map(format),
          },
        ],
        series: [
          {},
          ...order.map(({ label, values, colour }) => {
            const paint = css(`--series-${colour}`);
            return kind === "bars"
              ? {
                  label,
                  stroke: paint,
                  fill: paint,
                  width: 0,
                  points: { show: false },
                  ...(bars ? { paths: bars } : {}),
                }
              : {
                  label,
                  stroke: paint,
                  width: 2,
                  spanGaps: true,
                  points: { show: values.filter((value) => value !== null).length < 40, size: 5 },
                };
          }),
        ],
        hooks: {
          setCursor: [(chart) => setAt(chart.cursor.idx ?? null)],
          setSelect: [
            (chart) => {
              if (chart.select.width < 4) return;
              const from = chart.posToVal(chart.select.left, "x");
              const to = chart.posToVal(chart.select.left + chart.select.width, "x");
              chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              zoom.current?.(from * 1000, to * 1000);
            },
          ],
        },
      },
      data,
      place,
    );
    const watch = new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height }));
    watch.observe(place);
    return () => {
      watch.disconnect();
      chart.destroy();
    };
  }, [data, series, theme, kind, height, stacked, format]);

  return (
    <figure className="chart" aria-label={label}>
      <Legend series={series} times={times} at={at} format={format} />
      <div ref={box} className="chart-box" style={{ height }} aria-hidden="true" />
      <Numbers {...props} />
    </figure>
  );
}

function Legend({ series, times, at, format }: Pick<Props, "series" | "times" | "format"> & { at: number | null }) {
  const time = at === null ? undefined : times[at];
  return (
    <div className="chart-legend">
      {series.map(({ label, values, colour }) => (
        <span key={label} className="chart-key">
          <i style={{ background: `var(--series-${colour})` }} aria-hidden="true" />
          {label}
          {at !== null && values[at] != null ? <b className="num">{format(values[at] as number)}</b> : null}
        </span>
      ))}
      {time === undefined ? null : <span className="chart-time num">{new Date(time).toLocaleString()}</span>}
    </div>
  );
}

/** Folded away, but there: no number is only a colour. */
function Numbers({ label, times, series, format }: Props) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const rows = times
    .map((time, index) => ({ time, index }))
    .filter(({ index }) => series.some(({ values }) => values[index]));
  return (
    <div className="chart-numbers">
      <button
        type="button"
        className="link-button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {open ? "Hide numbers" : "Numbers"}
      </button>
      <div id={id} hidden={!open} className="table-wrap">
        {open ? (
          <table className="table">
            <caption className="visually-hidden">{label}</caption>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {series.map((each) => (
                  <th key={each.label} scope="col" className="right">
                    {each.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ time, index }) => (
                <tr key={time}>
                  <td>{new Date(time).toLocaleString()}</td>
                  {series.map((each) => (
                    <td key={each.label} className="right num">
                      {each.values[index] == null ? "–" : format(each.values[index] as number)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        ) : null}
      </div>
    </div>
  );
}
