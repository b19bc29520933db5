// netns - the program on another machine, in small: run by tests/e2e/netns.sh, which puts this
// process into a client's namespace and tells where the server is to be started.
import { ClassRoom } from './lib/class.mjs';

export const needs = 'AMPHI_E2E_NETNS';

/** Two people through whatever lies between; media must have taken the path that was announced. */
async function across(t, pathPattern) {
    t.check(process.env[needs], 'run tests/e2e/netns.sh');
    const room = await ClassRoom.start(t);
    const people = [await room.enter('chromium', { role: 'host' }), await room.enter('firefox')];
    await room.whole();
    for (const page of people) {
        const { path } = await page.stats();
        t.figure(`${page.browser}_path`, path.replace(/ /g, ':'));
        t.check(pathPattern.test(path), `${page.name}: media goes to ${path}`);
        await room.flows(page);
        await room.oneOffer(page);
    }
}

export const scenarios = [
    { name: 'dnat', timeout_s: 120, run: (t) => across(t, /^udp 203\.0\.113\.9:/) },
    { name: 'ipv6', timeout_s: 120, run: (t) => across(t, /^udp \[?fd/) },
    { name: 'tcp-only', timeout_s: 120, run: (t) => across(t, /^tcp 203\.0\.113\.9:/) },
];
