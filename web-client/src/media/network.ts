// Tells when the machine has moved to another network: Wi-Fi to mobile, cable pulled, back online.
// Out of scope: what is done about it (core/rejoin).

/** Calls back at every move; returns how to stop that. */
export function watchNetwork(moved: () => void): () => void {
  const link = (navigator as Navigator & { connection?: EventTarget }).connection;
  const sources: [EventTarget | undefined, string][] = [
    [globalThis.window, 'online'],
    [link, 'change'],
  ];
  for (const [source, name] of sources) source?.addEventListener(name, moved);
  return () => {
    for (const [source, name] of sources) source?.removeEventListener(name, moved);
  };
}
