/** Tells the server what a person said or did; false where that did not work. */
export type Teller = (said: Record<string, unknown>) => Promise<boolean>;

export function makeTeller(host: string, token: string, path = "answer"): Teller {
  const headers = { "Content-Type": "text/plain;charset=UTF-8" };
  return (said) =>
    fetch(`${host}/snippet/v1/${path}`, {
      method: "POST",
      body: JSON.stringify({ token, ...said }),
      headers,
      credentials: "omit",
      // What is said last is said, though the page goes away.
      keepalive: true,
    }).then(
      (answer) => answer.ok,
      () => false,
    );
}

type Did = "seen" | "step" | "done" | "dismissed" | "snoozed" | "lost" | "clicked";
export type Tells = (did: Did, step?: string) => void;

const AGAIN_MS = 3_000;

/** What becomes of a guide, each thing told once, and tried twice. Previews tell nothing. */
export function makeTells(host: string, token: string): Tells {
  const teller = makeTeller(host, token, "told");
  const told = new Set<string>();
  return (did, step = "") => {
    const name = `${did} ${step}`;
    if (!token || told.has(name)) return;
    told.add(name);
    void teller({ did, step }).then((isTaken) => {
      if (!isTaken) setTimeout(() => void teller({ did, step }), AGAIN_MS);
    });
  };
}
