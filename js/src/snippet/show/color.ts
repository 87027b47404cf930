/** A team's accent on our grounds: what is written stays readable, 4.5 to 1. */
const ENOUGH = 4.5;

/** Black or white, whichever reads better on the color. */
export function inkOn(color: string): string {
  return contrast(color, "#FFFFFF") >= contrast(color, "#000000") ? "#FFFFFF" : "#000000";
}

/** The color, moved towards `end` as far as it takes to be read on `ground`. */
export function readable(color: string, ground: string, end: string): string {
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = mix(color, end, share);
    if (contrast(mixed, ground) >= ENOUGH) return mixed;
  }
  return end;
}

export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(color: string): number {
  const [red, green, blue] = parts(color).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function mix(one: string, other: string, share: number): string {
  const ends = parts(other);
  const mixed = parts(one).map((part, place) => Math.round(part + (ends[place]! - part) * share));
  return `#${mixed.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function parts(color: string): number[] {
  return [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));
}
