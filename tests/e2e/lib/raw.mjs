// raw.mjs - a client without a product page: speaks amphi.1 from a page of the same origin, so that
// it can say what the product's own client never would.

/**
 * Open a raw connection inside an already open page of the server.
 * @returns {Promise<RawClient>}
 */
export class RawClient {
    static async open(page, hello) {
        const client = new RawClient();
        client.page = page;
        client.key = `raw${Math.random().toString(36).slice(2)}`;
        await page.eval((key) => new Promise((done, fail) => {
            const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`, 'amphi.1');
            const state = { socket, got: [], closed: null };
            window[key] = state;
            socket.onopen = () => done(true);
            socket.onerror = () => fail(new Error('refused'));
            socket.onclose = (event) => {
                state.closed = event.code;
            };
            socket.onmessage = (event) => state.got.push(JSON.parse(event.data));
        }), client.key);
        if (hello) await client.send({ t: 'hello', v: 1, lang: 'en', ...hello });
        return client;
    }

    /** Send messages: objects as JSON, strings as they are. */
    send(...messages) {
        return this.page.eval((key, list) => {
            for (const m of list) {
                window[key].socket.send(typeof m === 'string' ? m : JSON.stringify(m));
            }
        }, this.key, messages);
    }

    /** Wait for a message whose fields equal those given. */
    got(match, { timeout = 10000 } = {}) {
        return this.page.waitFor(`raw client gets ${JSON.stringify(match)}`, (key, wanted) => window[key].got
            .find((m) => Object.entries(wanted).every(([k, v]) => m[k] === v)),
        { args: [this.key, match], timeout, every: 20 });
    }

    /** Wait until a command is acknowledged; a refusal is a failure, not silence. */
    async answered(id, { timeout = 10000 } = {}) {
        const answer = await this.page.waitFor(`raw client is answered ${id}`, (key, wanted) => window[key].got
            .find((m) => m.id === wanted && (m.t === 'ack' || m.t === 'error')),
        { args: [this.key, id], timeout, every: 20 });
        if (answer.t === 'error') throw new Error(`${id} is refused: ${JSON.stringify(answer)}`);
        return answer;
    }

    all() {
        return this.page.eval((key) => window[key].got, this.key);
    }

    closed({ timeout = 10000 } = {}) {
        return this.page.waitFor('raw client is closed', (key) => window[key].closed,
            { args: [this.key], timeout, every: 20 });
    }

    close() {
        return this.page.eval((key) => window[key].socket.close(), this.key);
    }
}

/** The token in a link. */
export const tokenOf = (link) => decodeURIComponent(new URL(link).hash.slice(1));
