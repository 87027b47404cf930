import type { Fields } from "./surroundings.ts";

/** Arguments as Segment's analytics.js takes them: each may be left out. */
export interface Call {
  words: string[];
  fields: Fields;
  /** The last object: `{context: {…}}` for this message alone. */
  context: Fields;
  /** Of `identify`: what the server says of the id. */
  signature?: string | undefined;
}

export function readCall(args: unknown[]): Call {
  const objects = args.filter(isFields);
  const signature = objects[1]?.["signature"];
  return {
    words: args.filter(isId).map(String),
    fields: objects[0] || {},
    context: isFields(objects[1]?.["context"]) ? objects[1]["context"] : {},
    ...(typeof signature === "string" ? { signature } : {}),
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Empty ids are no ids; numbers are fine. */
function isId(value: unknown): value is string | number {
  return typeof value === "number" || (typeof value === "string" && value !== "");
}
