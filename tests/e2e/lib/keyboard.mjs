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

/**
 * In a class that goes on meanwhile: Tab until everything one can use inside `selector` has had the
 * focus; what Tab never comes to is returned, in words.
 */
export async function unreached(page, selector) {
    await page.eval(() => {
        window.__walked = new Set();
        document.addEventListener('focusin', (event) => window.__walked.add(event.target));
    });
    const left = () => page.eval((within) => {
        const usable = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
        const all = [...document.querySelectorAll(within)].flatMap((e) => [...e.querySelectorAll(usable)])
            .filter((e) => e.checkVisibility() && !e.disabled && e.tabIndex >= 0);
        if (all.length === 0) return [`nothing to use in ${within}`];
        return all.filter((e) => !window.__walked.has(e))
            .map((e) => e.dataset.testid ?? e.getAttribute('aria-label') ?? e.textContent.trim().slice(0, 40));
    }, selector);
    let missing = [];
    for (let round = 0; round < 16; round++) {
        for (let i = 0; i < 25; i++) await page.press('Tab');
        missing = await left();
        if (missing.length === 0) break;
    }
    return missing;
}

/** Hold a key on the element, do something meanwhile, let go. */
export async function holding(page, testid, key, meanwhile) {
    await reach(page, testid, '');
    await page.page.keyboard.down(key);
    await meanwhile();
    await page.page.keyboard.up(key);
}

/**
 * Tab from the top until the page is through: everything one can act on was reached once and showed
 * where the focus is. Returns what was wrong, as text.
 */
export async function walk(page) {
    const wanted = await page.eval(() => {
        const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
        // Of a group of radio buttons Tab stops at one.
        const stops = (e) => e.type !== 'radio' || e.checked || (document.getElementsByName(e.name)[0] === e
            && ![...document.getElementsByName(e.name)].some((other) => other.checked));
        const list = all.filter((e) => !e.disabled && e.tabIndex >= 0 && e.getClientRects().length > 0 && stops(e)
            && (e.matches('summary') || !e.closest('details:not([open])')));
        list.forEach((e, i) => {
            e.dataset.walk = i;
        });
        document.activeElement?.blur?.();
        window.scrollTo(0, 0);
        return list.map((e) => (e.dataset.testid ?? (e.textContent || e.name || e.type || e.tagName).trim()).slice(0, 40));
    });
    const seen = new Set();
    const wrong = [];
    for (let i = 0; i < 3 * wanted.length + 20 && seen.size < wanted.length; i++) {
        await page.press('Tab');
        const at = await page.eval(() => {
            const e = document.activeElement;
            if (!e || e.dataset.walk === undefined) return null;
            const style = getComputedStyle(e);
            const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
            const rect = e.getBoundingClientRect();
            return { i: Number(e.dataset.walk), shown, inside: rect.bottom > 0 && rect.top < innerHeight };
        });
        if (!at || seen.has(at.i)) continue;
        seen.add(at.i);
        if (!at.shown) wrong.push(`${wanted[at.i]} does not show the focus`);
        if (!at.inside) wrong.push(`${wanted[at.i]} has the focus out of sight`);
    }
    wanted.forEach((name, i) => {
        if (!seen.has(i)) wrong.push(`${name} is not reached`);
    });
    return wrong;
}
