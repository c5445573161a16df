// What changed between two texts, line by line: the longest common subsequence.

export interface Line {
  kind: "same" | "added" | "removed";
  text: string;
}

/** Larger texts are told as all removed, all added: the table would be too large. */
const CELLS_MAX = 4_000_000;

export function diffLines(before: string, after: string): Line[] {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  const plain = (kind: Line["kind"], lines: string[]) => lines.map((text) => ({ kind, text }));
  if (old.length * fresh.length > CELLS_MAX) return [...plain("removed", old), ...plain("added", fresh)];
  const width = fresh.length + 1;
  const longest = new Uint32Array((old.length + 1) * width);
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = fresh.length - 1; column >= 0; column--) {
      const at = row * width + column;
      longest[at] =
        old[row] === fresh[column]
          ? (longest[at + width + 1] ?? 0) + 1
          : Math.max(longest[at + width] ?? 0, longest[at + 1] ?? 0);
    }
  }
  return walk(old, fresh, longest, width);
}

function walk(old: string[], fresh: string[], longest: Uint32Array, width: number): Line[] {
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < old.length && column < fresh.length) {
    const at = row * width + column;
    if (old[row] === fresh[column]) {
      lines.push({ kind: "same", text: old[row] ?? "" });
      row++;
      column++;
    } else if ((longest[at + width] ?? 0) >= (longest[at + 1] ?? 0))
      lines.push({ kind: "removed", text: old[row++] ?? "" });
    else lines.push({ kind: "added", text: fresh[column++] ?? "" });
  }
  for (; row < old.length; row++) lines.push({ kind: "removed", text: old[row] ?? "" });
  for (; column < fresh.length; column++) lines.push({ kind: "added", text: fresh[column] ?? "" });
  return lines;
}
