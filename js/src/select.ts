/** The next place in a list that goes round at both ends. */
export function nextIndex(at: number, length: number, by: 1 | -1): number {
  return length === 0 ? -1 : (at + by + length) % length;
}
