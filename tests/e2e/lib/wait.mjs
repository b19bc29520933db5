// wait.mjs - waiting for conditions with deadlines; nothing here sleeps for a fixed time.

export const now = () => performance.now();

/**
 * Deadlines are for what hangs, not for what is slow: a machine that builds on all its cores
 * beside the tests must not fail them. Every wait has this many times its time.
 */
export const patience = Number(process.env.AMPHI_E2E_PATIENCE ?? 6);

const turn = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * Ask again until the answer is truthy, and return it. What was seen last goes into the error.
 * @param {() => any} ask  may throw while the thing is not there yet
 * @param {{what: string, timeout?: number, every?: number}} options  milliseconds
 */
export async function until(ask, { what, timeout = 10000, every = 25 }) {
    const end = now() + timeout * patience;
    let seen;
    for (;;) {
        try {
            seen = await ask();
            if (seen) return seen;
        } catch (error) {
            seen = error;
        }
        if (now() > end) {
            const last = seen instanceof Error ? seen.message : JSON.stringify(seen);
            throw new Error(`${what}: not within ${timeout * patience} ms (last: ${last})`);
        }
        await turn(every);
    }
}

/** Sample something for a while: calls take() every `every` ms until `ms` have passed. */
export async function during(ms, every, take) {
    const end = now() + ms;
    while (now() < end) {
        await take();
        await turn(Math.max(0, Math.min(every, end - now())));
    }
}

/** Reject when the promise has not settled in time. */
export function within(ms, what, promise) {
    let timer;
    const limit = new Promise((_, fail) => {
        timer = setTimeout(() => fail(new Error(`${what}: not within ${ms} ms`)), ms);
    });
    return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** The p-th percentile (0..100) of numbers, nearest rank. */
export function percentile(values, p) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
}
