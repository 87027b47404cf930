// Makes the calls with @segment/analytics-node. Arguments: host, key, base.
import { Analytics } from "@segment/analytics-node";

const [host, writeKey, base] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey });
const failures = [];
analytics.on("error", (error) => failures.push(error));

const kinds = ["identify", "group", "page", "screen", "alias", ...Array(5).fill("track")];
for (let i = 0; i < 1000; i++) {
  const userId = `user-${i % 50}`;
  const groupId = `account-${i % 7}`;
  const said = { i, text: `Ünï "${i}" 😀`, nested: { on: i % 2 === 0, list: [1, i] } };
  const timestamp = new Date(Date.parse(base) + i * 1000);
  const kind = kinds[i % 10];
  if (kind === "identify") analytics.identify({ userId, traits: said, timestamp });
  else if (kind === "group") analytics.group({ userId, groupId, traits: said, timestamp });
  else if (kind === "alias") analytics.alias({ userId, previousId: `old-${i}`, timestamp });
  else if (kind === "track")
    analytics.track({
      userId, event: `Event ${i % 13}`, properties: said, context: { groupId }, timestamp,
    });
  else analytics[kind]({ userId, name: `${kind} ${i}`, properties: said, timestamp });
}
await analytics.closeAndFlush({ timeout: 60_000 });
if (failures.length) {
  console.error(failures.length, "failures, the first:", failures[0]);
  process.exit(1);
}
