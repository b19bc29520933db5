// Cameras, microphones and screens as the browser gives them, with its many refusals in three words.
export type Trouble = 'denied' | 'busy' | 'none' | 'unplugged';
export type Input = 'mic' | 'cam';
export interface DeviceChoice { mic: string; cam: string; speaker: string }
export interface DeviceLists { mic: MediaDeviceInfo[]; cam: MediaDeviceInfo[]; speaker: MediaDeviceInfo[] }

const CAMERA: MediaTrackConstraints = {
  width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 },
};
const MICROPHONE: MediaTrackConstraints = {
  channelCount: { ideal: 1 }, echoCancellation: true, noiseSuppression: true, autoGainControl: true,
};

export function troubleOf(error: unknown): Trouble {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'none';
}

const constraintsOf = (input: Input, device: string): MediaTrackConstraints => ({
  ...(input === 'mic' ? MICROPHONE : CAMERA),
  ...(device === '' ? {} : { deviceId: { ideal: device } }),
});

async function openOne(input: Input, device: string): Promise<MediaStreamTrack | Trouble> {
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (!media) return 'none';
  try {
    const constraints = constraintsOf(input, device);
    const stream = await media.getUserMedia(input === 'mic' ? { audio: constraints } : { video: constraints });
    return stream.getTracks()[0] ?? 'none';
  } catch (error) {
    return troubleOf(error);
  }
}

export type Opened = Partial<Record<Input, MediaStreamTrack | Trouble>>;

/** Opens what is asked in one question to the person if possible, one by one when that fails. */
export async function openInputs(inputs: readonly Input[], choice: DeviceChoice): Promise<Opened> {
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (media && inputs.length === 2) {
    try {
      const stream = await media.getUserMedia({
        audio: constraintsOf('mic', choice.mic), video: constraintsOf('cam', choice.cam),
      });
      return { mic: stream.getAudioTracks()[0] ?? 'none', cam: stream.getVideoTracks()[0] ?? 'none' };
    } catch {
      // One of the two is missing or refused: find out which.
    }
  }
  const opened: Opened = {};
  for (const input of inputs) opened[input] = await openOne(input, choice[input]);
  return opened;
}

export async function listDevices(): Promise<DeviceLists> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const of = (kind: MediaDeviceKind): MediaDeviceInfo[] => all.filter((d) => d.kind === kind && d.deviceId !== '');
  return { mic: of('audioinput'), cam: of('videoinput'), speaker: of('audiooutput') };
}

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
}

export async function openScreen(): Promise<MediaStream> {
  return navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 15, max: 30 } },
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 2 } },
  });
}
