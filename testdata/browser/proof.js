// The official SDK, driven and watched by the suite in internal/interop. Whatever the SDK shows goes into
// one log, in the order in which it is shown; the suite acts through the verbs below and waits for entries.
'use strict';

const proof = (() => {
  const log = []; // {n, at, what, value}
  const waiting = new Set();
  const calls = [];
  const screens = new Map();
  let client;

  function note(what, value) {
    const entry = { n: log.length, at: Math.round(performance.now()), what, value: plain(value) };
    log.push(entry);
    for (const w of [...waiting]) w(entry);
  }

  // plain makes something of a value that survives JSON.
  function plain(v) {
    if (v instanceof Error || (v && typeof v === 'object' && 'message' in v && 'name' in v)) {
      const inner = v.error ?? v.originalError ?? v.cause;
      return { name: v.constructor?.name ?? v.name, message: String(v.message), fatal: v.fatal, kind: v.kind, code: v.code, cause: inner ? plain(inner) : undefined };
    }
    if (v instanceof MediaStream) return v.getTracks().map((t) => `${t.kind} ${t.readyState}`).sort();
    if (typeof v === 'function' || v === undefined) return null;
    try { return JSON.parse(JSON.stringify(v)); } catch { return String(v); }
  }

  // until resolves with the first entry, past or future, from number `from` on, that is named what and, unless json is
  // empty, has that value.
  function until(what, json, ms, from = 0) {
    const is = (e) => e.n >= from && e.what === what && (!json || JSON.stringify(e.value) === json);
    const seen = log.find(is);
    if (seen) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(check);
        const last = log.filter((e) => e.what === what).slice(-5).map((e) => JSON.stringify(e.value));
        reject(new Error(`no ${what} ${json || 'at all'} within ${ms} ms; the last were: ${last.join(' ') || 'none'}`));
      }, ms);
      const check = (e) => {
        if (!is(e)) return;
        clearTimeout(timer);
        waiting.delete(check);
        resolve(e);
      };
      waiting.add(check);
    });
  }

  const watch = (what, observable, map = (v) => v) => observable?.subscribe({
    next: (v) => note(what, map(v)),
    error: (e) => note(`${what} failed`, e),
    complete: () => note(`${what} completed`, null),
  });

  // make creates the client with a fixed token, with none (which leaves it to what is stored) or, given the address of a
  // token endpoint, with what that answers whenever the SDK asks; refresh says that it may ask for a new one before the
  // old one expires.
  function make(token, { options = {}, tokens = '', refresh = false } = {}) {
    const fetchToken = async (query) => {
      const r = await fetch(`${tokens}&${new URLSearchParams(query)}`);
      if (!r.ok) throw new Error(`token endpoint answered ${r.status}`);
      note('token fetched', null);
      return r.json();
    };
    let provider = token ? new SignalWire.StaticCredentialProvider({ token }) : undefined;
    if (tokens) provider = { authenticate: (c) => fetchToken({ fingerprint: c?.fingerprint ?? '' }) };
    if (refresh) provider.refresh = () => fetchToken({});
    client = new SignalWire.SignalWire(provider, { skipDeviceMonitoring: true, ...options });
    watch('errors', client.errors$);
    watch('warnings', client.warnings$);
    watch('ready', client.ready$);
    watch('connected', client.isConnected$);
    watch('registered', client.isRegistered$);
    watch('microphone', client.selectedAudioInputDevice$, (d) => d?.label ?? null);
    watch('camera', client.selectedVideoInputDevice$, (d) => d?.label ?? null);
  }

  // hearIncoming watches the inbound calls of the session, of which there is one once connected.
  function hearIncoming() {
    const known = new Set();
    client.session.incomingCalls$.subscribe((list) => {
      for (const call of list) {
        if (known.has(call.id)) continue;
        known.add(call.id);
        note('incoming', follow(call));
      }
    });
  }

  // follow watches a call and returns its number.
  function follow(call) {
    const k = calls.push(call) - 1;
    const name = (what) => `call${k}.${what}`;
    watch(name('status'), call.status$);
    watch(name('errors'), call.errors$);
    watch(name('directions'), call.mediaDirections$);
    watch(name('remote'), call.remoteStream$);
    watch(name('local'), call.localStream$);
    watch(name('self'), call.self$, (p) => p?.id ?? null);
    watch(name('participants'), call.participants$, (list) => list.map((p) => p.name ?? p.id));
    watch(name('layout'), call.layout$);
    watch(name('locked'), call.locked$);
    return k;
  }

  async function dial(to, options = {}) {
    const call = await client.dial(to, quiet(options));
    return follow(call);
  }

  // quiet switches the browser's cleverness about microphones off: it takes a tone for noise.
  function quiet(options) {
    if (options.audio === false) return options;
    return { inputAudioDeviceConstraints: { echoCancellation: false, noiseSuppression: false, autoGainControl: false }, ...options };
  }

  // find looks an address up.
  async function find(uri) {
    return client.directory.get(await client.directory.findAddressIdByURI(uri));
  }

  // chat opens the conversation with an address and watches its texts.
  async function chat(name, uri) {
    const address = await find(uri);
    const texts = await new Promise((resolve) => address.textMessages$.subscribe(resolve));
    watch(`texts ${name}`, texts.values$, (list) => list.map((m) => m.text));
    texts.values$.subscribe((list) => list.forEach((m) => m.fromAddress$?.subscribe((a) => note(`author of ${m.text}`, a.id))));
    return address.id;
  }

  // hear measures the loudest frequency of what a call receives, once there is any sound.
  async function hear(k, ms = 15000) {
    const stream = await remoteWith(k, 'audio', ms);
    const context = new AudioContext({ sampleRate: 48000 });
    const element = new Audio(); // without it no sound of a peer connection reaches the analyser
    element.srcObject = stream;
    element.muted = true;
    await element.play().catch(() => {});
    const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(stream).connect(analyser);
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    const wave = new Float32Array(analyser.fftSize);
    let best = { hz: 0, level: 0 };
    for (const end = performance.now() + ms; performance.now() < end;) {
      await new Promise((r) => setTimeout(r, 400));
      analyser.getFloatFrequencyData(spectrum);
      analyser.getFloatTimeDomainData(wave);
      const level = Math.sqrt(wave.reduce((sum, v) => sum + v * v, 0) / wave.length);
      let top = 1;
      for (let i = 2; i < spectrum.length - 1; i++) if (spectrum[i] > spectrum[top]) top = i;
      const [a, b, c] = [spectrum[top - 1], spectrum[top], spectrum[top + 1]];
      const hz = ((top + (a - c) / (2 * (a - 2 * b + c) || 1)) * context.sampleRate) / analyser.fftSize;
      const steady = Math.abs(hz - best.hz) < 2 && level > 0.05;
      best = { hz, level };
      if (steady) break;
    }
    await context.close();
    element.srcObject = null;
    return best;
  }

  // see plays what a call receives and samples pictures of it: their size, how many differ, and the mean colours of the
  // last in a grid of four by four.
  async function see(k, ms = 15000) {
    const stream = await remoteWith(k, 'video', ms);
    const video = document.createElement('video');
    video.srcObject = stream;
    video.muted = true;
    await video.play();
    const distinct = new Set();
    let grid = [];
    for (const end = performance.now() + ms; performance.now() < end && distinct.size < 4;) {
      await new Promise((r) => setTimeout(r, 100));
      if (!video.videoWidth) continue;
      grid = means(video);
      distinct.add(grid.join());
    }
    const seen = { width: video.videoWidth, height: video.videoHeight, distinct: distinct.size, grid };
    video.srcObject = null;
    return seen;
  }

  // means are the mean colours of a picture in a grid of four by four.
  function means(video) {
    const [w, h] = [160, 120];
    const paint = new OffscreenCanvas(w, h).getContext('2d', { willReadFrequently: true });
    paint.drawImage(video, 0, 0, w, h);
    const grid = [];
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 4; x++) {
        const { data } = paint.getImageData((x * w) / 4, (y * h) / 4, w / 4, h / 4);
        const sums = [0, 0, 0, 0];
        data.forEach((v, i) => { sums[i % 4] += v; });
        grid.push(...sums.map((v) => Math.round((4 * v) / data.length)));
      }
    }
    return grid;
  }

  // remoteWith waits for a live track of a kind among what a call receives.
  async function remoteWith(k, kind, ms) {
    for (const end = performance.now() + ms; performance.now() < end;) {
      const track = (calls[k].rtcPeerConnection?.getReceivers() ?? []).map((r) => r.track).find((t) => t?.kind === kind && !t.muted);
      if (track) return new MediaStream([track]);
      await new Promise((r) => setTimeout(r, 50));
    }
    throw new Error(`no ${kind} is received by call${k} within ${ms} ms`);
  }

  // flow counts the packets sent and received of each kind.
  async function flow(k) {
    const sums = {};
    for (const s of (await calls[k].rtcPeerConnection.getStats()).values()) {
      if (s.type === 'outbound-rtp') sums[`${s.kind}Sent`] = (sums[`${s.kind}Sent`] ?? 0) + s.packetsSent;
      if (s.type === 'inbound-rtp') sums[`${s.kind}Received`] = (sums[`${s.kind}Received`] ?? 0) + s.packetsReceived;
    }
    return sums;
  }

  // shows is a fact of a participant, read from its getter and from its observable, which must agree.
  function shows(participant, name) {
    const observable = participant?.[`${name}$`];
    let last = participant?.[name];
    observable?.subscribe((v) => { last = v; }).unsubscribe();
    return last === participant?.[name] ? plain(last) : { getter: plain(participant?.[name]), observable: plain(last) };
  }

  // methods are what an object of the SDK can be asked to do, and what of it can be observed (name$), without what every
  // object of the SDK has.
  function methods(object) {
    const all = new Map();
    for (let p = Object.getPrototypeOf(object); p && !Object.hasOwn(p, 'cachedObservable'); p = Object.getPrototypeOf(p)) {
      for (const [name, d] of Object.entries(Object.getOwnPropertyDescriptors(p))) {
        if (name !== 'constructor' && (d.value ? typeof d.value === 'function' : name.endsWith('$'))) all.set(name, true);
      }
    }
    return [...all.keys()].sort();
  }

  window.addEventListener('unhandledrejection', (e) => note('unhandled rejection', e.reason));
  return { log, note, until, make, hearIncoming, follow, dial, quiet, find, chat, hear, see, flow, shows, methods, calls, screens, get client() { return client; } };
})();
