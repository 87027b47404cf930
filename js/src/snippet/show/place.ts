/** Where a card goes: plain numbers in pixels of the window, so that it can be tested. */
export interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}
export interface Size {
  width: number;
  height: number;
}
export type Side = "bottom" | "top" | "right" | "left";

export interface Spot {
  left: number;
  top: number;
  side: Side;
  /** Along the card's edge, from its left or top: where its arrow points from. */
  arrow: number;
}

const GAP = 14;
const EDGE = 8;
const ARROW_EDGE = 18;
const SIDES: Side[] = ["bottom", "top", "right", "left"];

/**
 * Beside the element: below it where there is room, else on the first side that has
 * some, else where there is most; never out of the window, though it may cover a little.
 */
export function placeBeside(anchor: Rect, card: Size, view: Size): Spot {
  const room: Record<Side, number> = {
    bottom: view.height - anchor.top - anchor.height - card.height,
    top: anchor.top - card.height,
    right: view.width - anchor.left - anchor.width - card.width,
    left: anchor.left - card.width,
  };
  const roomy = SIDES.find((each) => room[each] >= GAP + EDGE);
  const side = roomy || SIDES.reduce((best, each) => (room[each] > room[best] ? each : best));
  const middle = { x: anchor.left + anchor.width / 2, y: anchor.top + anchor.height / 2 };
  const upright = side === "bottom" || side === "top";
  const left = upright
    ? middle.x - card.width / 2
    : side === "right"
      ? anchor.left + anchor.width + GAP
      : anchor.left - card.width - GAP;
  const top = !upright
    ? middle.y - card.height / 2
    : side === "bottom"
      ? anchor.top + anchor.height + GAP
      : anchor.top - card.height - GAP;
  const spot = {
    left: within(left, EDGE, view.width - card.width - EDGE),
    top: within(top, EDGE, view.height - card.height - EDGE),
  };
  const arrow = upright
    ? within(middle.x - spot.left, ARROW_EDGE, card.width - ARROW_EDGE)
    : within(middle.y - spot.top, ARROW_EDGE, card.height - ARROW_EDGE);
  return { ...spot, side, arrow };
}

function within(value: number, least: number, most: number): number {
  return Math.round(Math.max(least, Math.min(value, most)));
}
