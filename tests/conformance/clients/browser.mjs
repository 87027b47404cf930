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
  const sent = [];
  for (let i = 0; i < 1000; i++) {
    // A page knows one user at a time: whoever was identified last.
    const userId = `user-${(i - (i % 10)) % 50}`;
    const groupId = `account-${i % 7}`;
    const said = { i, text: `Ünï "${i}" 😀`, nested: { on: i % 2 === 0, list: [1, i] } };
    const timestamp = new Date(Date.parse(base) + i * 1000);
    const kind = kinds[i % 10];
    const options = { timestamp };
    if (kind === "identify") {
      await Promise.all(sent.splice(0)); // of the user before
      await analytics.identify(userId, said, options);
    } else if (kind === "group") sent.push(analytics.group(groupId, said, options));
    else if (kind === "alias") sent.push(analytics.alias(userId, `old-${i}`, options));
    else if (kind === "track") {
      const context = { groupId };
      sent.push(analytics.track(`Event ${i % 13}`, said, { ...options, context }));
    } else sent.push(analytics[kind](undefined, `${kind} ${i}`, said, options));
  }
  await Promise.all(sent);
  document.title = "sent";
}

run().catch((error) => {
  document.title = `failed: ${error}`;
});
