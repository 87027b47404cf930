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
/** What becomes of the guide of a token, each thing once; of a preview, nothing. */
export type Tellers = (host: string, token: string) => Tells;

const AGAIN_MS = 3_000;

/** One after the other, so that the server hears it in order; each is tried twice. What
 * still waits when the page goes away leaves with it. */
export function makeTellers(view: Window): Tellers {
  const waiting: (() => Promise<boolean>)[] = [];
  let isSending = false;

  async function send(): Promise<void> {
    if (isSending) return;
    isSending = true;
    for (let tell = waiting[0]; tell; tell = waiting[0]) {
      if (!(await tell())) {
        await new Promise((again) => setTimeout(again, AGAIN_MS));
        await tell();
      }
      waiting.shift();
    }
    isSending = false;
  }

  view.addEventListener("pagehide", () => {
    for (const tell of waiting.splice(1)) void tell();
  });
  return (host, token) => {
    const teller = makeTeller(host, token, "told");
    const told = new Set<string>();
    return (did, step = "") => {
      const name = `${did} ${step}`;
      if (!token || told.has(name)) return;
      told.add(name);
      waiting.push(() => teller({ did, step }));
      void send();
    };
  };
}
