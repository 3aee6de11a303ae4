import { columns } from "./print-text.ts";

/** Rows in columns, two spaces apart. `align` has one letter a column: "l" or "r". The last column is never padded. */
export function table(rows: readonly (readonly string[])[], align: string): string[] {
  const widths = [...align].map((_, column) => rows.reduce((widest, row) => Math.max(widest, columns(row[column] ?? "")), 0));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const fill = " ".repeat(widths[column]! - columns(cell));
        if (align[column] === "r") return fill + cell;
        return column === row.length - 1 ? cell : cell + fill;
      })
      .join("  ")
      .trimEnd(),
  );
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A share in [0, 1] as a bar of `width` columns. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  const whole = Math.floor(eighths / 8);
  return ("█".repeat(whole) + EIGHTHS[eighths % 8]!).padEnd(width);
}

/** 10^6 bytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function byteSize(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : megabytes(bytes);
}

/** Thousands parted by commas, the same in every locale. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** "0:06", "1:02:03" */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (count: number): string => String(count).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
