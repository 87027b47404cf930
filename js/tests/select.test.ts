import assert from "node:assert/strict";
import { test } from "node:test";
import { paint } from "../src/paint.ts";
import { nextIndex } from "../src/select.ts";

test("the selection goes round at both ends", () => {
  assert.equal(nextIndex(0, 3, 1), 1);
  assert.equal(nextIndex(2, 3, 1), 0);
  assert.equal(nextIndex(0, 3, -1), 2);
  assert.equal(nextIndex(-1, 0, 1), -1);
});

test("roles become colors, at any depth, and data stays", () => {
  const spec = { mark: { color: "$accent" }, layer: [{ color: "$none" }], data: [1, null, "a $b"] };
  assert.deepEqual(paint(spec, { accent: "#123456" }), {
    mark: { color: "#123456" },
    layer: [{ color: "$none" }],
    data: [1, null, "a $b"],
  });
});
