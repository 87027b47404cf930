export const LIMIT_BYTES: number;
export const PICK_LIMIT_BYTES: number;
export const SHOW_LIMIT_BYTES: number;
export const VERSIONS: string[];
export function snippet(version: string, entry?: string): Promise<string>;
