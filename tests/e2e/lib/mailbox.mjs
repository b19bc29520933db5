// mailbox.mjs - a mail server that keeps what it is given: as much of RFC 5321 as a program that only
// sends needs. What a person receives is read here, so that a test goes on as that person would.
import net from 'node:net';
import { until } from './wait.mjs';

export class Mailbox {
    static async start() {
        const box = new Mailbox();
        box.mails = []; // {to, raw}
        box.server = net.createServer((socket) => box.talk(socket));
        await new Promise((done) => box.server.listen(0, '127.0.0.1', done));
        box.port = box.server.address().port;
        return box;
    }

    talk(socket) {
        let buffer = '';
        let to = '';
        let data = null;
        const say = (text) => socket.write(`${text}\r\n`);
        const word = (line) => {
            if (/^EHLO/i.test(line)) return say('250 box');
            if (/^RCPT/i.test(line)) to = /<(.*)>/.exec(line)[1];
            if (/^DATA/i.test(line)) {
                data = [];
                return say('354 go on');
            }
            if (/^QUIT/i.test(line)) return socket.end('221 bye\r\n');
            return say('250 ok');
        };
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
            buffer += bytes.toString('latin1');
            for (let at = buffer.indexOf('\r\n'); at >= 0; at = buffer.indexOf('\r\n')) {
                const line = buffer.slice(0, at);
                buffer = buffer.slice(at + 2);
                if (data === null) {
                    word(line);
                } else if (line === '.') {
                    this.mails.push({ to, raw: data.join('\r\n') });
                    data = null;
                    say('250 taken');
                } else {
                    data.push(line.startsWith('..') ? line.slice(1) : line);
                }
            }
        });
        say('220 box ESMTP');
    }

    /** The latest mail to an address whose subject has these words. */
    mail(to, words) {
        return until(() => this.mails.map(read).findLast((m) => m.to === to && m.subject.includes(words)),
            { what: `a mail "${words}" to ${to}`, timeout: 60000 });
    }

    stop() {
        return new Promise((done) => this.server.close(done));
    }
}

const words = (text) => text.replace(/\r\n\s/g, '')
    .replace(/=\?UTF-8\?B\?([^?]*)\?=\s*/g, (_, base64) => `\u0000${base64}\u0000`)
    .replace(/(\u0000[^\u0000]*\u0000)+/g, (run) => Buffer.concat(run.split('\u0000').filter(Boolean).map((b) => Buffer.from(b, 'base64'))).toString());

/** Subject, words, the link in them and the appointment of one mail. */
function read({ to, raw }) {
    const header = (name) => words(new RegExp(`^${name}: ((?:.|\r\n[ \t])*)`, 'm').exec(raw)?.[1] ?? '');
    const body = (type) => {
        const part = new RegExp(`Content-Type: ${type}[^\r]*\r\nContent-Transfer-Encoding: base64\r\n\r\n([A-Za-z0-9+/=\r\n]*)`).exec(raw);
        return part ? Buffer.from(part[1].replace(/\s/g, ''), 'base64').toString() : '';
    };
    const text = body('text/plain');
    return { to, subject: header('Subject'), text, link: /https:\/\/\S+#\S+/.exec(text)?.[0] ?? '', ics: body('text/calendar') };
}
