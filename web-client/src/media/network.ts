// Tells when the machine has moved to another network: Wi-Fi to mobile, cable pulled, back online.
// Browsers tell new guesses about the same network (its speed, its delay) by the same event: only another
// kind of network is a move, the rest is a hint.
// Out of scope: what is done about it (core/rejoin, core/silence).
type NetworkInformation = EventTarget & { type?: string };

/** Calls back at every move (true) and hint (false); returns how to stop that. */
export function watchNetwork(changed: (moved: boolean) => void): () => void {
  const link = (navigator as Navigator & { connection?: NetworkInformation }).connection;
  let kind = link?.type;
  const online = (): void => changed(true);
  const other = (): void => {
    // No network at all is not another one yet.
    const moved = link?.type !== kind && link?.type !== 'none';
    if (link?.type !== 'none') kind = link?.type;
    changed(moved);
  };
  addEventListener('online', online);
  link?.addEventListener('change', other);
  return () => {
    removeEventListener('online', online);
    link?.removeEventListener('change', other);
  };
}
