import type { Win } from "./surroundings.ts";

/** Loads a further file of the snippet: `show` or `pick`. */
export type Loader = (name: string) => void;

export function makeLoader(win: Win, host: string): Loader {
  let policy: Policy | undefined;

  /** Pages that enforce Trusted Types take no plain text for the address of a script,
   * and let a policy be made once. */
  function trusted(url: string): string {
    const types = (win as { trustedTypes?: Factory }).trustedTypes;
    if (!types) return url;
    policy = policy || types.createPolicy("perennial", { createScriptURL: (text) => text });
    return policy.createScriptURL(url);
  }

  return (name) => {
    const script = win.document.createElement("script");
    script.src = trusted(`${host}/snippet/v1/${name}.js`);
    win.document.head.appendChild(script);
  };
}

interface Policy {
  createScriptURL(text: string): string;
}
interface Factory {
  createPolicy(name: string, rules: Policy): Policy;
}
