// Runs in the page before it (tests only): a peer connection that connects at once and whose video
// slots show drawn portraits of whoever the server says is in them. No part of the product.
(() => {
  const slotOwners = new Map();
  const NativeSocket = window.WebSocket;
  window.WebSocket = class extends NativeSocket {
    constructor(...args) {
      super(...args);
      window.addEventListener('mock-close', (event) => {
        this.onclose?.({ code: event.detail });
      });
      this.addEventListener('message', (event) => {
        const m = JSON.parse(event.data);
        if (m.t === 'slots') for (const [slot, device, source] of m.video) slotOwners.set(slot, `${device}/${source}`);
      });
    }
  };

  const PALETTE = [['#39535a', '#e0b08c', '#2b3f63'], ['#5b4a3f', '#8d5a3c', '#7a8f5a'], ['#49506b', '#f0c8a8', '#7c3f46'],
    ['#3f5a4b', '#c98f65', '#d8d2c4'], ['#6a5a4a', '#5b3a29', '#2f6f73'], ['#4b4b55', '#e8bc9a', '#a86b2f']];

  function drawPerson(g, w, h, n, time) {
    const [wall, skin, cloth] = PALETTE[n % PALETTE.length];
    g.fillStyle = wall;
    g.fillRect(0, 0, w, h);
    g.fillStyle = 'rgba(255,255,255,.07)';
    g.fillRect(w * (0.06 + (n % 5) * 0.14), h * 0.08, w * 0.2, h * 0.44);
    const sway = Math.sin(time / 700 + n) * w * 0.006;
    g.fillStyle = cloth;
    g.beginPath();
    g.ellipse(w / 2 + sway, h * 1.06, w * 0.25, h * 0.42, 0, 0, 7);
    g.fill();
    g.fillStyle = skin;
    g.fillRect(w / 2 - w * 0.035 + sway, h * 0.52, w * 0.07, h * 0.18);
    g.beginPath();
    g.ellipse(w / 2 + sway, h * 0.4, h * 0.155, h * 0.2, 0, 0, 7);
    g.fill();
    g.fillStyle = ['#2a1d17', '#141414', '#6b4526', '#3a2a20', '#8a8782'][n % 5];
    g.beginPath();
    g.ellipse(w / 2 + sway, h * 0.3, h * 0.175, h * 0.15, 0, Math.PI * 0.98, Math.PI * 2.02);
    g.fill();
  }

  function drawScreen(g, w, h) {
    g.fillStyle = '#fffdf8';
    g.fillRect(0, 0, w, h);
    g.fillStyle = '#0E5A53';
    g.fillRect(0, 0, w * 0.012, h);
    g.font = `600 ${h * 0.075}px 'Atkinson Hyperlegible Next', sans-serif`;
    g.fillText('Analyser une situation', w * 0.07, h * 0.2);
    g.fillStyle = '#1C2326';
    g.font = `${h * 0.045}px 'Atkinson Hyperlegible Next', sans-serif`;
    ['Décrire les faits, sans juger', 'Chercher ce que chacun voulait', 'Proposer une autre façon de faire'].forEach((line, i) =>
      g.fillText(`${i + 1}.  ${line}`, w * 0.07, h * (0.36 + i * 0.1)));
    [0.3, 0.55, 0.42, 0.8].forEach((v, i) => {
      g.fillStyle = i === 3 ? '#A65C08' : '#D9D4C7';
      g.fillRect(w * (0.62 + i * 0.075), h * (0.88 - v * 0.4), w * 0.055, h * v * 0.4);
    });
  }

  function slotTrack(slot) {
    const canvas = document.createElement('canvas');
    canvas.width = 640;
    canvas.height = 360;
    const g = canvas.getContext('2d');
    setInterval(() => {
      const owner = slotOwners.get(slot) ?? '';
      const screen = owner.endsWith('/screen');
      const [w, h] = screen ? [1280, 720] : [640, 360];
      if (canvas.width !== w) [canvas.width, canvas.height] = [w, h];
      if (screen) drawScreen(g, w, h);
      else if (owner !== '') drawPerson(g, w, h, Number(owner.replace(/\D/g, '')), performance.now());
    }, 200);
    return canvas.captureStream(5).getVideoTracks()[0];
  }

  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    #state = 'new';
    #videos = 0;
    #tracks = new Map();
    constructor(configuration) {
      super(configuration);
      window.fakePeers = [...(window.fakePeers ?? []), this];
    }
    get connectionState() {
      return this.#state;
    }
    addTransceiver(kind, init) {
      const transceiver = super.addTransceiver(kind, init);
      if (kind !== 'video' || init?.direction !== 'recvonly') return transceiver;
      const slot = this.#videos++;
      this.#tracks.set(slot, slotTrack(slot));
      const track = this.#tracks.get(slot);
      return new Proxy(transceiver, {
        get: (target, key) => {
          if (key === 'receiver') return { track };
          const value = target[key];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    }
    async setRemoteDescription(description) {
      await super.setRemoteDescription(description);
      this.fakeState('connecting');
      setTimeout(() => this.fakeState('connected'), 60);
    }
    fakeState(state) {
      this.#state = state;
      this.onconnectionstatechange?.(new Event('connectionstatechange'));
    }
    set onconnectionstatechange(handler) {
      this.fakeHandler = handler;
    }
    get onconnectionstatechange() {
      return this.fakeHandler;
    }
  };

  // The camera of the headless browser is a test pattern: draw a person instead.
  if (navigator.mediaDevices && !window.fakeNoCamera) {
    const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await native(constraints);
      if (!constraints.video) return stream;
      const canvas = document.createElement('canvas');
      canvas.width = 640;
      canvas.height = 360;
      setInterval(() => drawPerson(canvas.getContext('2d'), 640, 360, 3, performance.now()), 200);
      return new MediaStream([...stream.getAudioTracks(), canvas.captureStream(5).getVideoTracks()[0]]);
    };
  }
})();
