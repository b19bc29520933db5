// sound.mjs - a sound card that is not there. Firefox runs no AudioContext without an output, and its
// own mock device keeps poor time (a second lasted 0.72 to 0.92 s of sound on a busy machine, heard
// by the others as 6 to 20 % concealment). A private PulseAudio with a null sink keeps true time.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Child } from './proc.mjs';
import { until } from './wait.mjs';

function findPulse() {
    const places = [process.env.AMPHI_E2E_PULSE, ...(process.env.PATH ?? '').split(':')
        .map((dir) => path.join(dir, 'pulseaudio'))];
    return places.find((file) => file && fs.existsSync(file));
}

export class Sound {
    /** Resolves with null when PulseAudio is not installed. */
    static async start() {
        const binary = findPulse();
        if (!binary) return null;
        const sound = new Sound();
        sound.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'amphi-sound-'));
        const socket = path.join(sound.dir, 'socket');
        sound.child = new Child(binary, [
            '-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1', '--disallow-exit',
            '-L', 'module-null-sink rate=48000',
            '-L', `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
        ], { env: { HOME: sound.dir, XDG_RUNTIME_DIR: sound.dir } });
        sound.env = { PULSE_SERVER: `unix:${socket}` };
        await until(() => {
            if (sound.child.end) throw new Error(`pulseaudio ended: ${sound.child.err.slice(-300)}`);
            return fs.existsSync(socket);
        }, { what: 'pulseaudio listens' });
        return sound;
    }

    async stop() {
        await this.child.stop();
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}
