export const LIMIT_BYTES: number;
export const VERSIONS: string[];
export function snippet(version: string): Promise<string>;
