// strain - a machine that does not keep up: its page shows fewer and smaller pictures by itself, says why, and
// does not speak of the connection. The page's own thread is kept busy, as another program would keep it.
import { ClassRoom } from './lib/class.mjs';
import { until } from './lib/wait.mjs';

const heights = (page) => page.eval(() => window.__e2e.lastView?.want.map(([, , source, height]) => [source, height]) ?? []);

async function slow(t) {
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    await room.enter('chromium', { sender: 2 });
    const page = await room.enter('chromium', { sender: 3, ease: true, lang: 'en' });
    await room.whole();
    const before = await until(async () => {
        const asked = await heights(page);
        return asked.length === 2 && asked.every(([, height]) => height > 180) && asked;
    }, { what: 'tiles ask for large pictures', timeout: 60000 });
    const start = performance.now();
    await page.eval(() => {
        window.__e2e.busy = setInterval(() => {
            const end = performance.now() + 350;
            while (performance.now() < end);
        }, 400);
    });
    await page.waitForTestId('strain', { timeout: 60000 });
    t.figure('told_ms', performance.now() - start);
    t.check(/struggling/.test(await page.text('strain')), 'the words');
    await until(async () => (await heights(page)).some(([, height], i) => height < before[i][1]), { what: 'smaller pictures are asked for', timeout: 60000 });
    t.check(!(await page.has('saver-propose')), 'the connection is blamed');
    await page.eval(() => clearInterval(window.__e2e.busy));
    // Who wants everything all the same gets it.
    await page.click('strain-all');
    await page.waitForGone('strain');
    await until(async () => JSON.stringify(await heights(page)) === JSON.stringify(before), { what: 'all is asked for again', timeout: 60000 });
    await room.whole();
}

export const scenarios = [{ name: 'slow', timeout_s: 120, run: slow }];
