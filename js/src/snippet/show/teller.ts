/** Tells the server what a person said; false where that did not work. */
export type Teller = (said: Record<string, unknown>) => Promise<boolean>;

export function makeTeller(host: string, token: string): Teller {
  const headers = { "Content-Type": "text/plain;charset=UTF-8" };
  return (said) =>
    fetch(`${host}/snippet/v1/answer`, {
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
