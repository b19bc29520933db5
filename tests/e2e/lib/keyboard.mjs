// keyboard.mjs - what somebody without a mouse does, and what somebody without sight is told.

/** Tab until the element has the focus, then press the key on it. */
export async function reach(page, testid, key = 'Enter') {
    await page.waitForTestId(testid, { timeout: 60000 });
    for (let i = 0; i < 160; i++) {
        if (await page.eval((id) => document.activeElement?.dataset?.testid === id, testid)) {
            if (key) await page.press(key);
            return;
        }
        await page.press('Tab');
    }
    throw new Error(`${page.name}: ${testid} is not reached by Tab`);
}

/** From now on every text of the live regions is kept. */
export const listen = (page) => page.eval(() => {
    window.__told = [];
    for (const region of document.querySelectorAll('[aria-live]')) {
        new MutationObserver(() => {
            if (region.textContent) window.__told.push(region.textContent);
        }).observe(region, { childList: true, characterData: true, subtree: true });
    }
});

/** A screen reader was told something that has this in it. */
export const told = (page, words) => page.waitFor(`is told "${words}"`,
    (text) => window.__told.some((one) => one.includes(text)), { args: [words], timeout: 60000 });

/** The value of a select, by keyboard: its options are walked with the arrows. */
export async function pick(page, testid, value) {
    await reach(page, testid, '');
    for (let i = 0; i < 24; i++) {
        const now = await page.eval((sel) => document.querySelector(sel).selectedIndex, page.selector(testid));
        const wanted = await page.eval((sel, to) => [...document.querySelector(sel).options].findIndex((o) => o.value === to), page.selector(testid), value);
        if (now === wanted) return;
        await page.press(now < wanted ? 'ArrowDown' : 'ArrowUp');
    }
    throw new Error(`${page.name}: ${testid} does not come to ${value}`);
}
