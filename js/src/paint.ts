export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Replaces every "$role" in a specification by its color. */
export function paint(value: Json, colors: Record<string, string>): Json {
  if (typeof value === "string")
    return value.startsWith("$") ? (colors[value.slice(1)] ?? value) : value;
  if (Array.isArray(value)) return value.map((item) => paint(item, colors));
  if (value !== null && typeof value === "object")
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, paint(item, colors)]),
    );
  return value;
}
