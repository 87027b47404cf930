// Makes the calls with analytics.js in a page. The test bundles this file with
// @segment/analytics-next and sets window.target = {host, key, base}.
import { AnalyticsBrowser } from "@segment/analytics-next";

const { host, key, base } = window.target;

async function run() {
  const analytics = AnalyticsBrowser.load(
    { writeKey: key, cdnURL: host },
    {
      integrations: {
        "Segment.io": { apiHost: `${host.split("//")[1]}/v1`, protocol: "http" },
      },
    },
  );
  const kinds = ["identify", "group", "page", "screen", "alias", ...Array(5).fill("track")];
  for (let i = 0; i < 1000; i++) {
    // A page knows one user at a time: whoever was identified last.
    const userId = `user-${(i - (i % 10)) % 50}`;
    const groupId = `account-${i % 7}`;
    const said = { i, text: `Ünï "${i}" 😀`, nested: { on: i % 2 === 0, list: [1, i] } };
    const timestamp = new Date(Date.parse(base) + i * 1000);
    const kind = kinds[i % 10];
    const options = { timestamp };
    if (kind === "identify") await analytics.identify(userId, said, options);
    else if (kind === "group") await analytics.group(groupId, said, options);
    else if (kind === "alias") await analytics.alias(userId, `old-${i}`, options);
    else if (kind === "track")
      await analytics.track(`Event ${i % 13}`, said, { ...options, context: { groupId } });
    else await analytics[kind](undefined, `${kind} ${i}`, said, options);
  }
  document.title = "sent";
}

run().catch((error) => {
  document.title = `failed: ${error}`;
});
